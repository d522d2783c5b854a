"""Ctrl-C and SIGTERM on a process of its own, with copies held in flight by a gate."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
import time
from functools import partial
from select import select
from typing import TYPE_CHECKING, Any

import pytest

from tests.blocking_proxy import blocking_proxy
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.cli.in_flight import HELD, KEYS, in_flight, lines, waiting_for_an_answer
from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from tests.servers import Server

SERVER = "ministack"


def interrupt(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal and wait until it has been heard."""
    process.send_signal(number)
    for line in lines(process.stderr):
        if "finishing the objects in flight" in line:
            return
    pytest.fail("the signal was not answered")


def records(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.matrix),
        pytest.param(signal.SIGHUP, marks=pytest.mark.matrix),
    ],
)
def test_first_signal_finishes_what_is_in_flight(
    buckets: Buckets, frogmove: FrogmoveRunner, number: signal.Signals
) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all", "-o", "json", "--concurrency", "32") as (
        door,
        process,
    ):
        interrupt(process, number)
        door.opened.set()
        out, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert b"Traceback" not in err
    *results, summary = records(out)
    moved = {result["key"] for result in results if result["outcome"] == "moved"}
    assert HELD <= len(moved) < len(KEYS)
    assert summary["interrupted"] is True
    assert summary["counts"]["moved"] == len(moved)
    assert set(buckets.there()) == moved
    assert set(buckets.here()) == set(KEYS) - moved
    again = frogmove("move", "--all", "-o", "json")
    assert again.code == 0
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


@pytest.mark.parametrize(
    "second", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.matrix)]
)
def test_signal_that_is_delivered_twice_is_one_request(
    buckets: Buckets, frogmove: FrogmoveRunner, second: signal.Signals
) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all", "--concurrency", "32") as (door, process):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
        process.send_signal(second)
        assert any("finishing the objects in flight" in line for line in lines(process.stderr))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        door.opened.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert b"frogmove resume" in err
    assert len(buckets.there()) >= HELD
    assert sorted([*buckets.here(), *buckets.there()]) == KEYS


