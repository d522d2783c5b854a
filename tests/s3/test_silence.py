"""A server that does not answer: a word after a moment, an end within a minute, nothing lost."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from frogmove.cli import waiting_notice
from frogmove.s3 import timeouts, transport
from tests import fault_proxy as faults
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES, FaultFixture
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

COMMANDS = {
    "ls": ["ls"],
    "move": ["move", "--all"],
    "key": ["move", "a"],
    "sync": ["sync"],
    "dry": ["sync", "-n"],
}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass for a twenty-fifth of a minute."""
    monkeypatch.setattr(timeouts, "QUICK", 0.8)
    monkeypatch.setattr(timeouts, "CONNECT", 0.8)
    monkeypatch.setattr(timeouts, "HANDSHAKE", 0.8)
    monkeypatch.setattr(timeouts, "STALLED", 1.4)
    monkeypatch.setattr(transport, "TIMEOUT_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(waiting_notice, "NOTICE_SECONDS", 0.3)
    monkeypatch.setattr(waiting_notice, "CHECK_SECONDS", 0.05)


@contextmanager
def mute() -> Iterator[int]:
    """Accept connections and say nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening.getsockname()[1]


@contextmanager
def full() -> Iterator[int]:
    """Drop whatever would make a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        place = listening.getsockname()
        held = []
        for _ in range(3):
            taken = socket.socket()
            taken.setblocking(False)
            taken.connect_ex(place)
            held.append(taken)
        yield place[1]
        for taken in held:
            taken.close()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_server_that_accepts_and_says_nothing_is_given_up(
    engine: str, command: list[str], scheme: str, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with mute() as port:
        gives_up(runner, engine, command, f"{scheme}://127.0.0.1:{port}")


@pytest.mark.parametrize("engine", ENGINES)
def test_server_that_cannot_be_connected_to_is_given_up(engine: str, moto: Server) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with full() as port:
        gives_up(runner, engine, ["ls"], f"http://127.0.0.1:{port}")


def gives_up(runner: FrogmoveRunner, engine: str, command: list[str], endpoint_url: str) -> None:
    begun = time.monotonic()
    ran = runner(*command, "--endpoint-url", endpoint_url, FROGMOVE_ENGINE=engine)
    assert time.monotonic() - begun < SECONDS_TO_WAIT
    assert ran.code == 2, ran
    assert f"Waiting for {endpoint_url} for" in ran.err
    assert ran.err.count("Error: ") == 1
    assert endpoint_url in ran.err.partition("Error: ")[2]
    assert "Traceback" not in ran.err
    assert ".," not in ran.err


@pytest.fixture
def fault_fixture(engine: str, moto: Server) -> Iterator[FaultFixture]:
    with proxied(moto) as proxy:
        yield FaultFixture.make(moto, proxy)


def test_large_copy_may_answer_late(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "LARGE", 10)
    fault_fixture.buckets.put("large", body=b"more than ten bytes")

    def decide(request: Request) -> Fault:
        if request.operation == "CopyObject" and request.key == "large":
            time.sleep(2)
        return PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("move", "large", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"large": "moved"})
    assert fault_fixture.sent("CopyObject") == 1


def test_server_that_falls_silent_ends_the_run_and_loses_nothing(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = {f"{number:03}": f"{number:03}".encode() for number in range(60)}
    fault_fixture.buckets.put(*bodies)
    fault_fixture.proxy.schedule = lambda request: (
        faults.SILENCE if fault_fixture.sent("CopyObject") > 10 and not request.is_probe else PASS
    )
    begun = time.monotonic()
    ran = fault_fixture.frogmove("move", "--all", "-o", "json", "--concurrency", "4")
    assert time.monotonic() - begun < SECONDS_TO_WAIT
    assert ran.code == 1
    assert "resume" in ran.err
    assert {**fault_fixture.buckets.here(), **fault_fixture.buckets.there()} == bodies
    fault_fixture.proxy.reset()
    monkeypatch.setattr(timeouts, "QUICK", 20.0)
    monkeypatch.setattr(timeouts, "STALLED", 38.0)
    assert fault_fixture.frogmove("resume").code == 0
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, bodies)
