"""What can be done with a run afterwards: list, report and undo it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.run_store import journals, runs_directory
from frogmove.s3.boto import BotoS3
from tests.blocking_proxy import blocking_proxy
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, run
from tests.cli.terminal import terminal
from tests.fault_fixture import ENGINES
from tests.fault_proxy import SECONDS_TO_WAIT
from tests.request_hooks import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.request_hooks import RequestHooks
    from tests.servers import Server

MIB = 1024 * 1024


@pytest.fixture
def server(ministack: Server) -> Server:
    """It keeps every key and lists in order."""
    return ministack


def last_id() -> str:
    return journals()[-1].stem


def interrupt_at(hooks: RequestHooks, operation: str, *, skip: int = 0) -> None:
    hooks.before(operation, lambda: os.kill(os.getpid(), signal.SIGINT), skip=skip)


# runs


def test_no_run_is_no_error_and_the_folder_is_named() -> None:
    assert run("runs") == (run("runs", "-o", "json"))
    assert run("runs").out == ""
    assert run("report").code == 2
    assert run("resume").code == 2
    for command in ("runs", "report", "resume"):
        assert repr(str(runs_directory())) in run(command).err


def test_a_folder_of_journals_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    state = tmp_path / "file"
    state.touch()
    for command in (["runs"], ["report"], ["resume"], ["report", "x"], ["undo", "x"]):
        ran = run(*command, environment={"FROGMOVE_STATE": str(state)})
        assert (ran.code, ran.out) == (2, "")
        assert f"{str(state)!r} cannot be read: Not a directory." in ran.err
        assert "FROGMOVE_STATE" in ran.err


def test_each_run_is_listed_the_newest_last(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    for key in ("a", "b", "c"):
        buckets.put(key)
        frogmove("move", key)
    listed = run("runs", "-o", "json").records
    assert [record["selection"]["keys"] for record in listed] == [["a"], ["b"], ["c"]]
    assert [record["end"]["counts"]["moved"] for record in listed] == [1, 1, 1]
    lines = run("runs").out.splitlines()
    for record, first, second in zip(listed, lines[::2], lines[1::2], strict=True):
        began = record["started"][:16].replace("T", " ")
        (key,) = record["selection"]["keys"]
        assert first == f"{record['id']}  {began}  move  key {key}: 1 moved"
        assert second == f"  s3://{buckets.source}/ -> s3://{buckets.destination}/"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_runs_fit_a_terminal_and_say_what_became_of_each(
    buckets: Buckets, frogmove: FrogmoveRunner, columns: int
) -> None:
    buckets.put(*(f"a folder with a long name/{number}" for number in range(3)))
    frogmove("move", "--prefix", "a folder with a long name")
    moved = last_id()
    assert frogmove("undo", "last").code == 0
    with terminal(columns) as screen:
        process = frogmove.process(
            "runs", env={"COLUMNS": None, "TERM": "xterm-256color"}, stdout=screen.end
        )
        assert process.wait(SECONDS_TO_WAIT) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", screen.text)
    first, second, third, _ = text.splitlines()
    assert [line for line in text.splitlines() if len(line) > max(columns, 72)] == []
    assert first.startswith(moved)
    assert first.endswith(": 3 moved")
    assert second.endswith(f"; undone by {last_id()}")
    assert third.startswith(last_id())
    assert (f"s3://{buckets.source}/ -> " in second) == (columns == 200)


def test_a_run_that_is_running_is_neither_resumed_nor_undone(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    with blocking_proxy(buckets.server) as door:
        process = frogmove.process(
            *("move", "--all"),
            env={"FROGMOVE_ENDPOINT_URL": door.endpoint_url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        door.wait_for_copies(1)
        listed = frogmove("runs").out
        assert ": running\n" in listed
        assert "resume" not in listed
        for command in (["resume", "last"], ["undo", "last"]):
            ran = frogmove(*command)
            assert (ran.code, ran.out) == (2, "")
            assert "is still running" in ran.err
        assert "Nothing to resume" in frogmove("resume").err
        door.opened.set()
        assert process.wait(SECONDS_TO_WAIT) == 0
    assert ": 2 moved\n" in frogmove("runs").out
    # The proxy that the run went through is gone.
    assert frogmove("undo", "last", "--endpoint-url", buckets.server.endpoint_url).code == 0


def test_a_run_is_named_by_last_by_a_beginning_or_by_a_file(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    for key in ("a", "b"):
        buckets.put(key)
        frogmove("move", key)
    first, second = (path.stem for path in journals())
    for name, shown in (
        ("last", second),
        (second, second),
        (first[:-1], first),
        (str(journals()[0]), first),
    ):
        assert f"run {shown}," in run("report", name).out
    both = first[:2]
    ran = run("report", both)
    assert (ran.code, ran.out) == (2, "")
    assert f"2 runs start with {both!r}" in ran.err
    assert first in ran.err
    assert second in ran.err
    assert run("report", "x").code == run("report", "").code == 2
    assert frogmove("undo", "last").code == 0
    assert sorted(buckets.here()) == ["b"]


def test_a_run_that_changes_nothing_leaves_no_journal(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    frogmove("move", "--all", "-n")
    frogmove("move", "--prefix", "nothing")
    frogmove("move", "missing")
    buckets.put_there("a")
    frogmove("sync")
    assert journals() == []


def test_one_broken_journal_does_not_hide_the_others(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    frogmove("move", "a")
    (runs_directory() / "00000000-000000-0000.jsonl").touch()
    ran = run("runs")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 2
    assert "not a journal" in ran.err


def test_of_many_files_that_are_no_journals_only_some_are_named() -> None:
    runs_directory().mkdir(parents=True)
    for number in range(10):
        (runs_directory() / f"{number:04}.jsonl").write_text("{}\n")
    ran = run("runs")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.count("not a journal") == 3
    assert "7 more files in" in ran.err


@pytest.mark.parametrize("kind", ["unreadable", "damaged", "empty"])
def test_a_journal_that_cannot_be_read_is_not_taken_for_a_finished_run(
    buckets: Buckets, frogmove: FrogmoveRunner, kind: str
) -> None:
    buckets.put("a")
    frogmove("move", "a")
    bad = runs_directory() / "00000000-000000-0000.jsonl"
    if kind == "unreadable":
        bad.mkdir()
    else:
        bad.write_text("Dear S3,\n" if kind == "damaged" else "")
    ran = frogmove("resume")
    assert (ran.code, ran.out) == (2, "")
    assert str(bad) in ran.err
    assert "Give the run to resume" in ran.err
    ran = frogmove("undo", last_id())
    assert ran.code == 0
    assert str(bad) in ran.err
    assert buckets.here() == {"a": b"a"}


def test_a_journal_goes_where_it_is_told_to(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.put("a")
    path = tmp_path / "deep" / "down" / "mine.jsonl"
    assert frogmove("move", "a", "--journal", str(path)).code == 0
    assert journals() == []
    assert "moved" in run("report", str(path)).out
    assert frogmove("sync", "--journal", str(path)).code == 2
    assert frogmove("undo", str(path)).code == 0
    assert buckets.here() == {"a": b"a"}


def test_where_the_journal_cannot_be_written_nothing_is_touched(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.version()
    buckets.put("a")
    before = buckets.state()
    (tmp_path / "file").touch()
    for where in (tmp_path / "file" / "run.jsonl", tmp_path / "file"):
        ran = frogmove("move", "a", "--journal", str(where))
        assert (ran.code, ran.out) == (2, "")
        assert "--journal" in ran.err
        assert buckets.state() == before
    ran = frogmove("move", "a", FROGMOVE_STATE=str(tmp_path / "file"))
    assert (ran.code, buckets.state()) == (2, before)
    assert "Errno" not in ran.err
    assert "FROGMOVE_STATE" in ran.err


def test_a_disk_that_is_full_already_refuses_the_run_and_leaves_no_half_a_journal(
    buckets: Buckets, frogmove: FrogmoveRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    buckets.put("a")
    monkeypatch.setattr(os, "fsync", full)
    ran = frogmove("move", "a")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be written: No space left on device.\nNothing was changed." in ran.err
    assert (buckets.here(), journals()) == ({"a": b"a"}, [])


def test_a_disk_that_fills_up_ends_the_run_and_deletes_nothing_unrecorded(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put("a", "b")

    def fill_up() -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)

    hooks.before("CopyObject", fill_up)
    ran = frogmove("move", "--all")
    assert ran.code == 1
    assert "No space left" in ran.err
    assert "No source was deleted without its record" in ran.err
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert buckets.here() == {"a": b"a", "b": b"b"}


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["alone", "in-a-batch"])
def test_each_copy_is_in_the_file_when_its_delete_is_sent(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, keys: list[str]
) -> None:
    buckets.put(*keys)
    found: list[set[str]] = []

    def check() -> None:
        lines = journals()[-1].read_text().splitlines()
        found.append({json.loads(line)["key"] for line in lines if '"copied"' in line})

    hooks.before("DeleteObject", check)
    hooks.before("DeleteObjects", check)
    assert frogmove("move", "--all").code == 0
    assert found == [set(keys)]


# report


def test_a_report_tells_what_became_of_each_object(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    buckets.put_there("b", body=b"theirs")
    frogmove("move", "--all")
    text = run("report").out
    assert f"move s3://{buckets.source}/ -> s3://{buckets.destination}/" in text
    assert "moved                   1  a" in text
    assert "conflict                1  b  (the destination holds something else" in text
    assert "1 moved, 1 conflict" in text
    assert run("report", last_id()).out == text
    records = run("report", "-o", "json").of("result")
    assert {record["key"]: record["outcome"] for record in records} == {
        "a": "moved",
        "b": "conflict",
    }


@pytest.mark.parametrize("command", ["report", "resume", "undo"])
def test_a_run_that_is_not_there_is_named(command: str) -> None:
    ran = run(command, "20260101-000000-0000")
    assert (ran.code, ran.out) == (2, "")
    assert "'20260101-000000-0000'" in ran.err
    assert "frogmove runs" in ran.err


@pytest.mark.parametrize("command", ["report", "resume", "undo"])
def test_what_is_not_a_journal_is_refused(command: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear S3,\n")
    ran = run(command, str(path))
    assert (ran.code, ran.out) == (2, "")
    assert "not a journal" in ran.err


def test_a_torn_end_is_said(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a", "b")
    frogmove("move", "--all")
    path = journals()[-1]
    path.write_bytes(path.read_bytes()[:-9])
    for command in (["report"], ["undo", last_id(), "-n"], ["resume", "-n"]):
        ran = frogmove(*command)
        assert ran.code == 0
        assert "is incomplete" in ran.err
    assert "did not finish" in run("report").out


# undo


def test_an_undo_brings_everything_back(
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


def test_an_undo_keeps_to_the_journals_route(buckets: Buckets) -> None:
    buckets.put("in/a", "a")
    FrogmoveRunner(buckets, ("in", "out"))("move", "--all")
    other = Buckets.make(buckets.server)
    assert FrogmoveRunner(other)("undo", last_id()).code == 0
    assert buckets.here() == {"in/a": b"in/a", "a": b"a"}
    assert (buckets.there(), other.here(), other.there()) == ({}, {}, {})


def test_an_undo_leaves_no_trace_of_its_asking_at_the_original_source(
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


def test_an_undo_never_writes_a_throw_away_key_to_the_original_source(
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
def test_what_changed_since_is_left_alone_by_an_undo(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("changed", "uploaded", "same")
    frogmove("move", "--all")
    buckets.put_there("changed", body=b"since")
    buckets.put("uploaded", body=b"since")
    ran = frogmove("undo", last_id(), "-o", "json")
    assert ran.code == 1
    assert ran.outcomes == {"changed": "superseded", "uploaded": "conflict", "same": "moved"}
    assert buckets.here() == {"uploaded": b"since", "same": b"same"}
    assert buckets.there() == {"changed": b"since", "uploaded": b"uploaded"}


OVERWRITE = ("--on-conflict", "overwrite")
ALL = ["ministack", "seaweedfs"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", [("move", "--all", *OVERWRITE), ("sync", *OVERWRITE)])
@pytest.mark.parametrize("server", ALL, indirect=True)
def test_what_was_replaced_is_there_again_where_versions_are_kept(
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
def test_what_the_destination_held_before_stays_there(
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


def test_what_was_replaced_where_no_versions_are_kept_stays_replaced_and_is_said(
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


def test_what_a_sync_replaced_is_not_undone_and_said(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("new", "other")
    buckets.put_there("other", body=b"theirs")
    frogmove("sync")
    ran = frogmove("undo", last_id(), "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"new": "moved", "other": "failed"})
    assert buckets.here() == {"new": b"new", "other": b"other"}
    assert buckets.there() == {"other": b"other"}


def test_an_undo_that_is_interrupted_is_run_again(
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