def test_second_signal_ends_at_once_and_says_what_is_where(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all") as (door, process):
        interrupt(process, signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_WAIT) == 130
        assert not door.opened.is_set()
        assert sorted(buckets.here()) == KEYS
        last = list(lines(process.stderr))[-1]
    (run,) = frogmove("runs", "-o", "json").of("run")
    assert f"Run {run['id']} was ended immediately" in last
    assert f"s3://{buckets.source}/" in last
    assert f"s3://{buckets.destination}/" in last
    assert f"frogmove resume {run['id']}" in last
    assert frogmove("move", "--all").code == 0
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


@pytest.mark.matrix
def test_signal_drops_copies_that_wait_for_the_rate(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*KEYS)
    with blocking_proxy(buckets.server) as door:
        door.opened.set()
        process = frogmove.process(
            *("move", "--all", "--max-rate", "2", "-o", "json"),
            env={"FROGMOVE_ENDPOINT_URL": door.endpoint_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            door.wait_for_copies(3)
            process.send_signal(signal.SIGTERM)
            before = time.monotonic()
            out, err = process.communicate(timeout=SECONDS_TO_WAIT)
    # All of them would take another 23 seconds.
    assert time.monotonic() - before < 15
    assert process.returncode == 130, err
    *results, summary = records(out)
    assert {result["outcome"] for result in results} == {"moved"}
    assert summary["interrupted"] is True
    assert sorted(buckets.there()) == sorted(result["key"] for result in results)
    assert sorted([*buckets.here(), *buckets.there()]) == KEYS
    assert len(buckets.there()) < len(KEYS) / 2
    assert b"frogmove resume" in err
    # What was dropped was never sent.
    assert "being copied" not in frogmove("undo", "last", "--dry-run").err
    assert frogmove("move", "--all").code == 0
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


def test_ctrl_c_on_a_terminal_stops_and_the_second_ends_at_once(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*KEYS)
    ours, theirs = pty.openpty()
    with blocking_proxy(buckets.server) as door:
        process = frogmove.process(
            *("move", "--all", "--yes", "--concurrency", "16"),
            env={"FROGMOVE_ENDPOINT_URL": door.endpoint_url, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        door.wait_for_copies(HELD)
        shown = read_terminal(ours, "in flight")
        os.write(ours, b"\x03")
        shown += read_terminal(ours, "Stopping: ")
        os.write(ours, b"\x03")
        shown += read_terminal(ours, None)
        assert process.wait(SECONDS_TO_WAIT) == 130
    os.close(ours)
    (run,) = frogmove("runs", "-o", "json").of("run")
    last = shown[shown.index("Run ") :]
    assert f"Run {run['id']} was ended immediately" in last
    assert f"s3://{buckets.source}/" in last
    assert f"frogmove resume {run['id']}" in last
    # The cursor, which the bar hides, is there again.
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert sorted(buckets.here()) == KEYS


def read_terminal(ours: int, awaited: str | None) -> str:
    """Read what is shown until something is, or until nobody is on the terminal any more."""
    shown = b""
    try:
        while awaited is None or awaited.encode() not in shown:
            assert select([ours], [], [], SECONDS_TO_WAIT)[0], shown
            shown += os.read(ours, 65536)
    except OSError:
        assert awaited is None, shown
    return shown.decode("utf-8", "replace")


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    "command", [("sync",), ("copy", "--all"), ("copy", *KEYS)], ids=["sync", "copy", "keys"]
)
def test_signal_reports_a_way_to_resume_where_anything_was_not_begun(
    buckets: Buckets, frogmove: FrogmoveRunner, command: list[str], processes: str
) -> None:
    buckets.put(*KEYS)
    arguments = (*command, "--concurrency", str(HELD), "--processes", processes)
    with in_flight(frogmove, *arguments) as (door, process):
        interrupt(process, signal.SIGTERM)
        door.opened.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert len(buckets.there()) < len(KEYS)
    assert b"frogmove resume" in err
    assert frogmove("resume", "--endpoint-url", buckets.server.endpoint_url).code == 0
    assert sorted(buckets.there()) == KEYS


@pytest.mark.parametrize("concurrency", ["8", "256"])
def test_signal_reports_no_way_to_resume_where_nothing_is_left(
    buckets: Buckets, frogmove: FrogmoveRunner, concurrency: str
) -> None:
    buckets.put(*KEYS[:HELD])
    with in_flight(frogmove, "move", "--all", "--concurrency", concurrency) as (door, process):
        interrupt(process, signal.SIGTERM)
        door.opened.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert b"8 moved" in err
    assert b"resume" not in err
    assert buckets.here() == {}
    assert "resume" not in frogmove("runs").out


@pytest.mark.matrix
def test_process_that_is_killed_loses_nothing(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all") as (_, process):
        process.kill()
        process.wait(SECONDS_TO_WAIT)
        assert sorted(buckets.here()) == KEYS
    again = frogmove("move", "--all")
    assert again.code == 0
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


ANSWERED = {
    "ls": signal.SIGINT,
    "move --all": signal.SIGTERM,
    "move --all -n": signal.SIGHUP,
    "sync": signal.SIGINT,
    "sync -n": signal.SIGTERM,
}


@pytest.mark.parametrize(
    ("command", "number"),
    [
        pytest.param(command, number, marks=() if ANSWERED[command] == number else pytest.mark.long)
        for command in ANSWERED
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ],
)
def test_signal_is_answered_at_once_even_where_the_server_is_not(
    moto: Server, command: str, number: signal.Signals
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with waiting_for_an_answer(runner, *command.split()) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=15)
    assert process.returncode == 130
    assert b"Traceback" not in err


@pytest.mark.matrix
def test_nohup_keeps_a_run_going(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put(*KEYS)
    ignored = partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
    with in_flight(frogmove, "move", "--all", preexec_fn=ignored) as (door, process):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        door.opened.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 0, err
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


def test_reader_that_does_not_read_holds_nothing_up(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    """Such as a pager that shows the first page."""
    buckets.put(*(f"{'long ' * 40}{key}" for key in KEYS))
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with frogmove.process("ls", stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        assert os.read(reading, 1)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_WAIT) == 130
    os.close(reading)
