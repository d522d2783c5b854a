"""Annotations of an object: no copy in parts carries them by itself, and none is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.action import Action, Verb
from frogmove.core.journal_file import Header, JournalFile, JournalReader
from frogmove.core.result import Outcome, Result
from frogmove.core.terms import SMALLEST_PART, Multipart, OnConflict, Terms
from frogmove.core.transfer import run
from frogmove.s3.conditions import ALL
from tests.buckets import Buckets
from tests.wire import ALWAYS, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.core.journal import Journal
    from tests.servers import Server
    from tests.wire import Wire

PART = SMALLEST_PART
PARTS = Multipart(threshold=PART, part_size=PART, at_once=1)
NOTES = {"summary": b"a pond", "labels": "é🐸".encode(), "many.more": b"x" * 70_000}
HEADER = Header("run", "2026-11-23T07:30:12+00:00", "move", "s3://external/", "s3://internal/")
# This server refuses right CRCs of objects in parts.
NO_CRC = {"ChecksumAlgorithm": "SHA256"}
# What this server does not honour is looked at instead.
TERMS = Terms(replace(ALL, copy_destination=False, copy_replace=False), multipart=PARTS)


@pytest.fixture
def mini(ministack: Server) -> Buckets:
    """The one server that knows annotations."""
    return Buckets.make(ministack)


def put(mini: Buckets, size: int = PART + 1, notes: dict[str, bytes] = NOTES) -> bytes:
    body = os.urandom(size)
    mini.put("a", body=body, **NO_CRC)
    annotate(mini, mini.source, notes)
    return body


def annotate(mini: Buckets, bucket: str, notes: dict[str, bytes]) -> None:
    for name, payload in notes.items():
        mini.client.put_object_annotation(
            Bucket=bucket, Key="a", AnnotationName=name, AnnotationPayload=payload
        )


def notes(mini: Buckets, bucket: str) -> dict[str, bytes]:
    where = {"Bucket": bucket, "Key": "a"}
    names = [
        entry["AnnotationName"]
        for entry in mini.client.list_object_annotations(**where)["Annotations"]
    ]
    return {
        name: mini.client.get_object_annotation(**where, AnnotationName=name)[
            "AnnotationPayload"
        ].read()
        for name in names
    }


def move(
    buckets: Buckets,
    wire: Wire,
    journal: Journal | None = None,
    stop: Event | None = None,
    verb: Verb = Verb.MOVE,
    **terms: Any,
) -> Result:
    s3 = wire.s3(buckets.server)
    action = Action(verb, buckets.seen("a"), "a")
    agreed = replace(TERMS, **terms)
    (result,) = run([action], s3, buckets.route, agreed, stop or Event(), journal)
    s3.close()
    return result


@pytest.mark.parametrize("threshold", [PART, 2 * PART], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("verb", [Verb.MOVE, Verb.COPY])
def test_they_arrive_with_the_object(mini: Buckets, wire: Wire, threshold: int, verb: Verb) -> None:
    body = put(mini)
    result = move(mini, wire, verb=verb, multipart=replace(PARTS, threshold=threshold))
    assert result.outcome is (Outcome.MOVED if verb is Verb.MOVE else Outcome.COPIED)
    assert mini.there() == {"a": body}
    assert notes(mini, mini.destination) == NOTES


def test_none_are_looked_for_in_a_single_copy(mini: Buckets, wire: Wire) -> None:
    """S3 carries them there by itself, and a move of small objects costs no request more."""
    put(mini, 10)
    move(mini, wire)
    assert wire.of("ListObjectAnnotations") == []


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
def test_while_they_are_not_carried_the_source_is_kept(
    mini: Buckets, wire: Wire, operation: str, status: int, code: str
) -> None:
    body = put(mini)
    wire.answer(operation, refusal(status, code), times=ALWAYS)
    result = move(mini, wire)
    assert result.outcome is Outcome.FAILED
    assert operation in result.reason
    assert "source is kept" in result.reason
    assert mini.here() == {"a": body}
    assert notes(mini, mini.source) == NOTES


def test_what_a_run_lost_on_its_way_the_next_one_carries(mini: Buckets, wire: Wire) -> None:
    """The copy was complete when the run ended; only its annotations were missing."""
    body = put(mini)
    wire.answer("PutObjectAnnotation", refusal(403, "AccessDenied"), skip=1)
    assert move(mini, wire).outcome is Outcome.FAILED
    assert 0 < len(notes(mini, mini.destination)) < len(NOTES)
    result = move(mini, wire)
    assert result.outcome is Outcome.MOVED
    assert (mini.here(), mini.there()) == ({}, {"a": body})
    assert notes(mini, mini.destination) == NOTES


@pytest.mark.parametrize("size", [10, PART + 1], ids=["small", "large"])
def test_a_twin_without_them_gets_them(mini: Buckets, wire: Wire, size: int) -> None:
    """The same bytes at the destination are no copy while what belongs to them is missing."""
    body = put(mini, size)
    mini.put_there("a", body=body, **NO_CRC)
    assert move(mini, wire).outcome is Outcome.MOVED
    assert notes(mini, mini.destination) == NOTES


@pytest.mark.parametrize("size", [10, PART + 1], ids=["small", "large"])
def test_a_twin_with_others_is_a_conflict(mini: Buckets, wire: Wire, size: int) -> None:
    body = put(mini, size)
    mini.put_there("a", body=body, **NO_CRC)
    annotate(mini, mini.destination, {"summary": b"a lake"})
    result = move(mini, wire)
    assert result.outcome is Outcome.CONFLICT
    assert "annotations" in result.reason
    assert mini.here() == {"a": body}
    assert notes(mini, mini.destination)["summary"] == b"a lake"
    assert move(mini, wire, on_conflict=OnConflict.OVERWRITE).outcome is Outcome.MOVED
    assert notes(mini, mini.destination) == NOTES


def test_one_that_is_replaced_meanwhile_arrives_as_it_is_last(mini: Buckets, wire: Wire) -> None:
    put(mini)
    late = {"summary": b"an ocean", "later": b"1"}
    wire.before("PutObjectAnnotation", lambda: annotate(mini, mini.source, late), skip=2)
    result = move(mini, wire)
    assert result.outcome is Outcome.MOVED
    assert notes(mini, mini.destination) == NOTES | late


def test_a_copy_that_is_replaced_meanwhile_gets_none(mini: Buckets, wire: Wire) -> None:
    body = put(mini)
    wire.before("PutObjectAnnotation", lambda: mini.put_there("a", body=b"theirs"))
    result = move(mini, wire)
    assert result.outcome is Outcome.CONFLICT
    assert (mini.here(), mini.there()) == ({"a": body}, {"a": b"theirs"})
    assert notes(mini, mini.destination) == {}


def test_a_resumed_copy_carries_them(mini: Buckets, wire: Wire, tmp_path: Path) -> None:
    body = put(mini)
    stop = Event()
    wire.before("UploadPartCopy", stop.set)
    first = JournalFile(tmp_path / "1.jsonl", HEADER)
    assert move(mini, wire, first, stop).outcome is Outcome.FAILED
    first.commit()
    left = JournalReader(first.path).uploads()
    assert len(left) == 1
    assert move(mini, wire, JournalFile(tmp_path / "2.jsonl", HEADER, left)).outcome is (
        Outcome.MOVED
    )
    assert len(wire.of("UploadPartCopy")) == 2
    assert mini.there() == {"a": body}
    assert notes(mini, mini.destination) == NOTES


def test_those_of_a_named_version_are_carried(mini: Buckets, wire: Wire) -> None:
    mini.version()
    put(mini)
    named = mini.client.head_object(Bucket=mini.source, Key="a")["VersionId"]
    item = mini.seen("a")._replace(version_id=named)
    put(mini, notes={"summary": b"of the newer"})
    s3 = wire.s3(mini.server)
    (result,) = run([Action(Verb.MOVE, item, "a")], s3, mini.route, TERMS, Event())
    s3.close()
    assert result.outcome is Outcome.MOVED
    assert notes(mini, mini.destination) == NOTES
    assert notes(mini, mini.source) == {"summary": b"of the newer"}


@pytest.mark.parametrize("name", ["moto", "seaweedfs"])
def test_a_server_that_knows_none_is_no_failure(
    request: pytest.FixtureRequest, wire: Wire, name: str
) -> None:
    """To such a server the question looks like a read of the whole object."""
    buckets = Buckets.make(request.getfixturevalue(name))
    body = os.urandom(PART + 1)
    buckets.put("a", body=body)
    assert move(buckets, wire).outcome is Outcome.MOVED
    assert buckets.there() == {"a": body}
    assert len(wire.of("ListObjectAnnotations")) >= 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(501, "NotImplemented"), (405, "MethodNotAllowed"), (400, "InvalidArgument")],
)
def test_a_server_that_refuses_the_question_is_no_failure(
    mini: Buckets, wire: Wire, status: int, code: str
) -> None:
    body = put(mini, notes={})
    wire.answer("ListObjectAnnotations", refusal(status, code), times=ALWAYS)
    assert move(mini, wire).outcome is Outcome.MOVED
    assert mini.there() == {"a": body}
