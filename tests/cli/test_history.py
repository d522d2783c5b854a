"""Earlier runs: how they are listed, named and reported."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from frogmove.core.journal_lock import hold
from frogmove.run_store import journals, runs_directory
from tests.blocking_proxy import blocking_proxy
from tests.cli.cli_runner import FrogmoveRunner, last_id, run
from tests.cli.terminal import terminal
from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets

SERVER = "ministack"


def test_runs_without_any_run_are_no_error_and_the_folder_is_named() -> None:
    assert run("runs") == (run("runs", "-o", "json"))
    assert run("runs").out == ""
    assert run("report").code == 2
    assert run("resume").code == 2
    for command in ("runs", "report", "resume"):
        assert repr(str(runs_directory())) in run(command).err


def test_runs_directory_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    state = tmp_path / "file"
    state.touch()
    for command in (["runs"], ["report"], ["resume"], ["report", "x"], ["undo", "x"]):
        ran = run(*command, environment={"FROGMOVE_STATE": str(state)})
        assert (ran.code, ran.out) == (2, "")
        assert f"{str(state)!r} cannot be read: Not a directory." in ran.err
        assert "FROGMOVE_STATE" in ran.err


def test_runs_are_listed_the_newest_last(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
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
def test_runs_fit_a_terminal_and_say_what_became_of_each(
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


def test_run_that_is_running_is_neither_resumed_nor_undone(
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
        resumed = frogmove("resume")
        assert f"every other run is finished, and {last_id()} is still running" in resumed.err
        report = frogmove("report").out
        assert report.endswith("\nstill running\n")
        assert "still running" in frogmove("report", "-o", "html").out
        verified = frogmove("verify", "last", "--endpoint-url", buckets.server.endpoint_url)
        assert (verified.code, "is still running: only its" in verified.err) == (1, True)
        assert "resume" not in report + verified.err
        door.opened.set()
        assert process.wait(SECONDS_TO_WAIT) == 0
    assert ": 2 moved\n" in frogmove("runs").out
    # The proxy that the run went through is gone.
    assert frogmove("undo", "last", "--endpoint-url", buckets.server.endpoint_url).code == 0


@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_run_whose_resume_or_undo_is_running_is_left_to_it(buckets: Buckets, verb: str) -> None:
    frogmove = FrogmoveRunner(buckets, ("", "longer/"))
    buckets.put("a", "k" * 1020)
    assert frogmove("move", "--all").code == 1
    moved = last_id()
    frogmove(verb, moved)
    with journals()[-1].open("rb") as running:
        hold(running.fileno())
        for command in ("resume", "undo"):
            ran = frogmove(command, moved)
            assert (ran.code, f"{last_id()} is still running" in ran.err) == (2, True)
    assert len(journals()) == 2


def test_run_is_named_by_last_by_a_beginning_or_by_a_file(
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
    undo = last_id()
    again = frogmove("undo", "last")
    assert again.code == 2
    assert f"The last run, {undo}, is an undo itself. To reverse it: frogmove undo {undo}." in (
        again.err.replace("\n", " ")
    )
    assert sorted(buckets.here()) == ["b"]
    assert frogmove("undo", undo).code == 0
    assert buckets.here() == {}


def test_journal_that_is_broken_does_not_hide_the_others(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    frogmove("move", "a")
    (runs_directory() / "00000000-000000-0000.jsonl").touch()
    ran = run("runs")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 2
    assert "not a journal" in ran.err


def test_journals_that_are_none_are_named_only_in_part() -> None:
    runs_directory().mkdir(parents=True)
    for number in range(10):
        (runs_directory() / f"{number:04}.jsonl").write_text("{}\n")
    ran = run("runs")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.count("not a journal") == 3
    assert "7 more files in" in ran.err


@pytest.mark.parametrize("kind", ["unreadable", "damaged", "empty"])
def test_journal_that_cannot_be_read_is_not_taken_for_a_finished_run(
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", "s3://no bucket/"),
        ("id", "\x1b[31m"),
        ("mapping", {"rename": "{"}),
        ("continues", "00000000-000000-0000"),
    ],
)
def test_journal_that_was_edited_hides_no_other_run(
    buckets: Buckets, frogmove: FrogmoveRunner, name: str, value: object
) -> None:
    buckets.put("a")
    frogmove("move", "a")
    header, *lines = journals()[0].read_text().splitlines(keepends=True)
    edited = {**json.loads(header), "id": "00000000-000000-0000", name: value}
    bad = runs_directory() / "00000000-000000-0000.jsonl"
    bad.write_text("".join([json.dumps(edited), "\n", *lines]))
    ran = frogmove("runs")
    assert (ran.code, last_id() in ran.out, "\x1b" in ran.out) == (0, True, False)
    assert (str(bad) in ran.err) == (name != "continues")
    assert frogmove("undo", last_id()).code == 0


def test_report_tells_what_became_of_each_object(
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
def test_run_that_is_not_there_is_named(command: str) -> None:
    ran = run(command, "20260101-000000-0000")
    assert (ran.code, ran.out) == (2, "")
    assert "'20260101-000000-0000'" in ran.err
    assert "frogmove runs" in ran.err


@pytest.mark.parametrize("command", ["report", "resume", "undo"])
def test_file_that_is_not_a_journal_is_refused(command: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear S3,\n")
    ran = run(command, str(path))
    assert (ran.code, ran.out) == (2, "")
    assert "not a journal" in ran.err


def test_journal_with_an_incomplete_end_is_reported(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    frogmove("move", "--all")
    path = journals()[-1]
    path.write_bytes(path.read_bytes()[:-9])
    for command in (["report"], ["undo", last_id(), "-n"], ["resume", "-n"]):
        ran = frogmove(*command)
        assert ran.code == 0
        assert "is incomplete" in ran.err
    assert "did not finish" in run("report").out
