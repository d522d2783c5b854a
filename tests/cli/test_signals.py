"""Ctrl-C and SIGTERM on a process of its own, with copies held in flight by a gate."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.blocking_proxy import SECONDS_TO_WAIT, BlockingProxy, blocking_proxy
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

KEYS = [f"{number:03}" for number in range(50)]
HELD = 8


@pytest.fixture
def buckets(ministack: Server) -> Buckets:
    """Those of the one server of which conditions and odd keys are both to be expected."""
    return Buckets.make(ministack)


@contextmanager
def in_flight(
    runner: FrogmoveRunner, *arguments: str
) -> Iterator[tuple[BlockingProxy, subprocess.Popen[bytes]]]:
    """Run a command up to the point where copies are in flight."""
    with blocking_proxy(runner.buckets.server) as door:
        process = runner.process(
            *arguments,
            env={"FROGMOVE_ENDPOINT_URL": door.endpoint_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                door.wait_for_copies(HELD)
                yield door, process
            finally:
                process.kill()


def interrupt(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal and wait until it has been heard."""
    process.send_signal(number)
    for line in lines(process.stderr):
        if "finishing what is in flight" in line:
            return
    pytest.fail("the signal was not answered")


def lines(stream: IO[bytes] | None) -> Iterator[str]:
    assert stream is not None
    yield from (line.decode() for line in stream)


def records(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_finishes_what_is_in_flight(
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


def test_the_second_signal_ends_at_once_and_nothing_is_lost(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all") as (door, process):
        interrupt(process, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_WAIT) == 130
        assert not door.opened.is_set()
        assert sorted(buckets.here()) == KEYS
    assert frogmove("move", "--all").code == 0
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


def test_a_process_that_is_killed_loses_nothing(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all") as (_, process):
        process.kill()
        process.wait(SECONDS_TO_WAIT)
        assert sorted(buckets.here()) == KEYS
    again = frogmove("move", "--all")
    assert again.code == 0
    assert (buckets.here(), sorted(buckets.there())) == ({}, KEYS)


def test_a_signal_is_answered_at_once_even_where_the_server_is_not(moto: Server) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with waiting_for_an_answer(runner, "ls") as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert b"Traceback" not in err


@contextmanager
def waiting_for_an_answer(
    runner: FrogmoveRunner, *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command up to its first request, which is never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = runner.process(
            *arguments,
            env={"FROGMOVE_ENDPOINT_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1)
                    yield process
            finally:
                process.kill()
