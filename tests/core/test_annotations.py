"""Annotations of an object: S3 does not carry them with a copy in parts, and none is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Action, Outcome, Result, Verb
from frogmove.core.options import MIN_PART_SIZE, Multipart, OnConflict, TransferOptions
from frogmove.core.transfer import run
from frogmove.s3.capabilities import ALL_SUPPORTED
from tests.buckets import Buckets
from tests.factories import RUN_SPEC
from tests.request_hooks import ALWAYS, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.core.journal import Journal
    from tests.request_hooks import RequestHooks

PART = MIN_PART_SIZE
PARTS = Multipart(threshold=PART, part_size=PART, at_once=1)
NOTES = {"summary": b"a pond", "labels": "é🐸".encode(), "many.more": b"x" * 70_000}
# This server refuses right CRCs of objects in parts.
NO_CRC = {"ChecksumAlgorithm": "SHA256"}
# What this server does not honour is looked at instead.
TERMS = TransferOptions(
    replace(ALL_SUPPORTED, copy_destination=False, copy_replace=False), multipart=PARTS
)


def put(ministack_buckets: Buckets, size: int = PART + 1, notes: dict[str, bytes] = NOTES) -> bytes:
    body = os.urandom(size)
    ministack_buckets.put("a", body=body, **NO_CRC)
    annotate(ministack_buckets, ministack_buckets.source, notes)
    return body


def annotate(ministack_buckets: Buckets, bucket: str, notes: dict[str, bytes]) -> None:
    for name, payload in notes.items():
        ministack_buckets.client.put_object_annotation(
            Bucket=bucket, Key="a", AnnotationName=name, AnnotationPayload=payload
        )


def notes(ministack_buckets: Buckets, bucket: str) -> dict[str, bytes]:
    where = {"Bucket": bucket, "Key": "a"}
    names = [
        entry["AnnotationName"]
        for entry in ministack_buckets.client.list_object_annotations(**where)["Annotations"]
    ]
    return {
        name: ministack_buckets.client.get_object_annotation(**where, AnnotationName=name)[
            "AnnotationPayload"
        ].read()
        for name in names
    }


def move(
    buckets: Buckets,
    hooks: RequestHooks,
    journal: Journal | None = None,
    stop: Event | None = None,
    verb: Verb = Verb.MOVE,
    **options: Any,
) -> Result:
    s3 = hooks.s3(buckets.server)
    action = Action(verb, buckets.seen("a"), "a")
    agreed = replace(TERMS, **options)
    (result,) = run([action], s3, buckets.route, agreed, stop or Event(), journal)
    s3.close()
    return result


@pytest.mark.parametrize("threshold", [PART, 2 * PART], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("verb", [Verb.MOVE, Verb.COPY])
def test_annotations_arrive_with_the_object(
    ministack_buckets: Buckets, hooks: RequestHooks, threshold: int, verb: Verb
) -> None:
    body = put(ministack_buckets)
    result = move(
        ministack_buckets, hooks, verb=verb, multipart=replace(PARTS, threshold=threshold)
    )
    assert result.outcome is (Outcome.MOVED if verb is Verb.MOVE else Outcome.COPIED)
    assert ministack_buckets.there() == {"a": body}
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES


def test_annotations_are_not_listed_for_a_single_copy(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    """S3 carries them there, and a move of small objects needs no further request."""
    put(ministack_buckets, 10)
    move(ministack_buckets, hooks)
    assert hooks.of("ListObjectAnnotations") == []


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("ListObjectAnnotations", 403, "AccessDenied"),
        ("GetObjectAnnotation", 403, "AccessDenied"),
        ("PutObjectAnnotation", 403, "AccessDenied"),
        ("PutObjectAnnotation", 400, "AnnotationLimitExceeded"),
        ("PutObjectAnnotation", 503, "SlowDown"),
    ],
)
def test_annotations_that_are_not_carried_keep_the_source(
    ministack_buckets: Buckets, hooks: RequestHooks, operation: str, status: int, code: str
) -> None:
    body = put(ministack_buckets)
    hooks.answer(operation, refusal(status, code), times=ALWAYS)
    result = move(ministack_buckets, hooks)
    assert result.outcome is Outcome.FAILED
    assert operation in result.reason
    assert "source is kept" in result.reason
    assert ministack_buckets.here() == {"a": body}
    assert notes(ministack_buckets, ministack_buckets.source) == NOTES


def test_annotations_that_one_run_lost_are_carried_by_the_next(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    """The copy was complete when the run ended; only its annotations were missing."""
    body = put(ministack_buckets)
    hooks.answer("PutObjectAnnotation", refusal(403, "AccessDenied"), skip=1)
    assert move(ministack_buckets, hooks).outcome is Outcome.FAILED
    assert 0 < len(notes(ministack_buckets, ministack_buckets.destination)) < len(NOTES)
    result = move(ministack_buckets, hooks)
    assert result.outcome is Outcome.MOVED
    assert (ministack_buckets.here(), ministack_buckets.there()) == ({}, {"a": body})
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES


@pytest.mark.parametrize("size", [10, PART + 1], ids=["small", "large"])
def test_annotations_are_given_to_a_twin_without_them(
    ministack_buckets: Buckets, hooks: RequestHooks, size: int
) -> None:
    """The same bytes at the destination are no copy while what belongs to them is missing."""
    body = put(ministack_buckets, size)
    ministack_buckets.put_there("a", body=body, **NO_CRC)
    assert move(ministack_buckets, hooks).outcome is Outcome.MOVED
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES


@pytest.mark.parametrize("size", [10, PART + 1], ids=["small", "large"])
def test_annotations_of_a_twin_that_differ_are_a_conflict(
    ministack_buckets: Buckets, hooks: RequestHooks, size: int
) -> None:
    body = put(ministack_buckets, size)
    ministack_buckets.put_there("a", body=body, **NO_CRC)
    annotate(ministack_buckets, ministack_buckets.destination, {"summary": b"a lake"})
    result = move(ministack_buckets, hooks)
    assert result.outcome is Outcome.CONFLICT
    assert "annotations" in result.reason
    assert ministack_buckets.here() == {"a": body}
    assert notes(ministack_buckets, ministack_buckets.destination)["summary"] == b"a lake"
    assert move(ministack_buckets, hooks, on_conflict=OnConflict.OVERWRITE).outcome is Outcome.MOVED
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES


@pytest.mark.matrix
def test_annotations_replaced_meanwhile_arrive_in_their_last_state(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    put(ministack_buckets)
    late = {"summary": b"an ocean", "later": b"1"}
    hooks.before(
        "PutObjectAnnotation",
        lambda: annotate(ministack_buckets, ministack_buckets.source, late),
        skip=2,
    )
    result = move(ministack_buckets, hooks)
    assert result.outcome is Outcome.MOVED
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES | late


def test_annotations_are_not_given_to_a_copy_that_is_replaced_meanwhile(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    body = put(ministack_buckets)
    hooks.before("PutObjectAnnotation", lambda: ministack_buckets.put_there("a", body=b"theirs"))
    result = move(ministack_buckets, hooks)
    assert result.outcome is Outcome.CONFLICT
    assert (ministack_buckets.here(), ministack_buckets.there()) == ({"a": body}, {"a": b"theirs"})
    assert notes(ministack_buckets, ministack_buckets.destination) == {}


def test_annotations_are_carried_by_a_resumed_copy(
    ministack_buckets: Buckets, hooks: RequestHooks, tmp_path: Path
) -> None:
    body = put(ministack_buckets)
    stop = Event()
    hooks.before("UploadPartCopy", stop.set)
    first = JournalWriter(tmp_path / "1.jsonl", RUN_SPEC)
    assert move(ministack_buckets, hooks, first, stop).outcome is Outcome.FAILED
    first.commit()
    left = JournalReader(first.path).uploads()
    assert len(left) == 1
    assert move(
        ministack_buckets, hooks, JournalWriter(tmp_path / "2.jsonl", RUN_SPEC, left)
    ).outcome is (Outcome.MOVED)
    assert len(hooks.of("UploadPartCopy")) == 2
    assert ministack_buckets.there() == {"a": body}
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES


def test_annotations_of_a_named_version_are_carried(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.version()
    put(ministack_buckets)
    named = ministack_buckets.client.head_object(Bucket=ministack_buckets.source, Key="a")[
        "VersionId"
    ]
    item = ministack_buckets.seen("a")._replace(version_id=named)
    put(ministack_buckets, notes={"summary": b"of the newer"})
    s3 = hooks.s3(ministack_buckets.server)
    (result,) = run([Action(Verb.MOVE, item, "a")], s3, ministack_buckets.route, TERMS, Event())
    s3.close()
    assert result.outcome is Outcome.MOVED
    assert notes(ministack_buckets, ministack_buckets.destination) == NOTES
    assert notes(ministack_buckets, ministack_buckets.source) == {"summary": b"of the newer"}


@pytest.mark.parametrize("name", ["moto", "seaweedfs"])
def test_annotations_that_a_server_does_not_know_are_no_failure(
    request: pytest.FixtureRequest, hooks: RequestHooks, name: str
) -> None:
    """To such a server the question looks like a read of the whole object."""
    buckets = Buckets.make(request.getfixturevalue(name))
    body = os.urandom(PART + 1)
    buckets.put("a", body=body)
    assert move(buckets, hooks).outcome is Outcome.MOVED
    assert buckets.there() == {"a": body}
    assert len(hooks.of("ListObjectAnnotations")) >= 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(501, "NotImplemented"), (405, "MethodNotAllowed"), (400, "InvalidArgument")],
)
def test_annotations_that_a_server_refuses_to_list_are_no_failure(
    ministack_buckets: Buckets, hooks: RequestHooks, status: int, code: str
) -> None:
    body = put(ministack_buckets, notes={})
    hooks.answer("ListObjectAnnotations", refusal(status, code), times=ALWAYS)
    assert move(ministack_buckets, hooks).outcome is Outcome.MOVED
    assert ministack_buckets.there() == {"a": body}
