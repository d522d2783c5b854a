"""One object in parts: never mixed, never without an abort, and resumed where it stopped."""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from frogmove.core.journal import NoJournal
from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Action, Outcome, Result, Verb
from frogmove.core.multipart import assembled_etag
from frogmove.core.options import (
    MIN_PART_SIZE,
    Multipart,
    OnConflict,
    TransferOptions,
)
from frogmove.core.transfer import run
from frogmove.errors import RunError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.models import Part
from tests.factories import ROUTE, RUN_SPEC, md5
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.request_hooks import ALWAYS, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from frogmove.core.journal import Journal
    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks

T = TypeVar("T")

PART = MIN_PART_SIZE
PARTS = Multipart(threshold=PART, part_size=PART, at_once=1)


def test_assembled_etag_is_made_of_the_etags_of_the_parts() -> None:
    parts = [Part(1, md5(b"a")), Part(2, md5(b"b"))]
    digests = bytes.fromhex(md5(b"a") + md5(b"b"))
    assert assembled_etag(parts) == f"{md5(digests)}-2"
    assert assembled_etag(parts[::-1]) != assembled_etag(parts)
    assert assembled_etag([Part(1, "not-hexadecimal")]) == ""


# Real objects, on the one server that honours every condition. ministack's
# CompleteMultipartUpload does not know full-object checksums (it answers BadDigest), and ignores
# conditions on what a copy overwrites; moto ignores those on the source.


@pytest.fixture
def journal(tmp_path: Path) -> JournalWriter:
    return JournalWriter(tmp_path / "1.jsonl", RUN_SPEC)


def put(seaweedfs_buckets: Buckets, size: int = PART + 1, **more: Any) -> bytes:
    """Write an object of which every byte counts."""
    body = os.urandom(size)
    seaweedfs_buckets.put("a", body=body, **more)
    return body


def move(
    seaweedfs_buckets: Buckets,
    hooks: RequestHooks,
    journal: Journal | None = None,
    stop: Event | None = None,
    verb: Verb = Verb.MOVE,
    **options: Any,
) -> Result:
    s3 = hooks.s3(seaweedfs_buckets.server)
    agreed = replace(TransferOptions(ALL_SUPPORTED, multipart=PARTS), **options)
    action = Action(verb, seaweedfs_buckets.seen("a"), "a")
    (result,) = run([action], s3, seaweedfs_buckets.route, agreed, stop or Event(), journal)
    s3.close()
    return result


def uploads(seaweedfs_buckets: Buckets) -> list[Any]:
    return list(
        seaweedfs_buckets.client.list_multipart_uploads(Bucket=seaweedfs_buckets.destination).get(
            "Uploads", []
        )
    )


@pytest.mark.parametrize("at_once", [1, 16])
def test_multipart_copy_arrives_whole(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, at_once: int
) -> None:
    body = put(seaweedfs_buckets, 2 * PART + 1)
    result = move(seaweedfs_buckets, hooks, multipart=Multipart(PART, PART, at_once))
    assert result.outcome is Outcome.MOVED
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": body})
    assert len(hooks.of("UploadPartCopy")) == 3
    assert hooks.of("CopyObject") == []


