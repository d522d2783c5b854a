"""Runs by several processes, on a real server: whatever becomes of a worker, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from frogmove import Client, Config, Limits, Outcome, Result, Run
from frogmove.core.journal import segments_of
from frogmove.core.journal_reader import JournalReader
from frogmove.core.run_spec import Command
from frogmove.processes import pool
from frogmove.run_config import new_spec, select_for
from tests.buckets import Buckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import Server

KEYS = [f"{'abcdefgh'[number % 8]}/{number:03}" for number in range(200)]


@pytest.fixture
def buckets(ministack: Server) -> Buckets:
    return Buckets.make(ministack)


@pytest.fixture
def start(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Command], Run]]:
    """Start a run by three processes, all of which have something to do."""
    monkeypatch.setattr(pool, "MIN_OBJECTS", 20)
    monkeypatch.setattr(pool, "_RESPLIT_AFTER", 10)
    monkeypatch.setattr(pool.Pool, "_poll", _once_all_are_ready)
    for name, value in buckets.server.environment().items():
        monkeypatch.setenv(name, value)
    config = Config(
        f"s3://{buckets.source}",
        f"s3://{buckets.destination}",
        endpoint_url=buckets.server.endpoint_url,
    )
    made: list[Client] = []

    def begin(command: Command) -> Run:
        client = Client(config, Limits(6, rate=200))
        made.append(client)
        spec = replace(new_spec(command, config), processes=3, concurrency=6)
        spec = select_for(spec, (), {"everything": True})
        return client.start(client.prepare(spec))

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
    """Return the worker processes of a process."""
    found = subprocess.run(
        ["pgrep", "-P", str(parent), "-f", "frogmove.worker"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


def outcomes(results: list[Result]) -> dict[str, Outcome]:
    assert len({result.key for result in results}) == len(results)
    return {result.key: result.outcome for result in results}


@pytest.mark.parametrize("command", [Command.MOVE, Command.COPY, Command.SYNC])
def test_every_key_is_done_once_and_by_several(
    start: Callable[[Command], Run], buckets: Buckets, command: Command
) -> None:
    buckets.put(*KEYS)
    run = start(command)
    results = list(run)
    done = Outcome.MOVED if command is Command.MOVE else Outcome.COPIED
    assert outcomes(results) == dict.fromkeys(KEYS, done)
    assert sorted(buckets.there()) == sorted(KEYS)
    assert sorted(buckets.here()) == ([] if command is Command.MOVE else sorted(KEYS))
    assert segments_of(run.path)
    assert workers_of(os.getpid()) == []
    journal = JournalReader(run.path)
    assert sorted(record["key"] for record in journal.of_type("copied")) == sorted(KEYS)
    end = journal.end()
    assert end is not None
    assert end["counts"][done] == len(KEYS)


def test_a_worker_that_is_killed_costs_nothing(
    start: Callable[[Command], Run], buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    run = start(Command.MOVE)
    results = []
    killed = False
    for result in run:
        results.append(result)
        at_work = [path for path in segments_of(run.path) if path.stat().st_size > 5_000]
        if at_work and not killed:
            os.kill(workers_of(os.getpid())[0], signal.SIGKILL)
            killed = True
    assert killed
    assert set(outcomes(results).values()) == {Outcome.MOVED}
    assert sorted(outcomes(results)) == sorted(KEYS)
    assert (buckets.keys_here(), sorted(buckets.there())) == ([], sorted(KEYS))


def test_stopping_reaches_every_worker_and_a_resume_does_the_rest(
    start: Callable[[Command], Run], buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    run = start(Command.MOVE)
    results = []
    for result in run:
        results.append(result)
        if segments_of(run.path) and any(p.stat().st_size > 3_000 for p in segments_of(run.path)):
            run.stop()
    assert run.summary.interrupted
    moved = {key for key, outcome in outcomes(results).items() if outcome is Outcome.MOVED}
    assert moved == set(buckets.there())
    assert sorted([*moved, *buckets.keys_here()]) == sorted(KEYS)
    assert workers_of(os.getpid()) == []


SCRIPT = """
import sys
from frogmove.processes import pool
pool.MIN_OBJECTS = 20
from frogmove.__main__ import main
main()
"""


def test_no_worker_outlives_a_run_that_is_killed(buckets: Buckets, tmp_path: Path) -> None:
    buckets.put(*KEYS)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    arguments = ["move", "--all", "--processes", "3", "--max-rate", "60", *buckets.ends]
    environment = {**os.environ, **buckets.server.environment()}
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments, "--endpoint-url", buckets.server.endpoint_url],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    workers: list[int] = []
    while len(workers) < 2 and time.monotonic() < deadline:
        workers = workers_of(process.pid)
        time.sleep(0.05)
    assert len(workers) == 2
    process.kill()
    process.wait()
    while any(Path(f"/proc/{each}").exists() for each in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{each}").exists() for each in workers)
    assert {**buckets.here(), **buckets.there()}.keys() == set(KEYS)
