"""stdout and stderr that are closed, full, narrow or gone: no traceback, a complete journal."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

import pytest

from frogmove.core.journal_reader import JournalReader
from frogmove.run_store import journals
from tests.blocking_proxy import blocking_proxy
from tests.cli.cli_runner import COMMAND, ROOT, FrogmoveRunner
from tests.cli.terminal import terminal
from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.buckets import Buckets


SERVER = "ministack"

# More than one buffer of results in JSON.
MANY = [f"{number:03}" for number in range(120)]

BROKEN = {
    "full": ">/dev/full",
    "closed": ">&-",
    "both closed": ">&- 2>&-",
    "all closed": "<&- >&- 2>&-",
    "both full": ">/dev/full 2>/dev/full",
    "not for writing": "1</dev/null",
}
STDERR_BROKEN = [
    pytest.param("2>/dev/full", id="full"),
    pytest.param("2>&-", id="closed", marks=pytest.mark.matrix),
]


def through_shell(
    runner: FrogmoveRunner, tail: str, *arguments: str, **environment: str
) -> tuple[int, str, str]:
    """Run a command as a shell line that ends in ``tail``; returns its code, stdout and stderr."""
    done = subprocess.run(
        ["bash", "-c", f'"$@" {tail}; exit ${{PIPESTATUS[0]}}', "bash", *COMMAND, *arguments],
        env=runner.full_environment(**environment),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS_TO_WAIT,
        check=False,
        cwd=ROOT,
    )
    for text in (done.stdout, done.stderr):
        assert "Traceback" not in text
        assert "Exception ignored" not in text
    return done.returncode, done.stdout, done.stderr


def account(buckets: Buckets, keys: list[str]) -> JournalReader:
    """Check that the last run's journal tells of all that left the source, and has an end."""
    reader = JournalReader(journals()[-1])
    moved = {record["key"] for record in reader.of_type("result") if record["outcome"] == "moved"}
    assert moved == set(keys) - set(buckets.here()) == set(buckets.there())
    assert reader.end() is not None
    return reader


@pytest.mark.parametrize("tail", BROKEN.values(), ids=BROKEN)
def test_move_that_can_print_nothing_keeps_a_complete_journal(
    buckets: Buckets, frogmove: FrogmoveRunner, tail: str
) -> None:
    keys = MANY[:20]
    buckets.put(*keys)
    code, _, err = through_shell(frogmove, tail, "move", "--all")
    assert code == 1
    reader = account(buckets, keys)
    assert ("stdout" in err and reader.spec.id in err) is ("2>" not in tail)


@pytest.mark.parametrize("tail", [*BROKEN.values(), "| head -1"], ids=[*BROKEN, "head"])
def test_stdout_that_is_broken_ends_a_run_like_an_interrupt(
    buckets: Buckets, frogmove: FrogmoveRunner, tail: str
) -> None:
    # Results come copy by copy here, and a buffer or a pipe holds less than all.
    keys = [f"{'k' * 900}{key}" for key in MANY]
    buckets.put(*keys)
    code, _, err = through_shell(frogmove, tail, "sync", "-o", "json", "--concurrency", "4")
    assert code == 1
    reader = JournalReader(journals()[-1])
    end = reader.end()
    assert end is not None
    assert end["interrupted"] is True
    done = {record["key"] for record in reader.of_type("result")}
    assert done == set(buckets.there()) != set(keys)
    resume = f"frogmove resume {reader.spec.id}"
    assert ("stdout" in err and resume in err) is ("2>" not in tail)
    assert frogmove("resume", reader.spec.id).code == 0
    assert sorted(buckets.there()) == keys


