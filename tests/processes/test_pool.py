"""Runs by several processes, on a real server: whatever becomes of a worker, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from frogmove import Outcome, Run
from frogmove.core.journal import segments_of
from frogmove.core.journal_reader import JournalReader
from frogmove.core.run_spec import Command
from frogmove.processes.pool import Pool
from tests.cli.cli_runner import FrogmoveRunner
from tests.processes.conftest import KEYS, outcomes, wait_for_workers, wait_until_gone, workers_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.buckets import Buckets


@pytest.mark.parametrize(
    "command",
    [
        Command.MOVE,
        pytest.param(Command.COPY, marks=pytest.mark.matrix),
        pytest.param(Command.SYNC, marks=pytest.mark.matrix),
    ],
)
def test_keys_are_done_once_and_by_several_processes(
    start: Callable[..., Run], buckets: Buckets, command: Command
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


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs two cores of Linux"
)
def test_worker_is_scheduled_as_a_batch_and_this_process_as_before(
    start: Callable[..., Run], buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    usable = os.sched_getaffinity(0)
    policies = set[int]()
    for _ in start(Command.COPY):
        # On a busy machine, its core may already be given up.
        policies |= {os.sched_getscheduler(each) for each in workers_of(os.getpid())}
    assert os.SCHED_BATCH in policies
    assert (os.sched_getaffinity(0), os.sched_getscheduler(0)) == (usable, os.SCHED_OTHER)


@pytest.mark.matrix
def test_journal_without_all_its_parts_is_not_taken_for_the_whole(
    start: Callable[..., Run], buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    run = start(Command.MOVE)
    assert len(list(run)) == len(KEYS)
    segment = segments_of(run.path)[0]
    parts = segment.rename(segment.with_name("elsewhere"))
    runner = FrogmoveRunner(buckets)
    for command in (("verify",), ("report",), ("undo", "--dry-run"), ("undo",)):
        ran = runner(command[0], run.spec.id, *command[1:])
        assert (ran.code, f"{segment} is missing" in ran.err) == (1, True), command
    left = len(buckets.keys_here())
    assert 0 < left < len(KEYS)
    parts.rename(segment)
    assert runner("undo", run.spec.id).code == 0
    assert sorted(buckets.keys_here()) == sorted(KEYS)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(Command.MOVE, marks=pytest.mark.matrix),
        pytest.param(Command.COPY, marks=pytest.mark.matrix),
        Command.SYNC,
    ],
)
def test_processes_select_alike_and_give_the_same_keys(
    start: Callable[..., Run], buckets: Buckets, command: Command
) -> None:
    buckets.put(*KEYS, "b", "h2/1")
    buckets.put_there("new/b", body=b"b")
    selected = {key for key in KEYS if key[0] in "abch" and not key.endswith("1")}
    chosen = {"prefix": ["h", "c/", "a", "b", "a/0"], "exclude": "*1", "to_prefix": "new"}
    run = start(command, **chosen)
    results = {result.key: result.outcome for result in run}
    assert segments_of(run.path)
    assert set(results) == selected | {"b"}
    assert set(buckets.there()) == {f"new/{key}" for key in results}
    left = {*KEYS, "b", "h2/1"} - (set(results) if command is Command.MOVE else set())
    assert set(buckets.keys_here()) == left
    if command is Command.SYNC:
        assert results["b"] is Outcome.SKIPPED
        assert {result.outcome for result in start(command, **chosen)} == {Outcome.SKIPPED}


def test_worker_that_is_killed_costs_nothing(start: Callable[..., Run], buckets: Buckets) -> None:
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
    assert (run.progress.planned, run.progress.total) == (len(KEYS), len(KEYS))
    assert sorted(outcomes(results)) == sorted(KEYS)
    assert (buckets.keys_here(), sorted(buckets.there())) == ([], sorted(KEYS))


def test_stop_reaches_every_worker_and_a_resume_does_the_rest(
    start: Callable[..., Run], buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    # So slow that it cannot end before a worker's results are seen.
    run = start(Command.MOVE, rate=40)
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


def test_objects_that_are_skipped_are_counted_once_although_the_source_is_listed_again(
    start: Callable[..., Run], buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put(*KEYS)
    buckets.put_there(*KEYS[40:])
    close = Pool.close

    def close_and_list_again(self: Pool) -> None:
        close(self)
        self.is_broken = True

    monkeypatch.setattr(Pool, "close", close_and_list_again)
    run = start(Command.SYNC)
    list(run)
    counts = {outcome: count for outcome, count in run.summary.counts.items() if count}
    assert counts == {Outcome.COPIED: 40, Outcome.SKIPPED: 80}
    assert run.progress.planned == len(KEYS)


SCRIPT = """
import sys
from frogmove.processes import pool
pool.MIN_OBJECTS = 20
from frogmove.__main__ import main
main()
"""


def test_workers_do_not_outlive_a_run_that_is_killed(buckets: Buckets, tmp_path: Path) -> None:
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
    workers = wait_for_workers(process.pid, 2)
    process.kill()
    process.wait()
    wait_until_gone(workers)
    assert {**buckets.here(), **buckets.there()}.keys() == set(KEYS)


@pytest.mark.parametrize("number", [30, pytest.param(90, marks=pytest.mark.matrix)])
def test_run_that_is_stopped_has_ended_only_if_everything_is_done(
    start: Callable[..., Run], buckets: Buckets, number: int
) -> None:
    buckets.put(*KEYS)
    run = start(Command.COPY, rate=None)
    for received, _ in enumerate(run):
        if received == number:
            run.stop()
    assert run.summary.interrupted == (len(buckets.there()) < len(KEYS))
