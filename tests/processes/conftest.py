"""Runs by several processes, all of which have something to do."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pytest

from frogmove import Client, Config, Limits, Outcome, Result, Run
from frogmove.processes import members, pool
from frogmove.run_config import new_spec, select_for
from tests.buckets import Buckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.core.run_spec import Command
    from frogmove.core.selection_options import SelectionOptions
    from tests.fault_proxy import FaultProxy
    from tests.servers import Server

KEYS = [f"{'abcdefgh'[number % 8]}/{number:03}" for number in range(120)]


@pytest.fixture
def buckets(ministack: Server) -> Buckets:
    return Buckets.make(ministack)


@pytest.fixture
def through(ministack_proxy: FaultProxy) -> FaultProxy:
    """The proxy that a run may go through."""
    ministack_proxy.reset()
    return ministack_proxy


@pytest.fixture
def start(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Run]]:
    """Start a run by three processes, all of which have something to do."""
    monkeypatch.setattr(pool, "MIN_OBJECTS", 20)
    monkeypatch.setattr(members, "_RESPLIT_AFTER", 10)
    monkeypatch.setattr(pool.Pool, "_poll", _once_all_are_ready)
    for name, value in buckets.server.environment().items():
        monkeypatch.setenv(name, value)
    config = Config(
        f"s3://{buckets.source}",
        f"s3://{buckets.destination}",
        endpoint_url=buckets.server.endpoint_url,
    )
    made: list[Client] = []

    def begin(
        command: Command,
        proxy: FaultProxy | None = None,
        journal: Path | None = None,
        rate: float | None = 200,
        limits: Limits | None = None,
        counts_skips: bool = False,
        require_tag: str | None = None,
        **chosen: Unpack[SelectionOptions],
    ) -> Run:
        endpoint_url = config.endpoint_url if proxy is None else proxy.endpoint_url
        limits = limits or Limits(6, rate=rate)
        client = Client(replace(config, endpoint_url=endpoint_url), limits)
        made.append(client)
        spec = new_spec(command, replace(config, require_tag=require_tag))
        spec = replace(spec, processes=3, concurrency=6)
        spec = select_for(spec, (), chosen or {"everything": True})
        return client.start(client.prepare(spec), journal, counts_skips=counts_skips)

    yield begin
    for client in made:
        client.close()


_poll = pool.Pool._poll


def _once_all_are_ready(self: pool.Pool) -> None:
    """Go on once every worker that was started can take a range: a busy machine starts slowly."""
    _poll(self)
    while any(each.range is None and each not in self._idle for each in self._remotes):
        self._receive()


def workers_of(parent: int) -> list[int]:
    """Return the worker processes of a process that have work, or had some."""
    by_arguments = [] if sys.platform == "linux" else ["-f"]
    found = subprocess.run(
        ["pgrep", "-P", str(parent), *by_arguments, r"frogmove\.(processes\.task_)?worker"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


def wait_for_workers(parent: int, number: int) -> list[int]:
    """Wait until a process has so many worker processes, and return them."""
    deadline = time.monotonic() + 60
    while len(workers := workers_of(parent)) < number and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) == number
    return workers


def wait_until_gone(processes: list[int]) -> None:
    """Wait until processes have ended."""
    deadline = time.monotonic() + 60
    while left := [each for each in processes if Path(f"/proc/{each}").exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def outcomes(results: list[Result]) -> dict[str, Outcome]:
    assert len({result.key for result in results}) == len(results)
    return {result.key: result.outcome for result in results}
