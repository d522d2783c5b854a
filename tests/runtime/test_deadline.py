"""Functions that run out of time: nothing is lost, and the next delivery continues."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets
from tests.fault_proxy import PASS, SILENCE, Fault, proxied
from tests.runtime.emulator import environment_of, running

if TYPE_CHECKING:
    from tests.fault_proxy import FaultProxy, Request
    from tests.runtime.emulator import InvokeResponse, Kit

MIB = 1024 * 1024

HEARD = Fault("reaches the server, but no answer comes", "now", "silence")


def is_done(answer: InvokeResponse) -> bool:
    """Whether the queue is told that the message may go."""
    return not answer.timed_out and answer.value == {"batchItemFailures": []}


def through(proxy: FaultProxy, buckets: Buckets, **more: str) -> dict[str, str]:
    return environment_of(buckets, FROGMOVE_ENDPOINT_URL=proxy.endpoint_url, **more)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(SILENCE, id="never sent", marks=pytest.mark.matrix),
        pytest.param(HEARD, id="answer lost"),
    ],
)
@pytest.mark.parametrize(
    "operation",
    [
        pytest.param("HeadObject", marks=pytest.mark.matrix),
        pytest.param("CopyObject", marks=pytest.mark.matrix),
        "Delete",
    ],
)
def test_request_that_hangs_loses_nothing_and_the_redelivery_finishes(
    kit: Kit, buckets: Buckets, operation: str, fault: Fault
) -> None:
    buckets.put("a")
    event = batch(message("1", notification(buckets.source, "a")))
    with proxied(buckets.server) as proxy:

        def hang(request: Request) -> Fault:
            hangs = request.operation.startswith(operation) and not request.is_probe
            return fault if hangs else PASS

        proxy.schedule = hang
        with running(kit, through(proxy, buckets), seconds=4) as runtime:
            assert not is_done(runtime.invoke(event))
            assert b"a" in {**buckets.here(), **buckets.there()}.values()
            proxy.reset()
            # On a busy machine the start after a timeout may time out as well.
            assert any(is_done(runtime.invoke(event)) for _ in range(5))
            assert is_done(runtime.invoke(event))
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a"})


@dataclass(frozen=True, slots=True)
class Large:
    """An object that takes longer than a function may.

    Attributes:
        size: its bytes.
        part: bytes of a part.
        delay: seconds until a part's copy is answered.
        seconds: how long an invocation may take.
    """

    size: int
    part: int
    delay: float
    seconds: int


class Bytes(io.RawIOBase):
    """Reads bytes that are different in every mebibyte, and need no memory."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, count: int = -1) -> bytes:
        wanted = self._left if count < 0 else min(count, self._left)
        blocks = bytearray()
        while len(blocks) < wanted:
            block = hashlib.sha256(str(self._left - len(blocks)).encode()).digest()
            blocks += block * ((min(MIB, wanted - len(blocks)) + 31) // 32)
        found = bytes(blocks[:wanted])
        self._left -= wanted
        self.digest.update(found)
        return found


def put_large(buckets: Buckets, key: str, size: int) -> str:
    """Upload an object; returns the SHA-256 of its bytes."""
    body = Bytes(size)
    buckets.client.upload_fileobj(body, buckets.source, key)
    return body.digest.hexdigest()


def digest_there(buckets: Buckets, key: str) -> str:
    digest = hashlib.sha256()
    answer = buckets.client.get_object(Bucket=buckets.destination, Key=key)
    for chunk in answer["Body"].iter_chunks(MIB):
        digest.update(chunk)
    return digest.hexdigest()


def resumes(kit: Kit, buckets: Buckets, large: Large) -> None:
    """Deliver the event of a large object until it is moved, and check that parts are kept."""
    digest = put_large(buckets, "large", large.size)
    event = batch(message("1", notification(buckets.source, "large")))
    deliveries = 0
    with proxied(buckets.server) as proxy:

        def slow(request: Request) -> None:
            if request.operation == "UploadPartCopy":
                proxy.closing.wait(large.delay)

        proxy.passed = slow
        sizes = {
            "FROGMOVE_MULTIPART_THRESHOLD": str(large.part),
            "FROGMOVE_PART_SIZE": str(large.part),
        }
        with running(kit, through(proxy, buckets, **sizes), seconds=large.seconds) as runtime:
            done = False
            while not done:
                deliveries += 1
                assert deliveries < 12
                done = is_done(runtime.invoke(event))
                assert done or list(buckets.keys_here()) == ["large"]
        copied = [request.query["partNumber"] for request in proxy.of("UploadPartCopy")]
        begun = [each for each in proxy.of("CreateMultipartUpload") if each.key == "large"]
    parts = -(-large.size // large.part)
    assert deliveries > 1
    assert len(set(copied)) == parts
    # Only what was in flight when the time was up is copied again.
    assert len(copied) < parts + parts // 2
    assert len(begun) == 1
    assert list(buckets.keys_here()) == []
    assert digest_there(buckets, "large") == digest
    uploads = buckets.client.list_multipart_uploads(Bucket=buckets.destination)
    assert uploads.get("Uploads", []) == []


@pytest.mark.matrix
def test_large_object_is_resumed_by_part_over_deliveries(kit: Kit, buckets: Buckets) -> None:
    resumes(kit, buckets, Large(200 * MIB, 5 * MIB, delay=2.0, seconds=6))


@pytest.mark.long
def test_gigabytes_are_resumed_by_part_over_deliveries(kit: Kit) -> None:
    with servers.seaweedfs(volume_megabytes=1024) as server:
        large = Large(3 * 1024 * MIB, 64 * MIB, delay=2.0, seconds=9)
        resumes(kit, Buckets.make(server), large)


def test_process_that_is_new_goes_on_where_another_was_given_up(kit: Kit, buckets: Buckets) -> None:
    digest = put_large(buckets, "large", 48 * MIB)
    event = batch(message("1", notification(buckets.source, "large")))
    sizes = {"FROGMOVE_MULTIPART_THRESHOLD": "8MiB", "FROGMOVE_PART_SIZE": "8MiB"}
    with proxied(buckets.server) as proxy:
        proxy.schedule = lambda request: SILENCE if request.query.get("partNumber") == "6" else PASS
        with running(kit, through(proxy, buckets, **sizes), seconds=8) as runtime:
            assert not is_done(runtime.invoke(event))
        done = {
            part.query["partNumber"] for part in proxy.of("UploadPartCopy") if part.status == 200
        }
        assert done
        proxy.reset()
        with running(kit, through(proxy, buckets, **sizes)) as runtime:
            assert is_done(runtime.invoke(event))
        assert {part.query["partNumber"] for part in proxy.of("UploadPartCopy")} == {
            *"123456"
        } - done
    assert digest_there(buckets, "large") == digest


def test_completion_whose_response_is_lost_loses_nothing(kit: Kit, buckets: Buckets) -> None:
    """Where no checksum tells that the bytes are there already, they are copied once more."""
    digest = put_large(buckets, "large", 20 * MIB)
    event = batch(message("1", notification(buckets.source, "large")))
    sizes = {"FROGMOVE_MULTIPART_THRESHOLD": "5MiB", "FROGMOVE_PART_SIZE": "5MiB"}
    with proxied(buckets.server) as proxy:
        proxy.schedule = lambda request: (
            HEARD if request.operation == "CompleteMultipartUpload" else PASS
        )
        with running(kit, through(proxy, buckets, **sizes), seconds=8) as runtime:
            assert not is_done(runtime.invoke(event))
            assert buckets.keys_here() == ["large"]
        proxy.reset()
        with running(kit, through(proxy, buckets, **sizes)) as runtime:
            assert is_done(runtime.invoke(event))
    assert buckets.keys_here() == []
    assert digest_there(buckets, "large") == digest
    uploads = buckets.client.list_multipart_uploads(Bucket=buckets.destination)
    assert uploads.get("Uploads", []) == []
