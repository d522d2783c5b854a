"""What proves a copy in parts: the ETag, where the copy has the parts of its source.

On moto, which knows the parts of an object and makes ETags of MD5s, as S3 does. It ignores the
conditions on the source, so that a test can mix two contents. SeaweedFS copies a part in chunks, of
which it makes the part's ETag.
"""

from __future__ import annotations

import os
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.models import Action, Outcome, Result, Verb
from frogmove.core.options import MIN_PART_SIZE, Multipart, TransferOptions
from frogmove.core.transfer import run
from frogmove.core.verify import part_count, same_parts
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.models import Copied
from tests.buckets import Buckets
from tests.factories import md5
from tests.request_hooks import ALWAYS, refusal

if TYPE_CHECKING:
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

PART = MIN_PART_SIZE
READ = 1 << 30
PART_1 = "partNumber=1"


@pytest.fixture
def buckets(moto: Server) -> Buckets:
    return Buckets.make(moto)


def put_in_parts(buckets: Buckets, *sizes: int, body: bytes = b"") -> bytes:
    """Write an object in parts of these sizes, of which every byte counts."""
    body = body or os.urandom(sum(sizes))
    where = {"Bucket": buckets.source, "Key": "a"}
    upload = buckets.client.create_multipart_upload(**where)["UploadId"]
    parts, start = [], 0
    for number, size in enumerate(sizes, start=1):
        content = body[start : start + size]
        sent = buckets.client.upload_part(**where, UploadId=upload, PartNumber=number, Body=content)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        start += size
    buckets.client.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    return body


def move(
    buckets: Buckets,
    hooks: RequestHooks,
    max_compare_size: int = 0,
    part_size: int = Multipart().part_size,
    threshold: int = PART,
) -> Result:
    """Move the object in parts, one after the other."""
    s3 = hooks.s3(buckets.server)
    options = TransferOptions(
        ALL_SUPPORTED,
        multipart=Multipart(threshold, part_size, at_once=1),
        max_compare_size=max_compare_size,
    )
    action = Action(Verb.MOVE, buckets.seen("a"), "a")
    (result,) = run([action], s3, buckets.route, options, Event())
    s3.close()
    return result


@pytest.mark.parametrize("sizes", [(PART, PART, 9), (PART + 1,)], ids=["several", "one"])
def test_copy_in_the_parts_of_its_source_is_proved_by_its_etag(
    buckets: Buckets, hooks: RequestHooks, sizes: tuple[int, ...]
) -> None:
    body = put_in_parts(buckets, *sizes)
    etag = buckets.seen("a").etag
    result = move(buckets, hooks)
    assert (result.outcome, result.reason) == (Outcome.MOVED, "")
    assert (buckets.here(), buckets.there()) == ({}, {"a": body})
    there = buckets.client.head_object(Bucket=buckets.destination, Key="a")
    assert there["ETag"] == f'"{etag}"'
    assert len(hooks.of("UploadPartCopy")) == len(sizes)
    assert hooks.of("GetObject") == []


@pytest.mark.parametrize(
    ("name", "threshold"),
    [("moto", 4 * PART), ("seaweedfs", 4 * PART), ("seaweedfs", PART)],
    ids=["moto", "seaweedfs", "seaweedfs in parts"],
)
def test_copy_of_parts_whose_etag_proves_nothing_is_read_and_its_source_is_not(
    request: pytest.FixtureRequest, hooks: RequestHooks, name: str, threshold: int
) -> None:
    """SeaweedFS makes a part's ETag of chunks; moto makes one of the whole copy, as S3 does."""
    buckets = Buckets.make(request.getfixturevalue(name))
    body = put_in_parts(buckets, PART, PART, 9)
    result = move(buckets, hooks, READ, threshold=threshold)
    assert (result.outcome, result.reason) == (Outcome.MOVED, "")
    assert (buckets.here(), buckets.there()) == ({}, {"a": body})
    reads = hooks.of("GetObject")
    assert len(reads) == 3
    assert all(f"/{buckets.destination}/" in read.url for read in reads)


OTHER_SIZES = {
    "of several sizes": (PART, PART + 1, 9),
    "larger than the run's": (PART + 1, 1),
}


