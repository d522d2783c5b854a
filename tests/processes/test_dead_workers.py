"""Workers that die, or never start: each key is done, told and recorded once."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import pytest

from frogmove.core.journal import segments_of
from frogmove.core.journal_reader import JournalReader
from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command
from frogmove.core.undo import copies_of
from frogmove.processes import child
from frogmove.processes.members import Local, RangeTask, Remote
from frogmove.processes.pool import Pool
from tests.fault_proxy import PASS, Fault, FaultProxy, Request
from tests.processes.conftest import KEYS, outcomes, workers_of
from tests.processes.task_functions import Exhausting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from frogmove import Run
    from tests.buckets import Buckets


@pytest.mark.parametrize(
    "command", [Command.MOVE, pytest.param(Command.COPY, marks=pytest.mark.matrix)]
)
def test_worker_that_died_has_its_results_reported_and_recorded_once(
    start: Callable[..., Run], buckets: Buckets, through: FaultProxy, command: Command
) -> None:
    buckets.put(*KEYS)
    go, lock = Event(), Lock()
    held: list[str] = []

    def hold_one(request: Request) -> Fault:
        if request.operation == "CopyObject" and not request.is_probe and request.key > "g":
            with lock:
                is_first = not held
                held.append(request.key)
            if is_first:
                go.wait(20)
        return PASS

    through.reset(hold_one)
    run = start(command, through)

    def kill() -> None:
        """Kill the worker whose request is held, once most others are reported."""
        reported.wait(20)
        busy = [path for path in segments_of(run.path) if held[0] in path.read_text("utf-8")]
        numbers = [int(path.suffix[1:]) for path in busy]
        for number in numbers:
            os.kill(sorted(workers_of(os.getpid()))[number - 1], signal.SIGKILL)
        go.set()

    reported = Event()
    killer = Thread(target=kill)
    killer.start()
    results = []
    for result in run:
        results.append(result)
        if len(results) >= len(KEYS) - 20:
            reported.set()
    reported.set()
    killer.join()
    assert sorted(outcomes(results)) == sorted(KEYS)
    assert run.summary.counts.total() == len(KEYS)
    assert (run.progress.planned, run.progress.total) == (len(KEYS), len(KEYS))
    journal = JournalReader(run.path)
    assert journal.cut_off() == []
    assert sorted(record["key"] for record in journal.of_type("result")) == sorted(KEYS)
    assert sorted(record["key"] for record in copies_of(journal)) == sorted(KEYS)
    assert sorted(buckets.there()) == sorted(KEYS)


@pytest.mark.parametrize(
    ("command", "ending"),
    [
        (Command.SYNC, signal.SIGKILL),
        pytest.param(Command.COPY, signal.SIGKILL, marks=pytest.mark.matrix),
        pytest.param(Command.MOVE, signal.SIGKILL, marks=pytest.mark.matrix),
        (Command.MOVE, signal.SIGSTOP),
    ],
)
def test_copy_that_a_worker_had_in_flight_when_it_died_is_one_of_the_run(
    start: Callable[..., Run],
    buckets: Buckets,
    through: FaultProxy,
    command: Command,
    ending: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buckets.put(*KEYS)
    lock = Lock()
    killed: list[str] = []

    def kill_after_a_copy(request: Request) -> None:
        if request.operation != "CopyObject" or request.is_probe:
            return
        with lock:
            by = [path for path in segments_of(run.path) if request.key in path.read_text("utf-8")]
            if by and not killed:
                killed.append(request.key)
                worker = sorted(workers_of(os.getpid()))[int(by[0].suffix[1:]) - 1]
                os.kill(worker, ending)
                monkeypatch.setattr(child, "MAX_MISSED", 3)

    through.passed = kill_after_a_copy
    run = start(command, through)
    done = Outcome.MOVED if command is Command.MOVE else Outcome.COPIED
    assert outcomes(list(run)) == dict.fromkeys(KEYS, done)
    assert killed
    copies = {record["key"]: record for record in copies_of(JournalReader(run.path))}
    assert sorted(copies) == sorted(KEYS)
    assert [record for record in copies.values() if record["held"]] == []


@pytest.mark.parametrize(
    ("left", "is_killed"),
    [(Outcome.SKIPPED, False), (Outcome.SKIPPED, True), (Outcome.WAITING, True)],
)
def test_objects_that_a_run_leaves_are_counted_once(
    start: Callable[..., Run],
    buckets: Buckets,
    through: FaultProxy,
    left: Outcome,
    is_killed: bool,
) -> None:
    is_sync = left is Outcome.SKIPPED
    buckets.put(*KEYS[::2])
    buckets.put(*KEYS[1::2], Tagging="scan=clean")
    if is_sync:
        buckets.put_there(*KEYS[::2])
    lock = Lock()
    killed: list[int] = []

    def kill_after_a_copy(request: Request) -> None:
        if request.operation != "CopyObject" or request.is_probe or request.key < "f":
            return
        with lock:
            if is_killed and not killed:
                # Two that die over one range would end the run.
                killed.append(workers_of(os.getpid())[0])
                os.kill(killed[0], signal.SIGKILL)

    through.passed = kill_after_a_copy
    command, tag = (Command.SYNC, None) if is_sync else (Command.COPY, "scan=clean")
    run = start(command, through, counts_skips=True, require_tag=tag)
    copied = {result.key for result in run if result.outcome is Outcome.COPIED}
    assert copied == set(KEYS[1::2])
    assert bool(killed) == is_killed
    assert run.summary.counts[left] == len(KEYS) // 2
    assert run.summary.counts.total() == len(KEYS)
    assert (run.progress.planned, run.progress.total) == (len(KEYS), len(KEYS))


@pytest.mark.parametrize(
    "command", [Command.MOVE, pytest.param(Command.COPY, marks=pytest.mark.matrix)]
)
def test_range_of_a_worker_that_has_no_memory_is_done_by_another(
    start: Callable[..., Run],
    buckets: Buckets,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buckets.put(*KEYS)
    failing: list[Remote] = []

    def take(self: Remote, given: RangeTask) -> None:
        message = given.as_message()
        if not failing:
            failing.append(self)
            message = replace(message, done=Exhausting(["none of these"]))
        self.send(message)

    monkeypatch.setattr(Remote, "take", take)
    run = start(command)
    done = Outcome.MOVED if command is Command.MOVE else Outcome.COPIED
    assert outcomes(list(run)) == dict.fromkeys(KEYS, done)
    assert [each.process.returncode for each in failing] == [1]
    recorded = [record["key"] for record in JournalReader(run.path).of_type("result")]
    assert sorted(recorded) == sorted(KEYS)


def test_run_that_is_stopped_after_a_worker_died_has_ended_only_if_everything_is_done(
    start: Callable[..., Run], buckets: Buckets
) -> None:
    buckets.put(*KEYS)
    # Most copies wait for the rate when all are planned.
    run = start(Command.COPY, rate=60)
    is_killed = False
    for received, _ in enumerate(run):
        if received == len(KEYS) // 2:
            os.kill(workers_of(os.getpid())[0], signal.SIGKILL)
            is_killed = True
        if is_killed and received > len(KEYS) * 3 // 4 and run.progress.total is not None:
            run.stop()
    assert is_killed
    assert run.summary.interrupted == (len(buckets.there()) < len(KEYS))
    end = JournalReader(run.path).end()
    assert end is not None
    assert end["interrupted"] == run.summary.interrupted


def test_process_alone_does_all_where_the_system_allows_no_other(
    start: Callable[..., Run], buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("frogmove.processes.child.subprocess.Popen", refuse)
    buckets.put(*KEYS[:40])
    assert sorted(outcomes(list(start(Command.MOVE)))) == sorted(KEYS[:40])


@pytest.mark.matrix
def test_file_that_has_the_name_of_a_segment_is_left_alone(
    start: Callable[..., Run], buckets: Buckets, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    theirs = tmp_path / "journal.1"
    theirs.write_text("theirs")
    buckets.put(*KEYS)
    run = start(Command.MOVE, journal=journal)
    assert sorted(outcomes(list(run))) == sorted(KEYS)
    assert theirs.read_text() == "theirs"
    assert len(list(JournalReader(journal).of_type("copied"))) == len(KEYS)


def test_range_that_was_asked_for_by_a_worker_that_died_is_not_given_away(
    start: Callable[..., Run], buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Local.ask

    def kill_and_ask(self: Local) -> None:
        for worker in workers_of(os.getpid()):
            os.kill(worker, signal.SIGKILL)
        ask(self)

    poll = Pool._poll

    def once_they_are_dead(self: Pool) -> None:
        poll(self)
        while self._local.is_asked and len(self._members) > 1:
            self._receive()

    monkeypatch.setattr(Local, "ask", kill_and_ask)
    monkeypatch.setattr(Pool, "_poll", once_they_are_dead)
    buckets.put(*KEYS[:80])
    assert sorted(outcomes(list(start(Command.MOVE)))) == sorted(KEYS[:80])
