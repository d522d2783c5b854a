"""Undo a run: what comes back, what stays, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove.s3.boto import BotoS3
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, last_id
from tests.fault_fixture import ENGINES
from tests.request_hooks import refusal

if TYPE_CHECKING:
    from tests.request_hooks import RequestHooks

SERVER = "ministack"


def test_undo_brings_everything_back(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    keys = ["a", "b//c", "/d", "e\n", "é 🐸"]
    buckets.put(*keys)
    before = buckets.here()
    frogmove("move", "--all")
    moved = last_id()
    dry = frogmove("undo", moved, "-n", "-o", "json")
    assert sorted(record["key"] for record in dry.of("action")) == sorted(keys)
    assert buckets.here() == {}
    undone = frogmove("undo", moved, "-o", "json")
    assert (undone.code, set(undone.outcomes.values())) == (0, {"moved"})
    assert "Lambda" in undone.err
    assert "already" not in undone.err
    undo_id = last_id()
    again = frogmove("undo", moved, "-o", "json")
    assert (again.code, set(again.outcomes.values())) == (0, {"gone"})
    assert f"{moved} was already undone by {undo_id}." in again.err
    assert (buckets.here(), buckets.there()) == (before, {})
    frogmove("undo", undo_id)
    assert (buckets.here(), buckets.there()) == ({}, before)


def test_undo_does_not_use_the_destinations_kms_key_at_the_source(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    assert frogmove("move", "a", "--kms-key-id", "alias/frog").code == 0
    assert frogmove("undo", last_id(), FROGMOVE_KMS_KEY_ID="alias/frog").code == 0
    assert "SSEKMSKeyId" not in buckets.client.head_object(Bucket=buckets.source, Key="a")
    assert frogmove("undo", last_id(), "--kms-key-id", "alias/toad").code == 0
    head = buckets.client.head_object(Bucket=buckets.destination, Key="a")
    assert head["SSEKMSKeyId"] == "alias/toad"


def test_undo_keeps_to_the_journals_route(buckets: Buckets) -> None:
    buckets.put("in/a", "a")
    FrogmoveRunner(buckets, ("in", "out"))("move", "--all")
    other = Buckets.make(buckets.server)
    assert FrogmoveRunner(other)("undo", last_id()).code == 0
    assert buckets.here() == {"in/a": b"in/a", "a": b"a"}
    assert (buckets.there(), other.here(), other.there()) == ({}, {}, {})


def test_undo_leaves_no_trace_of_its_asking_at_the_original_source(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a", "b")
    # The copies of a sync and their sources may be of the same second.
    frogmove("sync")
    frogmove("undo", last_id())
    buckets.put("c")
    frogmove("move", "c")
    frogmove("undo", last_id())
    at_source = {row[2] for row in buckets.state() if row[0] == buckets.source}
    assert at_source == {"a", "b", "c"}
    assert (sorted(buckets.here()), buckets.there()) == (["a", "b", "c"], {})


@pytest.mark.usefixtures("probing")
def test_undo_never_writes_a_throw_away_key_to_the_original_source(
    buckets: Buckets, frogmove: FrogmoveRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the requests themselves, as what was written and deleted again leaves no trace."""
    buckets.put("a", "b")
    frogmove("sync")
    written: list[tuple[str, str]] = []
    put, copy = BotoS3.put, BotoS3.copy

    def watched_put(self: BotoS3, bucket: str, key: str, body: bytes) -> Any:
        written.append((bucket, key))
        return put(self, bucket, key, body)

    def watched_copy(self: BotoS3, asked: Any) -> Any:
        written.append((asked.to_bucket, asked.to_key))
        return copy(self, asked)

    monkeypatch.setattr(BotoS3, "put", watched_put)
    monkeypatch.setattr(BotoS3, "copy", watched_copy)
    assert frogmove("undo", last_id()).code == 0
    assert {bucket for bucket, key in written if "probe" in key} == {buckets.destination}
    assert buckets.there() == {}
    assert buckets.here() == {"a": b"a", "b": b"b"}