def test_multipart_copy_names_the_sources_etag_for_each_part_and_completes_under_a_condition(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    put(seaweedfs_buckets)
    etag = f'"{seaweedfs_buckets.seen("a").etag}"'
    move(seaweedfs_buckets, hooks)
    capabilities = [
        request.headers["x-amz-copy-source-if-match"] for request in hooks.of("UploadPartCopy")
    ]
    assert capabilities == [etag] * 2
    (complete,) = hooks.of("CompleteMultipartUpload")
    assert complete.headers["if-none-match"] == "*"
    assert complete.headers["x-amz-mp-object-size"] == str(PART + 1)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_multipart_copy_carries_the_checksum_of_the_whole_object(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, algorithm: str
) -> None:
    put(seaweedfs_buckets, ChecksumAlgorithm=algorithm)
    where = {"Bucket": seaweedfs_buckets.source, "Key": "a", "ChecksumMode": "ENABLED"}
    checksum = seaweedfs_buckets.client.head_object(**where)[f"Checksum{algorithm}"]
    result = move(seaweedfs_buckets, hooks, verify="strict")
    (create,) = hooks.of("CreateMultipartUpload")
    (complete,) = hooks.of("CompleteMultipartUpload")
    assert create.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert complete.headers[f"x-amz-checksum-{algorithm.lower()}"] == checksum
    assert (result.outcome, result.reason) == (Outcome.MOVED, "")
    there = seaweedfs_buckets.client.head_object(
        **where | {"Bucket": seaweedfs_buckets.destination}
    )
    assert there[f"Checksum{algorithm}"] == checksum


def test_multipart_copy_does_not_ask_for_a_checksum_that_parts_do_not_add_up_to(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    body = put(seaweedfs_buckets, ChecksumAlgorithm="SHA256")
    result = move(seaweedfs_buckets, hooks)
    (create,) = hooks.of("CreateMultipartUpload")
    assert "x-amz-checksum-type" not in create.headers
    assert result.outcome is Outcome.MOVED
    assert seaweedfs_buckets.there() == {"a": body}


def test_multipart_copy_carries_headers_tags_and_storage_class(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    headers: dict[str, Any] = {
        "ContentType": "text/csv",
        "CacheControl": "no-store",
        "ContentLanguage": "fr",
    }
    put(
        seaweedfs_buckets,
        Metadata={"o": "frog"},
        Tagging="t=pond",
        StorageClass="STANDARD_IA",
        **headers,
    )
    assert move(seaweedfs_buckets, hooks).outcome is Outcome.MOVED
    where = {"Bucket": seaweedfs_buckets.destination, "Key": "a"}
    there = seaweedfs_buckets.client.head_object(**where)
    assert {name: there[name] for name in headers} == headers
    assert (there["Metadata"], there["StorageClass"]) == ({"o": "frog"}, "STANDARD_IA")
    tags = seaweedfs_buckets.client.get_object_tagging(**where)["TagSet"]
    assert tags == [{"Key": "t", "Value": "pond"}]


# Somebody else is quicker.


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("at_once", [1, 16])
def test_multipart_copy_ends_if_the_source_changes_between_parts(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, part: int, at_once: int
) -> None:
    put(seaweedfs_buckets)
    newer = os.urandom(PART + 1)
    hooks.before("UploadPartCopy", lambda: seaweedfs_buckets.put("a", body=newer), skip=part - 1)
    result = move(seaweedfs_buckets, hooks, multipart=Multipart(PART, PART, at_once))
    assert result.outcome is Outcome.SUPERSEDED
    assert seaweedfs_buckets.here() == {"a": newer}
    assert uploads(seaweedfs_buckets) == []


@pytest.mark.parametrize("policy", list(OnConflict))
def test_multipart_copy_does_not_overwrite_unseen_what_is_written_meanwhile(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, policy: OnConflict
) -> None:
    body = put(seaweedfs_buckets)
    hooks.before(
        "CompleteMultipartUpload", lambda: seaweedfs_buckets.put_there("a", body=b"theirs")
    )
    result = move(seaweedfs_buckets, hooks, on_conflict=policy)
    outcome, there = {
        OnConflict.FAIL: (Outcome.CONFLICT, [b"theirs"]),
        OnConflict.SKIP: (Outcome.SKIPPED, [b"theirs"]),
        OnConflict.OVERWRITE: (Outcome.MOVED, [body]),
        OnConflict.KEEP_BOTH: (Outcome.MOVED, [b"theirs", body]),
    }[policy]
    assert result.outcome is outcome
    assert list(seaweedfs_buckets.there().values()) == there
    assert bool(seaweedfs_buckets.here()) is (outcome is not Outcome.MOVED)
    assert uploads(seaweedfs_buckets) == []


def test_multipart_copy_is_not_begun_where_something_is_in_the_way(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    put(seaweedfs_buckets)
    seaweedfs_buckets.put_there("a", body=b"theirs")
    assert move(seaweedfs_buckets, hooks).outcome is Outcome.CONFLICT
    assert hooks.of("CreateMultipartUpload", "UploadPartCopy") == []


# Failures.


@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
@pytest.mark.parametrize("reply", [refusal(403, "AccessDenied"), refusal(200, "AccessDenied")])
def test_multipart_copy_that_fails_is_aborted(
    seaweedfs_buckets: Buckets,
    hooks: RequestHooks,
    operation: str,
    reply: Any,
    journal: JournalWriter,
) -> None:
    body = put(seaweedfs_buckets)
    hooks.answer(operation, reply, times=ALWAYS)
    result = move(seaweedfs_buckets, hooks, journal, multipart=Multipart(PART, PART, 2))
    assert result.outcome is Outcome.FAILED
    assert "source is kept" in result.reason
    assert len(hooks.of("AbortMultipartUpload")) == 1
    assert uploads(seaweedfs_buckets) == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": body}, {})


def test_multipart_copy_is_aborted_with_no_part_in_flight(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    """A part that lands behind the abort is kept and billed."""
    put(seaweedfs_buckets, 3 * PART)
    hooks.answer("UploadPartCopy", refusal(403, "AccessDenied"))
    move(seaweedfs_buckets, hooks, multipart=Multipart(PART, PART, 4))
    assert hooks.operations().index("AbortMultipartUpload") == len(hooks.requests) - 1
    assert uploads(seaweedfs_buckets) == []


@pytest.mark.parametrize("since", [None, b"theirs"], ids=["as-it-was", "overwritten"])
def test_multipart_copy_whose_answer_was_lost_is_recognised(since: bytes | None) -> None:
    """In memory, as SeaweedFS completes again what was completed; S3 knows of no such upload."""
    state = FakeS3State({"external": {}, "internal": {}})
    state.put("external", "a", b"0123456789")

    def lose(operation: str, request: Callable[[], T]) -> T:
        answer = request()
        if operation != "CompleteMultipartUpload":
            return answer
        if since is not None:
            state.put("internal", "a", since)
        return request()

    s3 = FakeS3(state, lose)
    action = Action(Verb.MOVE, s3.head("external", "a").result().object, "a")
    options = TransferOptions(ALL_SUPPORTED, multipart=Multipart(threshold=5, part_size=4))
    (result,) = run([action], s3, ROUTE, options, Event())
    if since is None:
        assert result.outcome is Outcome.MOVED
        assert state.bodies("internal") == {"a": b"0123456789"}
    else:
        assert result.outcome is Outcome.FAILED
        assert state.bodies("external") == {"a": b"0123456789"}
    assert state.uploads == {}


def test_multipart_copy_whose_upload_somebody_aborted_is_no_success(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    body = put(seaweedfs_buckets)

    def abort() -> None:
        (upload,) = uploads(seaweedfs_buckets)
        seaweedfs_buckets.client.abort_multipart_upload(
            Bucket=seaweedfs_buckets.destination, Key="a", UploadId=upload["UploadId"]
        )
        seaweedfs_buckets.put_there("a", body=b"theirs")

    hooks.before("CompleteMultipartUpload", abort)
    result = move(seaweedfs_buckets, hooks)
    assert result.outcome in {Outcome.FAILED, Outcome.CONFLICT}
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": body}, {"a": b"theirs"})


def test_multipart_copy_that_the_journal_cannot_record_is_aborted(
    seaweedfs_buckets: Buckets,
    hooks: RequestHooks,
    journal: JournalWriter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = put(seaweedfs_buckets)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left"):
        move(seaweedfs_buckets, hooks, journal)
    assert hooks.of("UploadPartCopy") == []
    assert uploads(seaweedfs_buckets) == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": body}, {})


# Stopped, and resumed.


def test_multipart_copy_that_is_stopped_without_a_journal_is_aborted(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    body, stop = put(seaweedfs_buckets), Event()
    hooks.before("UploadPartCopy", stop.set)
    result = move(seaweedfs_buckets, hooks, NoJournal(), stop)
    assert result.outcome is Outcome.FAILED
    assert "interrupted after 1 of 2 parts; the upload was aborted" in result.reason
    assert uploads(seaweedfs_buckets) == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": body}, {})


def test_multipart_copy_with_a_journal_is_resumed_from_the_part_that_was_reached(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, journal: JournalWriter, tmp_path: Path
) -> None:
    body, stop = put(seaweedfs_buckets), Event()
    hooks.before("UploadPartCopy", stop.set)
    result = move(seaweedfs_buckets, hooks, journal, stop)
    assert "interrupted after 1 of 2 parts; the upload is kept" in result.reason
    journal.commit()
    left = JournalReader(journal.path).uploads()
    assert list(left.values()) == [upload["UploadId"] for upload in uploads(seaweedfs_buckets)]
    again = JournalWriter(tmp_path / "2.jsonl", RUN_SPEC, left)
    assert move(seaweedfs_buckets, hooks, again).outcome is Outcome.MOVED
    assert len(hooks.of("UploadPartCopy")) == 2
    assert len(hooks.of("CreateMultipartUpload")) == 1
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": body})


def test_multipart_copy_is_not_resumed_with_parts_of_other_bytes(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, journal: JournalWriter, tmp_path: Path
) -> None:
    put(seaweedfs_buckets)
    stop = Event()
    hooks.before("UploadPartCopy", stop.set)
    move(seaweedfs_buckets, hooks, journal, stop)
    journal.commit()
    newer = put(seaweedfs_buckets)
    again = JournalWriter(tmp_path / "2.jsonl", RUN_SPEC, JournalReader(journal.path).uploads())
    assert move(seaweedfs_buckets, hooks, again).outcome is Outcome.MOVED
    assert len(hooks.of("CreateMultipartUpload")) == 2
    assert seaweedfs_buckets.there() == {"a": newer}


def test_multipart_copy_whose_upload_is_gone_is_begun_anew(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, journal: JournalWriter, tmp_path: Path
) -> None:
    """As by a lifecycle rule that aborts incomplete uploads."""
    body, stop = put(seaweedfs_buckets), Event()
    hooks.before("UploadPartCopy", stop.set)
    move(seaweedfs_buckets, hooks, journal, stop)
    journal.commit()
    (upload,) = uploads(seaweedfs_buckets)
    seaweedfs_buckets.client.abort_multipart_upload(
        Bucket=seaweedfs_buckets.destination, Key="a", UploadId=upload["UploadId"]
    )
    again = JournalWriter(tmp_path / "2.jsonl", RUN_SPEC, JournalReader(journal.path).uploads())
    assert move(seaweedfs_buckets, hooks, again).outcome is Outcome.MOVED
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there(), uploads(seaweedfs_buckets)) == (
        {},
        {"a": body},
        [],
    )


def test_multipart_copy_keeps_its_source(seaweedfs_buckets: Buckets, hooks: RequestHooks) -> None:
    body = put(seaweedfs_buckets)
    assert move(seaweedfs_buckets, hooks, verb=Verb.COPY).outcome is Outcome.COPIED
    assert seaweedfs_buckets.here() == seaweedfs_buckets.there() == {"a": body}
