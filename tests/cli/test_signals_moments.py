"""Signals at every request of a run, and at many moments in between: nothing is left or lost."""

from __future__ import annotations

import signal
import subprocess
import time
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from tests.fault_fixture import ENGINES, FaultFixture
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request

if TYPE_CHECKING:
    from collections.abc import Callable


KEYS = [f"{number:02}" for number in range(12)]
PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

# The whole run sends about thirty.
REQUESTS = 34


@pytest.fixture
def fault_fixture(fault_fixture: FaultFixture) -> FaultFixture:
    fault_fixture.buckets.put(*KEYS)
    return fault_fixture


def run(fault_fixture: FaultFixture, when: Callable[[subprocess.Popen[bytes]], None]) -> int:
    """Run a move that gets a signal; returns its exit code."""
    with fault_fixture.frogmove.process("move", "--all", "--concurrency=4", **PIPES) as process:
        when(process)
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    fault_fixture.proxy.reset()
    assert b"Traceback" not in err, err
    here, there = fault_fixture.buckets.here(), fault_fixture.buckets.there()
    assert sorted([*here, *there]) == KEYS
    uploads = fault_fixture.buckets.client.list_multipart_uploads(
        Bucket=fault_fixture.buckets.destination
    )
    assert uploads.get("Uploads", []) == []
    if process.returncode == 130 and b"frogmove resume" in err:
        assert fault_fixture.frogmove("resume").code == 0
        assert sorted(fault_fixture.buckets.there()) == KEYS
    return process.returncode


def signalled_at(fault_fixture: FaultFixture, number: int, signum: signal.Signals) -> int:
    """Run a move that gets a signal at its n-th request; returns its exit code."""
    started: list[subprocess.Popen[bytes]] = []

    def decide(request: Request) -> Fault:
        if request.number == number:
            started[0].send_signal(signum)
        return PASS

    fault_fixture.proxy.reset(decide)
    return run(fault_fixture, started.append)


@pytest.mark.parametrize("number", [1, 3, 4, 7, 11, 16])
def test_signal_at_a_request_leaves_nothing(fault_fixture: FaultFixture, number: int) -> None:
    assert signalled_at(fault_fixture, number, signal.SIGTERM) == 130


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("number", range(1, REQUESTS))
def test_signal_at_any_request_leaves_nothing(
    fault_fixture: FaultFixture,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    signum: signal.Signals,
    engine: str,
) -> None:
    monkeypatch.setenv("FROGMOVE_ENGINE", engine)
    # With its last requests a run may have ended.
    assert signalled_at(fault_fixture, number, signum) in ({130} if number < 20 else {0, 130})


@pytest.mark.long
@pytest.mark.parametrize("moment", range(40))
def test_signal_at_any_moment_leaves_nothing(fault_fixture: FaultFixture, moment: int) -> None:
    def when(process: subprocess.Popen[bytes]) -> None:
        time.sleep(moment * 0.05)
        process.send_signal(signal.SIGTERM)

    # Before the interpreter has come to us, and when all is done, it is not for us to answer.
    assert run(fault_fixture, when) in {-signal.SIGTERM, 0, 130}


def test_run_that_was_stopped_before_its_first_object_can_be_resumed(
    fault_fixture: FaultFixture,
) -> None:
    listed, go = Event(), Event()

    def hold(request: Request) -> Fault:
        # The first page of all is one of the checks before the run.
        if request.operation == "ListObjectsV2" and request.query.get("prefix", "") == "1/":
            listed.set()
            go.wait(SECONDS_TO_WAIT)
        return PASS

    fault_fixture.buckets.put("1/a")
    fault_fixture.proxy.reset(hold)
    chosen = ("--prefix", "0", "--prefix", "1")
    with fault_fixture.frogmove.process("move", *chosen, **PIPES) as process:
        assert listed.wait(SECONDS_TO_WAIT)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert any(b"finishing the objects in flight" in line for line in process.stderr)
        go.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    fault_fixture.proxy.reset()
    assert process.returncode == 130
    assert b"frogmove resume" in err
    assert fault_fixture.frogmove("resume").code == 0
    assert sorted(fault_fixture.buckets.here()) == KEYS
    assert sorted(fault_fixture.buckets.there()) == ["1/a"]


def test_second_signal_amid_the_probe_says_what_may_be_left(
    fault_fixture: FaultFixture,
) -> None:
    asked, go = Event(), Event()

    def hold(request: Request) -> Fault:
        if request.is_probe and request.operation == "CopyObject":
            asked.set()
            go.wait(SECONDS_TO_WAIT)
        return PASS

    fault_fixture.proxy.reset(hold)
    with fault_fixture.frogmove.process("move", "--all", **PIPES) as process:
        assert asked.wait(SECONDS_TO_WAIT)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert any(b"finishing the objects in flight" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_TO_WAIT) == 130
        last = process.stderr.read().decode()
        go.set()
    fault_fixture.proxy.reset()
    assert f".frogmove-probe-... may be left at s3://{fault_fixture.buckets.destination}/" in last
    assert sorted(fault_fixture.buckets.here()) == KEYS