@pytest.mark.parametrize("server", ["ministack", "seaweedfs"], indirect=True)
def test_undo_leaves_alone_what_changed_since(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("changed", "uploaded", "same")
    frogmove("move", "--all")
    buckets.put_there("changed", body=b"since")
    buckets.put("uploaded", body=b"since")
    ran = frogmove("undo", last_id(), "-o", "json")
    assert ran.code == 1
    assert ran.outcomes == {"changed": "superseded", "uploaded": "conflict", "same": "moved"}
    assert "changed after the run: 1 object." in ran.err
    assert buckets.here() == {"uploaded": b"since", "same": b"same"}
    assert buckets.there() == {"changed": b"since", "uploaded": b"uploaded"}


OVERWRITE = ("--on-conflict", "overwrite")
ALL = ["ministack", "seaweedfs"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", [("move", "--all", *OVERWRITE), ("sync", *OVERWRITE)])
@pytest.mark.parametrize("server", ALL, indirect=True)
def test_undo_restores_what_was_replaced_where_versions_are_kept(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    command: tuple[str, ...],
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FROGMOVE_ENGINE", engine)
    buckets.version()
    buckets.put("new", "other", "longer", "same")
    buckets.put_there("same", Metadata={"owner": "they"})
    buckets.put_there("other", body=b"older")
    buckets.put_there("other", body=b"their")
    buckets.put_there("longer", body=b"their longer one", Metadata={"owner": "they"})
    before = buckets.here(), buckets.there()
    assert frogmove(*command).code == 0
    assert buckets.there() == before[0]
    ran = last_id()
    dry = frogmove("undo", ran, "-n", "-o", "json")
    assert {record["action"] for record in dry.of("action")} <= {"move", "restore"}
    assert dry.summary["objects"] == len(dry.of("action"))
    undone = frogmove("undo", ran, "-o", "json")
    assert (undone.code, set(undone.outcomes.values())) == (0, {"moved"}), undone
    assert (buckets.here(), buckets.there()) == before
    for key in ("longer", "same"):
        head = buckets.client.head_object(Bucket=buckets.destination, Key=key)
        assert head["Metadata"] == {"owner": "they"}
    again = frogmove("undo", ran, "-o", "json")
    assert (again.code, set(again.outcomes.values())) == (0, {"gone"}), again
    assert (buckets.here(), buckets.there()) == before


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("server", ALL, indirect=True)
def test_undo_leaves_what_the_destination_held_before(
    buckets: Buckets, frogmove: FrogmoveRunner, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROGMOVE_ENGINE", engine)
    buckets.put("new", "twin")
    buckets.put_there("twin")
    assert frogmove("move", "--all").code == 0
    undone = frogmove("undo", last_id(), "-o", "json")
    assert (undone.code, undone.outcomes) == (0, {"new": "moved", "twin": "copied"})
    assert buckets.here() == {"new": b"new", "twin": b"twin"}
    assert buckets.there() == {"twin": b"twin"}


def test_undo_reports_what_was_replaced_where_no_versions_are_kept(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("other")
    buckets.put_there("other", body=b"theirs")
    assert frogmove("move", "--all", *OVERWRITE).code == 0
    ran = frogmove("undo", last_id(), "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"other": "failed"})
    (result,) = ran.of("result")
    assert "cannot be restored, because the bucket keeps no version of it" in result["reason"]
    assert (buckets.here(), buckets.there()) == ({"other": b"other"}, {"other": b"other"})


def test_undo_of_a_sync_reports_what_was_replaced(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("new", "other")
    buckets.put_there("other", body=b"theirs")
    frogmove("sync")
    ran = frogmove("undo", last_id(), "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"new": "moved", "other": "failed"})
    assert buckets.here() == {"new": b"new", "other": b"other"}
    assert buckets.there() == {"other": b"other"}


@pytest.mark.usefixtures("whole_batches")
def test_undo_that_is_interrupted_is_run_again(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a", "b", "c")
    frogmove("move", "--all")
    moved = last_id()
    hooks.answer("DeleteObjects", refusal(403, "AccessDenied"))
    assert frogmove("undo", moved).code == 1
    assert sorted(buckets.here()) == sorted(buckets.there()) == ["a", "b", "c"]
    again = frogmove("undo", moved, "-o", "json")
    assert (again.code, again.outcomes) == (0, dict.fromkeys("abc", "moved"))
    assert (sorted(buckets.here()), buckets.there()) == (["a", "b", "c"], {})


def test_dry_run_of_an_undo_says_that_only_the_copies_would_be_deleted(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    assert frogmove("copy", "a").code == 0
    dry = frogmove("undo", "last", "-n")
    assert "already holds the same bytes: only the source would be deleted" in dry.out
    assert buckets.there() == {"a": b"a"}
