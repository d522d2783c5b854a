"""A run that was interrupted or failed is finished by `frogmove resume`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.options import Multipart
from frogmove.run_store import journals
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, last_id, run
from tests.request_hooks import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.request_hooks import RequestHooks

SERVER = "ministack"

MIB = 1024 * 1024


def test_move_that_was_interrupted_is_finished_by_resume(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, interrupt: Callable[[], None]
) -> None:
    keys = [f"{number:02}" for number in range(12)]
    seaweedfs_buckets.put(*keys)
    hooks.before("CopyObject", interrupt, skip=3)
    frogmove = FrogmoveRunner(seaweedfs_buckets)
    interrupted = frogmove("move", "--all", "--concurrency", "1", "-o", "json")
    assert interrupted.code == 130
    assert f"frogmove resume {last_id()}" in interrupted.err
    assert interrupted.summary["interrupted"] is True
    assert set(interrupted.outcomes.values()) == {"moved"}
    assert 0 < len(seaweedfs_buckets.there()) < len(keys)
    first = last_id()
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, set(resumed.outcomes.values())) == (0, {"moved"})
    assert (seaweedfs_buckets.here(), sorted(seaweedfs_buckets.there())) == ({}, keys)
    (again,) = [record for record in run("runs", "-o", "json").records if record["continues"]]
    assert (again["continues"], again["command"]) == (first, "move")


def test_resume_of_keys_that_are_moved_already_is_no_error(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a", "b", "c", "not named")
    hooks.answer("CopyObject", refusal(403, "AccessDenied"), match=f"{buckets.destination}/b")
    assert frogmove("move", "a", "b", "c").code == 1
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, resumed.outcomes) == (0, {"b": "moved"})
    assert buckets.here() == {"not named": b"not named"}


@pytest.mark.usefixtures("whole_batches")
def test_resume_keeps_to_the_journals_route_and_policy(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("in/a", "in/b", "a")
    buckets.put_there("out/a", "out/b", body=b"theirs")
    denied = refusal(403, "AccessDenied")
    hooks.answer("DeleteObjects", denied)
    first = FrogmoveRunner(buckets, ("in", "out"))
    assert first("move", "--all", "--on-conflict", "keep-both").code == 1
    other = Buckets.make(buckets.server)
    other.put("a", "in/a")
    before = other.state()
    resumed = FrogmoveRunner(other)("resume", "-o", "json")
    assert (resumed.code, resumed.outcomes) == (0, {"in/a": "moved", "in/b": "moved"})
    assert other.state() == before
    assert buckets.here() == {"a": b"a"}
    assert sorted(buckets.there().values()) == [b"in/a", b"in/b", b"theirs", b"theirs"]


def test_resume_goes_to_the_server_of_the_run(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a")
    hooks.answer("DeleteObject", refusal(403, "AccessDenied"))
    frogmove("move", "a")
    resumed = frogmove("resume", "-o", "json", FROGMOVE_ENDPOINT_URL="http://127.0.0.1:9")
    assert (resumed.code, resumed.outcomes) == (0, {"a": "moved"})


def test_sync_that_was_interrupted_is_finished_by_resume(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, interrupt: Callable[[], None]
) -> None:
    keys = [f"{number:02}" for number in range(12)]
    buckets.put(*keys)
    hooks.before("CopyObject", interrupt, skip=3)
    assert frogmove("sync", "--concurrency", "1").code == 130
    resumed = frogmove("resume", "-o", "json")
    assert resumed.code == 0
    assert set(resumed.outcomes.values()) == {"copied", "skipped"}
    assert buckets.here() == buckets.there() == {key: key.encode() for key in keys}


def test_resume_finishes_a_version_as_that_version(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.version()
    buckets.put("a", body=b"old")
    old = buckets.client.head_object(Bucket=buckets.source, Key="a")["VersionId"]
    buckets.put("a", body=b"current")
    hooks.answer("DeleteObject", refusal(403, "AccessDenied"))
    assert frogmove("move", "a", "--version-id", old).code == 1
    assert frogmove("resume").code == 0
    assert (buckets.here(), buckets.there()) == ({"a": b"current"}, {"a": b"old"})
    assert frogmove("resume", "-o", "json").outcomes == {}


def test_dry_run_of_a_resume_shows_what_is_left_and_changes_nothing(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a", "b")
    hooks.answer("CopyObject", refusal(403, "AccessDenied"), match=f"{buckets.destination}/b")
    frogmove("move", "--all")
    before, left = buckets.state(), journals()
    dry = frogmove("resume", "-n", "-o", "json")
    assert [record["key"] for record in dry.of("action")] == ["b"]
    assert (buckets.state(), journals()) == (before, left)


def test_undo_is_not_resumed_but_run_again(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    frogmove("move", "a")
    frogmove("undo", last_id())
    assert "Nothing to resume" in frogmove("resume").err
    ran = frogmove("resume", last_id())
    assert (ran.code, ran.out) == (2, "")
    assert "frogmove undo" in ran.err


def uploads(buckets: Buckets) -> list[Any]:
    answer = buckets.client.list_multipart_uploads(Bucket=buckets.destination)
    return list(answer.get("Uploads", []))


@pytest.mark.parametrize("since", ["changed", "gone"])
def test_upload_that_is_of_no_more_use_is_aborted(
    seaweedfs_buckets: Buckets,
    hooks: RequestHooks,
    monkeypatch: pytest.MonkeyPatch,
    since: str,
    interrupt: Callable[[], None],
) -> None:
    monkeypatch.setattr("frogmove.core.run_spec.Multipart", partial(Multipart, at_once=1))
    seaweedfs_buckets.put("a", body=b"1" * 6 * MIB)
    hooks.before("UploadPartCopy", interrupt)
    frogmove = FrogmoveRunner(seaweedfs_buckets)
    assert frogmove("move", "a", "--multipart-threshold", "5MiB").code == 130
    assert len(uploads(seaweedfs_buckets)) == 1
    if since == "changed":
        seaweedfs_buckets.put("a", body=b"2")
    else:
        seaweedfs_buckets.client.delete_object(Bucket=seaweedfs_buckets.source, Key="a")
    resumed = frogmove("resume")
    assert resumed.code == 0
    assert uploads(seaweedfs_buckets) == []
    assert seaweedfs_buckets.there() == ({"a": b"2"} if since == "changed" else {})


def test_run_that_is_finished_is_left_alone_by_resume(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    frogmove("move", "--all")
    buckets.put("since")
    for command in (["resume"], ["resume", last_id()], ["resume", "-n"]):
        ran = frogmove(*command)
        assert (ran.code, ran.out) == (0, "")
        assert "Nothing to resume" in ran.err
    assert buckets.here() == {"since": b"since"}
    assert len(journals()) == 1


def test_resume_takes_the_last_unfinished_run_and_only_once(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a", "b")
    hooks.answer("CopyObject", refusal(403, "AccessDenied"), match=f"{buckets.destination}/b")
    assert frogmove("move", "--all").code == 1
    failed = last_id()
    buckets.put("c")
    assert frogmove("move", "c").code == 0
    buckets.put("since")
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, resumed.outcomes) == (0, {"b": "moved"})
    (run_,) = (each for each in run("runs", "-o", "json").of("run") if each["resumed_by"])
    assert run_["id"] == failed
    assert "Nothing to resume" in frogmove("resume").err
    assert buckets.here() == {"since": b"since"}


def test_run_that_had_nothing_left_to_do_is_not_resumed_again(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a")
    hooks.answer("CopyObject", refusal(403, "AccessDenied"))
    assert frogmove("move", "--all").code == 1
    assert run("runs").out.endswith(f"; frogmove resume {last_id()}\n")
    buckets.client.delete_object(Bucket=buckets.source, Key="a")
    assert frogmove("resume").code == 0
    assert "frogmove resume" not in run("runs").out
    assert "Nothing to resume" in frogmove("resume").err


def test_run_that_was_undone_is_not_resumed_unasked(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, interrupt: Callable[[], None]
) -> None:
    keys = [f"{number:02}" for number in range(12)]
    seaweedfs_buckets.put(*keys)
    hooks.before("CopyObject", interrupt, skip=3)
    frogmove = FrogmoveRunner(seaweedfs_buckets)
    assert frogmove("move", "--all", "--concurrency", "1").code == 130
    moved = last_id()
    assert frogmove("undo", moved).code == 0
    undo = last_id()
    assert sorted(seaweedfs_buckets.here()) == keys
    assert "Nothing to resume" in frogmove("resume").err
    assert "undone by" in run("runs").out
    # A resume that is asked for began after the undo, which did not undo it.
    hooks.before("CopyObject", interrupt, skip=3)
    assert frogmove("resume", moved).code == 130
    resumed = last_id()
    listed = {each["id"]: each["undone_by"] for each in run("runs", "-o", "json").records}
    assert (listed[moved], listed[resumed]) == ([undo], [])
    assert frogmove("resume").code == 0
    assert seaweedfs_buckets.here() == {}
    assert "already undone" not in frogmove("undo", "last").err
    assert sorted(seaweedfs_buckets.here()) == keys


@pytest.mark.usefixtures("whole_batches")
def test_undo_that_is_unfinished_is_reported(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a", "b")
    frogmove("move", "--all")
    moved = last_id()
    hooks.answer("DeleteObjects", refusal(403, "AccessDenied"))
    assert frogmove("undo", moved).code == 1
    ran = frogmove("resume")
    assert (ran.code, ran.out) == (2, "")
    assert f"frogmove undo {moved}" in ran.err
    assert "To resume another run, give its id" in " ".join(ran.err.split())
    # As the last run says itself.
    assert run("runs").out.endswith(f"; frogmove undo {moved}\n")
    assert "partly undone by" in run("runs").out
    assert frogmove("undo", moved).code == 0
    assert "Nothing to resume" in frogmove("resume").err