@pytest.mark.matrix
def test_run_whose_reader_is_gone_says_where_its_report_is(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    code, _, err = through_shell(frogmove, ">/dev/full", "move", "--all")
    assert code == 1
    reader = account(buckets, ["a", "b"])
    assert "stdout" in err
    assert "No space left on device" in err
    assert reader.spec.id in err


@pytest.mark.parametrize("tail", STDERR_BROKEN)
def test_stderr_that_is_broken_alone_changes_nothing(
    buckets: Buckets, frogmove: FrogmoveRunner, tail: str
) -> None:
    buckets.put("a", "b")
    code, out, _ = through_shell(frogmove, tail, "move", "--all", "-v")
    assert (code, len(out.splitlines())) == (0, 2)
    account(buckets, ["a", "b"])
    assert through_shell(frogmove, tail, "ls", "s3://" + buckets.source)[0] == 0
    assert through_shell(frogmove, tail, "ls", "no-such-folder")[0] == 1
    assert through_shell(frogmove, tail, "ls", "s3://x")[0] == 2
    assert through_shell(frogmove, tail, "ls", "--no-such-option")[0] == 2


READING = (
    ["ls"],
    ["report"],
    ["--help"],
    ["move", "--all", "-n"],
    ["sync", "-n"],
    ["runs"],
    ["report", "-o", "csv"],
    ["report", "-o", "html"],
    ["move", "--help"],
    ["--version"],
)


@pytest.mark.parametrize(
    ("tail", "commands"),
    [(BROKEN["full"], READING), (BROKEN["both closed"], READING[:3])],
    ids=["full", "both closed"],
)
def test_output_that_cannot_be_printed_is_never_a_success(
    buckets: Buckets, frogmove: FrogmoveRunner, tail: str, commands: Sequence[list[str]]
) -> None:
    buckets.put("gone")
    assert frogmove("move", "gone").code == 0
    buckets.put("a", "b")
    for command in commands:
        code, _, err = through_shell(frogmove, tail, *command)
        assert (command, code) == (command, 1)
        assert ("stdout" in err) is ("2>" not in tail)
    assert sorted(buckets.here()) == ["a", "b"]


@pytest.mark.matrix
def test_listing_ends_soon_after_its_reader(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    # More than a pipe holds: the command cannot have ended when its reader does.
    buckets.put(*(f"{'k' * 900}{key}" for key in MANY))
    code, out, err = through_shell(frogmove, "| head -1", "ls")
    assert (code, len(out.splitlines())) == (1, 1)
    assert len(err.splitlines()) <= 2


NARROW = (
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    pytest.param({"PYTHONIOENCODING": "ascii"}, marks=pytest.mark.matrix),
    pytest.param({"PYTHONIOENCODING": "cp437:strict"}, marks=pytest.mark.matrix),
)


@pytest.mark.parametrize("environment", NARROW, ids=str)
def test_output_that_cannot_be_encoded_is_escaped(
    buckets: Buckets, frogmove: FrogmoveRunner, environment: dict[str, str]
) -> None:
    keys = ["🐸/蛙 ď", "a"]
    buckets.put(*keys)
    for command in (["ls"], ["sync", "-n"], ["move", "--all"], ["report"]):
        code, out, _ = through_shell(frogmove, "", *command, **environment)
        assert (command, code, out.isascii()) == (command, 0, True)
        if command != ["report"]:
            assert len(out.splitlines()) == 2
    code, out, err = through_shell(frogmove, "", "ls", "🐸/蛙", **environment)
    assert (code, out, err.isascii()) == (1, "", True)
    account(buckets, keys)


def test_terminal_that_goes_away_ends_a_run_like_an_interrupt(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*MANY)
    with blocking_proxy(buckets.server) as door, terminal() as screen:
        process = frogmove.process(
            "move",
            "--all",
            "--yes",
            "--concurrency",
            "4",
            env={"TERM": "xterm-256color", "FROGMOVE_ENDPOINT_URL": door.endpoint_url},
            stdin=screen.end,
            stdout=screen.end,
            stderr=screen.end,
        )
        with process:
            door.wait_for_copies(4)
            screen.hang_up()
            # The bar is drawn ten times a second: far less than the whole run.
            while process.poll() is None:
                door.let_pass()
                with suppress(TimeoutExpired):
                    process.wait(0.1)
            assert process.returncode == 1
    account(buckets, MANY)
    assert buckets.here()
    again = frogmove("resume", "--endpoint-url", buckets.server.endpoint_url)
    assert again.code == 0
    assert sorted(buckets.there()) == MANY


def test_stdout_that_does_not_block_is_waited_for(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*(f"{'k' * 900}{key}" for key in MANY))
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    process = frogmove.process("ls", stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    with process, os.fdopen(ours, "rb") as reader:
        # More than a pipe holds: it is full before anything is read.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        out = reader.read()
        assert process.wait(SECONDS_TO_WAIT) == 0
    assert len(out.splitlines()) == len(MANY)
