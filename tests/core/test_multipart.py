"""One object in parts: never torn, never left behind, and gone on with where it stopped."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from frogmove.core.action import Action, Verb
from frogmove.core.journal import NoJournal
from frogmove.core.journal_file import Header, JournalFile, JournalReader
from frogmove.core.multipart import assembled_etag
from frogmove.core.result import Outcome, Result
from frogmove.core.terms import MIB, MOST_PARTS, SMALLEST_PART, Multipart, OnConflict, Terms
from frogmove.core.transfer import run
from frogmove.errors import RunError
from frogmove.s3 import LARGEST_COPY, Part
from frogmove.s3.conditions import ALL
from tests.buckets import Buckets
from tests.model import ModelS3, World
from tests.objects import ROUTE, md5
from tests.wire import ALWAYS, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from frogmove.core.journal import Journal
    from tests.servers import Server
    from tests.wire import Wire

T = TypeVar("T")

GIB = 1024 * MIB
# The largest object there can be.
LARGEST = MOST_PARTS * 5 * GIB

PART = SMALLEST_PART
PARTS = Multipart(threshold=PART, part_size=PART, at_once=1)
HEADER = Header("run", "2026-11-23T07:30:12+00:00", "move", "s3://external/", "s3://internal/")


# The parts of a size.


@given(st.integers(1, LARGEST), st.sampled_from([SMALLEST_PART, 64 * MIB, 512 * MIB]))
@example(SMALLEST_PART * MOST_PARTS, SMALLEST_PART)
@example(SMALLEST_PART * MOST_PARTS + 1, SMALLEST_PART)
@example(SMALLEST_PART * MOST_PARTS - 1, SMALLEST_PART)
@example(LARGEST_COPY + 1, 512 * MIB)
@example(LARGEST, SMALLEST_PART)
@example(1, SMALLEST_PART)
def test_the_parts_cover_every_byte_once_within_s3s_limits(size: int, part_size: int) -> None:
    parts = Multipart(part_size=part_size).parts(size)
    assert [number for number, _, _ in parts] == list(range(1, len(parts) + 1))
    assert len(parts) <= MOST_PARTS
    assert (parts[0][1], parts[-1][2]) == (0, size - 1)
    assert all(before[2] + 1 == after[1] for before, after in pairwise(parts))
    lengths = [last - first + 1 for _, first, last in parts]
    assert all(length >= part_size for length in lengths[:-1])
    assert 0 < lengths[-1] <= lengths[0] <= 5 * GIB


@given(st.integers(1, LARGEST))
def test_a_size_always_has_the_same_parts(size: int) -> None:
    """Otherwise a resumed upload would be assembled of parts that do not fit."""
    assert Multipart().parts(size) == Multipart(at_once=3, threshold=9).parts(size)


def test_what_is_at_the_threshold_is_still_copied_at_once() -> None:
    assert Multipart().threshold == LARGEST_COPY
    assert Multipart().part_size >= SMALLEST_PART


def test_the_etag_of_parts_is_made_of_theirs() -> None:
    parts = [Part(1, md5(b"a")), Part(2, md5(b"b"))]
    digests = bytes.fromhex(md5(b"a") + md5(b"b"))
    assert assembled_etag(parts) == f"{md5(digests)}-2"
    assert assembled_etag(parts[::-1]) != assembled_etag(parts)
    assert assembled_etag([Part(1, "not-hexadecimal")]) == ""


# Real objects, on the one server that honours every condition. ministack's
# CompleteMultipartUpload does not know full-object checksums (it answers BadDigest), and ignores
# conditions on what a copy overwrites; moto ignores those on the source.


@pytest.fixture
def sea(seaweedfs: Server) -> Buckets:
    return Buckets.make(seaweedfs)


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    return JournalFile(tmp_path / "1.jsonl", HEADER)


def put(sea: Buckets, size: int = PART + 1, **more: Any) -> bytes:
    """Write an object of which every byte counts."""
    body = os.urandom(size)
    sea.put("a", body=body, **more)
    return body


def move(
    sea: Buckets,
    wire: Wire,
    journal: Journal | None = None,
    stop: Event | None = None,
    verb: Verb = Verb.MOVE,
    **terms: Any,
) -> Result:
    s3 = wire.s3(sea.server)
    agreed = replace(Terms(ALL, multipart=PARTS), **terms)
    action = Action(verb, sea.seen("a"), "a")
    (result,) = run([action], s3, sea.route, agreed, stop or Event(), journal)
    s3.close()
    return result


def uploads(sea: Buckets) -> list[Any]:
    return list(sea.client.list_multipart_uploads(Bucket=sea.destination).get("Uploads", []))


@pytest.mark.parametrize("at_once", [1, 16])
def test_a_large_object_arrives_whole(sea: Buckets, wire: Wire, at_once: int) -> None:
    body = put(sea, 2 * PART + 1)
    result = move(sea, wire, multipart=Multipart(PART, PART, at_once))
    assert result.outcome is Outcome.MOVED
    assert (sea.here(), sea.there()) == ({}, {"a": body})
    assert len(wire.of("UploadPartCopy")) == 3
    assert wire.of("CopyObject") == []


def test_each_part_is_copied_under_the_sources_etag_and_completed_under_a_condition(
    sea: Buckets, wire: Wire
) -> None:
    put(sea)
    etag = f'"{sea.seen("a").etag}"'
    move(sea, wire)
    conditions = [
        request.headers["x-amz-copy-source-if-match"] for request in wire.of("UploadPartCopy")
    ]
    assert conditions == [etag] * 2
    (complete,) = wire.of("CompleteMultipartUpload")
    assert complete.headers["if-none-match"] == "*"
    assert complete.headers["x-amz-mp-object-size"] == str(PART + 1)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_the_whole_objects_checksum_is_carried_and_held_to(
    sea: Buckets, wire: Wire, algorithm: str
) -> None:
    put(sea, ChecksumAlgorithm=algorithm)
    where = {"Bucket": sea.source, "Key": "a", "ChecksumMode": "ENABLED"}
    checksum = sea.client.head_object(**where)[f"Checksum{algorithm}"]
    result = move(sea, wire, verify="strict")
    (create,) = wire.of("CreateMultipartUpload")
    (complete,) = wire.of("CompleteMultipartUpload")
    assert create.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert complete.headers[f"x-amz-checksum-{algorithm.lower()}"] == checksum
    assert (result.outcome, result.reason) == (Outcome.MOVED, "")
    there = sea.client.head_object(**where | {"Bucket": sea.destination})
    assert there[f"Checksum{algorithm}"] == checksum


def test_a_checksum_that_parts_do_not_add_up_to_is_not_asked_for(sea: Buckets, wire: Wire) -> None:
    body = put(sea, ChecksumAlgorithm="SHA256")
    result = move(sea, wire)
    (create,) = wire.of("CreateMultipartUpload")
    assert "x-amz-checksum-type" not in create.headers
    assert result.outcome is Outcome.MOVED
    assert sea.there() == {"a": body}


def test_headers_tags_and_storage_class_are_carried_by_hand(sea: Buckets, wire: Wire) -> None:
    headers: dict[str, Any] = {
        "ContentType": "text/csv",
        "CacheControl": "no-store",
        "ContentLanguage": "fr",
    }
    put(sea, Metadata={"o": "frog"}, Tagging="t=pond", StorageClass="STANDARD_IA", **headers)
    assert move(sea, wire).outcome is Outcome.MOVED
    where = {"Bucket": sea.destination, "Key": "a"}
    there = sea.client.head_object(**where)
    assert {name: there[name] for name in headers} == headers
    assert (there["Metadata"], there["StorageClass"]) == ({"o": "frog"}, "STANDARD_IA")
    tags = sea.client.get_object_tagging(**where)["TagSet"]
    assert tags == [{"Key": "t", "Value": "pond"}]


# Somebody else is quicker.


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("at_once", [1, 16])
def test_a_source_that_changes_between_parts_ends_the_copy(
    sea: Buckets, wire: Wire, part: int, at_once: int
) -> None:
    put(sea)
    newer = os.urandom(PART + 1)
    wire.before("UploadPartCopy", lambda: sea.put("a", body=newer), skip=part - 1)
    result = move(sea, wire, multipart=Multipart(PART, PART, at_once))
    assert result.outcome is Outcome.SUPERSEDED
    assert sea.here() == {"a": newer}
    assert uploads(sea) == []


@pytest.mark.parametrize("policy", list(OnConflict))
def test_a_destination_that_is_written_to_meanwhile_is_not_overwritten_unseen(
    sea: Buckets, wire: Wire, policy: OnConflict
) -> None:
    body = put(sea)
    wire.before("CompleteMultipartUpload", lambda: sea.put_there("a", body=b"theirs"))
    result = move(sea, wire, on_conflict=policy)
    outcome, there = {
        OnConflict.FAIL: (Outcome.CONFLICT, [b"theirs"]),
        OnConflict.SKIP: (Outcome.SKIPPED, [b"theirs"]),
        OnConflict.OVERWRITE: (Outcome.MOVED, [body]),
        OnConflict.KEEP_BOTH: (Outcome.MOVED, [b"theirs", body]),
    }[policy]
    assert result.outcome is outcome
    assert list(sea.there().values()) == there
    assert bool(sea.here()) is (outcome is not Outcome.MOVED)
    assert uploads(sea) == []


def test_no_part_is_copied_towards_what_is_in_the_way_already(sea: Buckets, wire: Wire) -> None:
    put(sea)
    sea.put_there("a", body=b"theirs")
    assert move(sea, wire).outcome is Outcome.CONFLICT
    assert wire.of("CreateMultipartUpload", "UploadPartCopy") == []


# Failures.


@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
@pytest.mark.parametrize("reply", [refusal(403, "AccessDenied"), refusal(200, "AccessDenied")])
def test_what_fails_is_thrown_away(
    sea: Buckets, wire: Wire, operation: str, reply: Any, journal: JournalFile
) -> None:
    body = put(sea)
    wire.answer(operation, reply, times=ALWAYS)
    result = move(sea, wire, journal, multipart=Multipart(PART, PART, 2))
    assert result.outcome is Outcome.FAILED
    assert "source is kept" in result.reason
    assert len(wire.of("AbortMultipartUpload")) == 1
    assert uploads(sea) == []
    assert (sea.here(), sea.there()) == ({"a": body}, {})


def test_no_part_is_under_way_when_the_upload_is_thrown_away(sea: Buckets, wire: Wire) -> None:
    """A part that lands behind the abort is kept and billed."""
    put(sea, 3 * PART)
    wire.answer("UploadPartCopy", refusal(403, "AccessDenied"))
    move(sea, wire, multipart=Multipart(PART, PART, 4))
    assert wire.operations().index("AbortMultipartUpload") == len(wire.requests) - 1
    assert uploads(sea) == []


@pytest.mark.parametrize("since", [None, b"theirs"], ids=["as-it-was", "overwritten"])
def test_an_answer_that_was_lost_is_recognised(since: bytes | None) -> None:
    """In memory, as SeaweedFS completes again what was completed; S3 knows of no such upload."""
    world = World({"external": {}, "internal": {}})
    world.put("external", "a", b"0123456789")

    def lose(operation: str, request: Callable[[], T]) -> T:
        answer = request()
        if operation != "CompleteMultipartUpload":
            return answer
        if since is not None:
            world.put("internal", "a", since)
        return request()

    s3 = ModelS3(world, lose)
    action = Action(Verb.MOVE, s3.head("external", "a").result().object, "a")
    terms = Terms(ALL, multipart=Multipart(threshold=5, part_size=4))
    (result,) = run([action], s3, ROUTE, terms, Event())
    if since is None:
        assert result.outcome is Outcome.MOVED
        assert world.bodies("internal") == {"a": b"0123456789"}
    else:
        assert result.outcome is Outcome.FAILED
        assert world.bodies("external") == {"a": b"0123456789"}
    assert world.uploads == {}


def test_an_upload_that_somebody_threw_away_is_no_success(sea: Buckets, wire: Wire) -> None:
    body = put(sea)

    def abort() -> None:
        (upload,) = uploads(sea)
        sea.client.abort_multipart_upload(
            Bucket=sea.destination, Key="a", UploadId=upload["UploadId"]
        )
        sea.put_there("a", body=b"theirs")

    wire.before("CompleteMultipartUpload", abort)
    result = move(sea, wire)
    assert result.outcome in {Outcome.FAILED, Outcome.CONFLICT}
    assert (sea.here(), sea.there()) == ({"a": body}, {"a": b"theirs"})


def test_an_upload_that_cannot_be_noted_is_thrown_away(
    sea: Buckets, wire: Wire, journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = put(sea)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left"):
        move(sea, wire, journal)
    assert wire.of("UploadPartCopy") == []
    assert uploads(sea) == []
    assert (sea.here(), sea.there()) == ({"a": body}, {})


# Stopped, and gone on with.


def test_without_a_journal_what_is_stopped_is_thrown_away(sea: Buckets, wire: Wire) -> None:
    body, stop = put(sea), Event()
    wire.before("UploadPartCopy", stop.set)
    result = move(sea, wire, NoJournal(), stop)
    assert result.outcome is Outcome.FAILED
    assert "interrupted after 1 of 2 parts; its upload was aborted" in result.reason
    assert uploads(sea) == []
    assert (sea.here(), sea.there()) == ({"a": body}, {})


def test_with_a_journal_it_is_gone_on_with_from_the_part_that_was_reached(
    sea: Buckets, wire: Wire, journal: JournalFile, tmp_path: Path
) -> None:
    body, stop = put(sea), Event()
    wire.before("UploadPartCopy", stop.set)
    result = move(sea, wire, journal, stop)
    assert "interrupted after 1 of 2 parts; its upload is kept" in result.reason
    journal.commit()
    left = JournalReader(journal.path).uploads()
    assert list(left.values()) == [upload["UploadId"] for upload in uploads(sea)]
    again = JournalFile(tmp_path / "2.jsonl", HEADER, left)
    assert move(sea, wire, again).outcome is Outcome.MOVED
    assert len(wire.of("UploadPartCopy")) == 2
    assert len(wire.of("CreateMultipartUpload")) == 1
    assert (sea.here(), sea.there()) == ({}, {"a": body})


def test_parts_of_other_bytes_are_not_gone_on_with(
    sea: Buckets, wire: Wire, journal: JournalFile, tmp_path: Path
) -> None:
    put(sea)
    stop = Event()
    wire.before("UploadPartCopy", stop.set)
    move(sea, wire, journal, stop)
    journal.commit()
    newer = put(sea)
    again = JournalFile(tmp_path / "2.jsonl", HEADER, JournalReader(journal.path).uploads())
    assert move(sea, wire, again).outcome is Outcome.MOVED
    assert len(wire.of("CreateMultipartUpload")) == 2
    assert sea.there() == {"a": newer}


def test_an_upload_that_is_gone_is_begun_anew(
    sea: Buckets, wire: Wire, journal: JournalFile, tmp_path: Path
) -> None:
    """As by a lifecycle rule that aborts incomplete uploads."""
    body, stop = put(sea), Event()
    wire.before("UploadPartCopy", stop.set)
    move(sea, wire, journal, stop)
    journal.commit()
    (upload,) = uploads(sea)
    sea.client.abort_multipart_upload(Bucket=sea.destination, Key="a", UploadId=upload["UploadId"])
    again = JournalFile(tmp_path / "2.jsonl", HEADER, JournalReader(journal.path).uploads())
    assert move(sea, wire, again).outcome is Outcome.MOVED
    assert (sea.here(), sea.there(), uploads(sea)) == ({}, {"a": body}, [])


def test_a_large_copy_keeps_its_source(sea: Buckets, wire: Wire) -> None:
    body = put(sea)
    assert move(sea, wire, verb=Verb.COPY).outcome is Outcome.COPIED
    assert sea.here() == sea.there() == {"a": body}
