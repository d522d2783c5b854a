"""An object that is too large for one invocation, over as many as it takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.terms import Multipart
from frogmove.core.upload_markers import FOLDER
from frogmove.errors import RunError
from frogmove.s3 import S3Error
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets
from tests.function.processes import CONTEXT, Meddler, process, stopping
from tests.model import World

if TYPE_CHECKING:
    from threading import Event

    from tests.function.conftest import Invoke
    from tests.servers import Server
    from tests.wire import Wire

OLD, NEW = b"0123456789abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ9876543210"
EVENT = batch(message("1", notification("external", "a")))
AGAIN = {"batchItemFailures": [{"itemIdentifier": "1"}]}
DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def world() -> World:
    world = World({"external": {}, "internal": {}})
    world.put("external", "a", OLD)
    return world


def invocation(world: World, gate: Any = None) -> dict[str, Any]:
    return process(world, gate or Meddler()).answer(EVENT, CONTEXT)


def interrupted(world: World, flags: list[Event], after: int = 3) -> Meddler:
    """Have one invocation copy so many parts."""
    gate = Meddler({after - 1: stopping(flags)}, only="UploadPartCopy")
    assert invocation(world, gate) == AGAIN
    return gate


def markers(world: World) -> list[str]:
    return [upload.key for upload in world.uploads.values() if upload.key.startswith(FOLDER)]


def test_it_goes_on_from_the_part_that_was_reached(world: World, flags: list[Event]) -> None:
    gates = [interrupted(world, flags) for _ in range(2)]
    assert world.bodies("external") == {"a": OLD}
    assert len(world.uploads) == 2
    last = Meddler()
    assert invocation(world, last) == DONE
    parts = [gate.operations.count("UploadPartCopy") for gate in [*gates, last]]
    assert parts == [3, 3, 3]
    assert (world.bodies("external"), world.bodies("internal")) == ({}, {"a": OLD})
    assert world.uploads == {}


def test_no_reader_and_no_listing_sees_what_is_remembered(world: World, flags: list[Event]) -> None:
    interrupted(world, flags)
    assert world.bodies("internal") == {}
    (marker,) = markers(world)
    assert marker.isascii()
    assert len(marker) < 400


def test_parts_of_what_was_replaced_are_thrown_away(world: World, flags: list[Event]) -> None:
    interrupted(world, flags)
    world.put("external", "a", NEW)
    last = Meddler()
    assert invocation(world, last) == DONE
    assert last.operations.count("UploadPartCopy") == 9
    assert (world.bodies("external"), world.bodies("internal")) == ({}, {"a": NEW})
    assert world.uploads == {}


def test_the_same_size_of_other_bytes_is_not_taken_for_it(world: World, flags: list[Event]) -> None:
    """Back and forth: the older content is again what the source holds."""
    interrupted(world, flags)
    world.put("external", "a", NEW)
    interrupted(world, flags)
    world.put("external", "a", OLD)
    assert invocation(world) == DONE
    assert world.bodies("internal") == {"a": OLD}
    assert world.uploads == {}


def test_without_its_marker_an_upload_is_not_trusted(world: World, flags: list[Event]) -> None:
    interrupted(world, flags)
    for upload_id in [each for each, upload in world.uploads.items() if upload.key != "a"]:
        del world.uploads[upload_id]
    last = Meddler()
    assert invocation(world, last) == DONE
    assert last.operations.count("UploadPartCopy") == 9
    assert world.bodies("internal") == {"a": OLD}
    assert [upload.key for upload in world.uploads.values()] == ["a"]


def test_a_marker_of_nothing_is_cleared_away(world: World, flags: list[Event]) -> None:
    """The lifecycle rule may come to the upload first."""
    interrupted(world, flags)
    for upload_id in [each for each, upload in world.uploads.items() if upload.key == "a"]:
        del world.uploads[upload_id]
    assert invocation(world) == DONE
    assert world.bodies("internal") == {"a": OLD}
    assert world.uploads == {}


def test_what_failed_for_the_moment_is_gone_on_with(world: World) -> None:
    def fail() -> None:
        raise S3Error("UploadPartCopy", "SlowDown", 503, "Please reduce your request rate")

    gate = Meddler({3: fail}, only="UploadPartCopy")
    assert invocation(world, gate) == AGAIN
    assert len(markers(world)) == 1
    last = Meddler()
    assert invocation(world, last) == DONE
    assert last.operations.count("UploadPartCopy") == 6
    assert (world.bodies("internal"), world.uploads) == ({"a": OLD}, {})


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidRequest"])
def test_what_failed_for_good_leaves_nothing(world: World, code: str) -> None:
    def fail() -> None:
        raise S3Error("UploadPartCopy", code, 403, "No")

    assert invocation(world, Meddler({3: fail}, only="UploadPartCopy")) == AGAIN
    assert (world.bodies("external"), world.uploads) == ({"a": OLD}, {})


@pytest.mark.parametrize("operation", ["ListMultipartUploads", "CreateMultipartUpload"])
def test_what_cannot_be_remembered_is_not_begun(world: World, operation: str) -> None:
    def fail() -> None:
        raise S3Error(operation, "AccessDenied", 403, "No")

    # The second upload that is created is the marker.
    which = 1 if operation == "CreateMultipartUpload" else 0
    gate = Meddler({which: fail}, only=operation)
    assert invocation(world, gate) == AGAIN
    assert "UploadPartCopy" not in gate.operations
    assert (world.bodies("external"), world.uploads) == ({"a": OLD}, {})


def test_a_part_size_that_was_set_anew_begins_anew(world: World, flags: list[Event]) -> None:
    interrupted(world, flags)
    wider = process(world, parts=Multipart(threshold=4, part_size=9))
    assert wider.answer(EVENT, CONTEXT) == DONE
    assert (world.bodies("internal"), world.uploads) == ({"a": OLD}, {})


# Two at once: the second runs from its start to its end before any one request of the first.

FIRST = 32


@pytest.mark.parametrize("second", ["whole", "interrupted", "after an overwrite"])
def test_two_deliveries_at_once_never_tear_or_lose_it(second: str, flags: list[Event]) -> None:
    torn = {OLD, NEW}
    for moment in range(FIRST):
        world = World({"external": {}, "internal": {}})
        world.put("external", "a", OLD)

        def meanwhile(world: World = world) -> None:
            deeds = {1: stopping(flags)} if second == "interrupted" else {}
            if second == "after an overwrite":
                world.put("external", "a", NEW)
            invocation(world, Meddler(deeds, only="UploadPartCopy"))
            assert set(world.bodies("internal").values()) <= torn

        gate = Meddler({moment: meanwhile})
        first = invocation(world, gate)
        # Whoever comes second finds the work done, not a failure.
        assert first == DONE or second != "whole"
        assert set(world.bodies("internal").values()) <= torn
        assert invocation(world) == DONE
        newest = NEW if second == "after an overwrite" and moment < gate.counted else OLD
        assert (world.bodies("external"), world.bodies("internal")) == ({}, {"a": newest})
    # Else there were moments that nothing was tried at.
    assert gate.counted < FIRST


def test_a_notification_by_itself_raises_until_it_is_whole(
    world: World, flags: list[Event]
) -> None:
    event = notification("external", "a")
    gate = Meddler({3: stopping(flags)}, only="UploadPartCopy")
    with pytest.raises(RunError, match="4 of 9 parts; its upload is kept"):
        process(world, gate).answer(event, CONTEXT)
    assert process(world).answer(event, CONTEXT) == {"counts": {"moved": 1}}
    assert (world.bodies("internal"), world.uploads) == ({"a": OLD}, {})


# And on a real server.


def test_it_goes_on_on_a_real_server(
    seaweedfs: Server, invoke: Invoke, wire: Wire, flags: list[Event]
) -> None:
    sea = Buckets.make(seaweedfs)
    body = os.urandom(3 * 5 * 2**20)
    sea.put("a b/é", body=body)
    event = batch(message("1", notification(sea.source, "a b/é")))
    sizes = {"FROGMOVE_MULTIPART_THRESHOLD": "5MiB", "FROGMOVE_PART_SIZE": "5MiB"}
    wire.before("UploadPartCopy", lambda: flags[-1].set())
    assert invoke(sea, event, FROGMOVE_CONCURRENCY="1", **sizes) == AGAIN
    assert len(sea.client.list_multipart_uploads(Bucket=sea.destination)["Uploads"]) == 2
    before = len(wire.of("UploadPartCopy"))
    assert invoke(sea, event, **sizes) == DONE
    copied = wire.of("UploadPartCopy")
    assert len(copied) == len({request.url for request in copied}) == 3
    assert 0 < before <= 3
    assert (sea.here(), sea.there()) == ({}, {"a b/é": body})
    assert "Uploads" not in sea.client.list_multipart_uploads(Bucket=sea.destination)