@pytest.mark.parametrize("sizes", OTHER_SIZES.values(), ids=OTHER_SIZES)
@pytest.mark.parametrize("most", [READ, 0], ids=["read", "unread"])
def test_copy_in_other_parts_than_its_source_is_compared_by_its_bytes(
    buckets: Buckets, hooks: RequestHooks, sizes: tuple[int, ...], most: int
) -> None:
    body = put_in_parts(buckets, *sizes)
    result = move(buckets, hooks, most, PART)
    assert result.outcome is (Outcome.MOVED if most else Outcome.CONFLICT)
    assert buckets.here() == ({} if most else {"a": body})
    assert buckets.there() == {"a": body}
    assert bool(hooks.of("GetObject")) is bool(most)


@pytest.mark.parametrize("most", [READ, 0], ids=["read", "unread"])
def test_copy_with_a_part_of_other_bytes_is_never_proved(
    buckets: Buckets, hooks: RequestHooks, most: int
) -> None:
    body = put_in_parts(buckets, PART, PART)
    etag = buckets.seen("a").etag
    hooks.before("UploadPartCopy", lambda: buckets.put("a", body=body[::-1]), skip=1)
    # When it is looked at again, it is what it was.
    hooks.before("HeadObject", lambda: put_in_parts(buckets, PART, PART, body=body), skip=3)
    result = move(buckets, hooks, most)
    assert len(hooks.of("UploadPartCopy")) == 2
    assert result.outcome is (Outcome.FAILED if most else Outcome.CONFLICT)
    assert "source kept" in result.reason
    assert buckets.here() == {"a": body}
    assert buckets.seen("a").etag == etag
    assert buckets.there() == {"a": body[:PART] + body[::-1][PART:]}


def test_server_that_does_not_tell_a_parts_size_gets_the_parts_of_the_run(
    buckets: Buckets, hooks: RequestHooks
) -> None:
    body = put_in_parts(buckets, PART, 9)
    hooks.answer("HeadObject", refusal(501, "NotImplemented"), times=ALWAYS, match=PART_1)
    assert move(buckets, hooks, READ).outcome is Outcome.MOVED
    assert len(hooks.of("UploadPartCopy")) == 1
    assert (buckets.here(), buckets.there()) == ({}, {"a": body})


def test_parts_size_that_cannot_be_read_for_now_ends_the_copy(
    buckets: Buckets, hooks: RequestHooks
) -> None:
    """Otherwise a resumed copy would have other parts."""
    put_in_parts(buckets, PART, 9)
    hooks.answer("HeadObject", refusal(503, "SlowDown"), match=PART_1)
    result = move(buckets, hooks)
    assert (result.outcome, result.retrying_helps) == (Outcome.FAILED, True)
    assert hooks.of("CreateMultipartUpload") == []


@pytest.mark.parametrize("more", [{}, {"ChecksumAlgorithm": "CRC32"}], ids=["MD5", "checksum"])
def test_source_whose_parts_prove_nothing_is_not_asked_for_their_size(
    buckets: Buckets, hooks: RequestHooks, more: dict[str, Any]
) -> None:
    buckets.put("a", body=os.urandom(PART + 9), **more)
    assert move(buckets, hooks, READ).outcome is Outcome.MOVED
    assert [request.url for request in hooks.requests if "partNumber" in request.url] == [
        request.url for request in hooks.of("UploadPartCopy")
    ]


ONE, OTHER = f"{md5(b'1')}-2", f"{md5(b'2')}-2"


@pytest.mark.parametrize(
    ("source", "copied"),
    [
        (ONE, Copied(OTHER, parts_etag=OTHER)),
        (ONE, Copied(ONE, parts_etag=OTHER)),
        (ONE, Copied(OTHER, parts_etag=ONE)),
        (ONE, Copied(ONE)),
        ("odd-2", Copied("odd-2", parts_etag="odd-2")),
        ("", Copied("", parts_etag="")),
        (ONE[:-2], Copied(ONE[:-2], parts_etag=ONE[:-2])),
    ],
)
def test_etags_that_are_not_all_equal_and_of_parts_prove_nothing(
    source: str, copied: Copied
) -> None:
    assert not same_parts(source, copied)
    assert same_parts(ONE, Copied(ONE.upper(), parts_etag=ONE))


@pytest.mark.parametrize("etag", [md5(b""), f"{md5(b'')}-0", f"{md5(b'')}-100000", "a-1", "-1", ""])
def test_etag_of_a_whole_object_has_no_number_of_parts(etag: str) -> None:
    assert part_count(etag) is None
    assert part_count(f'"{md5(b"")}-10000"') == 10_000
