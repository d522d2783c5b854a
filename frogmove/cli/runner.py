"""Runs every command that changes objects: prepares a run, then shows its plan or executes it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from frogmove import cpu_scheduling
from frogmove.cli import crash_handler, exit_codes, streams
from frogmove.cli.confirmation import can_ask, confirm_run
from frogmove.cli.dry_run import show_plan
from frogmove.cli.fd_limit import fit_open_files
from frogmove.cli.progress import ProgressDisplay, RunFigures
from frogmove.cli.quantities import objects
from frogmove.cli.run_description import (
    first_line,
    last_lines,
    nothing_selected,
    resume_command,
    unexpected_objects,
)
from frogmove.cli.signals import end, interruptible, is_listening
from frogmove.cli.waiting_notice import WaitingNotice
from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command
from frogmove.errors import RunError
from frogmove.plural import counted
from frogmove.processes import garbage_collector, task_pool, task_worker
from frogmove.processes.spares import spare_workers
from frogmove.run_config import config_of
from frogmove.run_store import discard_lists, journal_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from frogmove.cli.output import Console
    from frogmove.cli.review_options import Review
    from frogmove.cli.signals import Stop
    from frogmove.client import Client
    from frogmove.config import Config
    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.models import Action
    from frogmove.core.run_spec import RunSpec
    from frogmove.ops.clients import Services
    from frogmove.processes.spares import Spare
    from frogmove.run import Run
    from frogmove.run_plan import Plan
    from frogmove.s3.limits import Limits


@contextmanager
def connect(
    config: Config, limits: Limits, console: Console, services: Services | None = None
) -> Iterator[Client]:
    """Connect to S3.

    Args:
        config: the endpoint and the credentials.
        limits: the limits on requests to S3.
        console: the output; also reports a server that does not respond.
        services: clients for further services that may not respond.

    Raises:
        UsageError: when the settings cannot be used.
    """
    # Lazy: this takes half of a command's start time, and --help and completion do not need it.
    from frogmove.client import Client

    with WaitingNotice(console) as notice:
        client = Client(config, fit_open_files(limits, console))
        notice.watch(client)
        if services is not None:
            notice.watch_services(services)
        console.detail(f"Engine: {client.engine}.")
        garbage_collector.tune()
        yield from _closing(client)


def _closing(client: Client) -> Iterator[Client]:
    try:
        yield client
    except KeyboardInterrupt:
        end("Stopped: nothing was moved or copied.")
    finally:
        client.close()


def execute(
    spec: RunSpec,
    console: Console,
    review: Review,
    *,
    journal: Path | None = None,
    earlier: tuple[JournalReader, ...] = (),
    note: str = "",
    allow_empty: bool = True,
) -> int:
    """Execute a run, or show its plan.

    Args:
        spec: the run.
        console: the output.
        review: whether only to show or to write its plan, and whether to ask first.
        journal: the file for its journal; by default in the state directory.
        earlier: the journals of the runs that it resumes or undoes.
        note: a message to print before it starts.
        allow_empty: whether a run that selects nothing succeeds.

    Returns:
        the exit code.

    Raises:
        FrogmoveError: when it was refused or ended early; its results have been shown.
    """
    is_shown = review.is_only_shown
    with (
        key_list_of(spec, journal),
        _spares(spec, earlier, is_shown=is_shown) as spares,
        cpu_scheduling.on_one_core(spec.processes if spares else 1),
        connect(config_of(spec), spec.limits(), console) as client,
    ):
        guard = partial(_finishing_probes, console, spec)
        console.source, console.destination = spec.route().source, spec.route().destination
        is_asked = not (is_shown or review.yes) and can_ask()
        if is_asked and not confirm_run(client, spec, earlier, console):
            console.warn("Nothing was changed.")
            return exit_codes.REFUSED
        plan = client.prepare(spec, earlier, dry_run=is_shown, guard=guard)
        console.note(first_line(plan.spec, client.region, os.environ, dry_run=is_shown))
        if plan.deletions is not None and plan.deletions.warning and not is_asked:
            console.warn(plan.deletions.warning)
        if is_shown:
            return show_plan(plan, console, allow_empty=allow_empty, file=review.plan)
        with interruptible(console) as stop:
            plan = replace(
                plan, stop=stop, actions=_until_stdout_fails(plan.actions, console, stop)
            )
            return _run(client, plan, spares, console, stop, journal, note, allow_empty=allow_empty)


@contextmanager
def key_list_of(spec: RunSpec, journal: Path | None = None) -> Iterator[None]:
    """Delete a run's list of keys and its plan in the end, if the run has no journal."""
    try:
        yield
    finally:
        discard_lists(spec, journal or journal_path(spec.id))


@contextmanager
def _spares(
    spec: RunSpec, earlier: tuple[JournalReader, ...], *, is_shown: bool
) -> Iterator[list[Spare]]:
    """Fork the workers that a run may need, before it has further threads."""
    # Lazy: see connect.
    from frogmove.run import can_be_split
    from frogmove.worker import prepare_engine, serve

    if is_shown or not can_be_split(spec, earlier):
        yield []
        return
    prepare_engine(config_of(spec).engine)
    with spare_workers(spec.processes - 1, serve, 1 + is_listening()) as spares:
        yield spares


@contextmanager
def spare_task_workers(processes: int) -> Iterator[list[Spare]]:
    """Fork the workers that a task pool may need, before this process has further threads.

    Args:
        processes: the maximum number of processes, this one included.
    """
    count = min(processes, task_pool.MAX_PROCESSES) - 1
    with spare_workers(count, task_worker.serve, 1 + is_listening()) as spares:
        yield spares


@contextmanager
def _finishing_probes(console: Console, spec: RunSpec) -> Iterator[Event]:
    """Finish probes that write temporary keys before an interrupt stops the command."""
    probed = spec.source if spec.command is Command.UNDO else spec.destination
    with interruptible(console) as stop:
        stop.end_message = (
            "Stopped immediately: nothing was moved or copied. A key .frogmove-probe-... may be "
            f"left at {probed}: delete it."
        )
        yield stop
    if stop.is_set():
        raise KeyboardInterrupt


def _until_stdout_fails(
    actions: Iterable[Action], console: Console, stop: Event
) -> Iterator[Action]:
    """Yield the actions until stdout cannot be written any more."""
    for action in actions:
        if not console.is_writable():
            stop.set()
        yield action


def _run(
    client: Client,
    plan: Plan,
    spares: list[Spare],
    console: Console,
    stop: Stop,
    journal: Path | None,
    note: str,
    *,
    allow_empty: bool,
) -> int:
    shortcomings = "; ".join(plan.options.capabilities.shortcomings) or "honours all of them"
    console.detail(f"Conditions: {client.endpoint_url} {shortcomings}.")
    for warning in plan.warnings:
        console.warn(warning)
    if note:
        console.note(note)
    run = client.start(plan, journal, spares, counts_skips=not console.shows_unchanged)
    crash_handler.begin("The run", run.spec.id)
    console.detail(f"Journal: {run.path}")
    stop.on_stop = run.stop
    stop.end_message = _end_message(run, resume_command(run.spec, journal))
    failure = _take_results(run, console)
    _warn_of_ending(run, console)
    is_unfinished = failure is not None or run.summary.interrupted
    console.summary(run.summary, run.spec.id, is_unfinished=is_unfinished)
    is_empty = not (run.summary.counts.total() or stop.is_set() or failure)
    if is_empty and not allow_empty:
        console.warn(nothing_selected(run.spec))
    _print_next_commands(console, run, journal, is_unfinished=is_unfinished)
    if failure is not None:
        raise failure
    if streams.failure() or run.has_too_many_failures:
        return exit_codes.ATTENTION
    if stop.is_set():
        return exit_codes.INTERRUPTED
    if is_empty and not allow_empty:
        return exit_codes.ATTENTION
    return _exit_code(run)


def _warn_of_ending(run: Run, console: Console) -> None:
    """Warn of the reasons why a run did not do everything."""
    if streams.failure():
        console.warn(streams.explain())
    if run.has_too_many_failures:
        count = run.summary.counts[Outcome.FAILED]
        failed = counted(count, "object has failed", "objects have failed")
        console.warn(f"Stopped, because {failed} (--max-errors {run.spec.max_errors}).")
    if run.undeleted and run.summary.counts[Outcome.FAILED]:
        verb = "was" if run.undeleted == 1 else "were"
        text = f"{objects(run.undeleted)} that only the destination has {verb} not deleted"
        console.warn(f"{text}, because others failed.")
    left = unexpected_objects(run.spec, run.summary)
    if left:
        console.warn(left)


def _exit_code(run: Run) -> int:
    """Return the exit code of a run that was not stopped."""
    if run.spec.command is Command.UNDO:
        # An object that changed since then was not moved back.
        return exit_codes.of_summary(run.summary, Outcome.SUPERSEDED)
    if run.spec.plan is not None:
        # What changed since the review was not done.
        return exit_codes.of_summary(run.summary, Outcome.SUPERSEDED, Outcome.GONE)
    return exit_codes.of_summary(run.summary)


def _take_results(run: Run, console: Console) -> RunError | None:
    """Execute a run and show its results; return the error if it ended early."""
    with ProgressDisplay(console, RunFigures(run)):
        try:
            for result in run.live():
                if result is not None:
                    console.done(result)
                if not console.is_writable():
                    run.stop()
        except RunError as error:
            return error
    return None


def _end_message(run: Run, finishing: str) -> str:
    """Say where the objects in flight are, if the run is ended immediately."""
    spec = run.spec
    return (
        f"Run {spec.id} was ended immediately. Each object in flight is complete at {spec.source}, "
        f"at {spec.destination}, or at both. To finish this run: {finishing}"
    )


def _print_next_commands(
    console: Console, run: Run, journal: Path | None, *, is_unfinished: bool
) -> None:
    """Print the run's id, and the commands to finish or undo it."""
    if not run.path.exists():
        # A run that did nothing has no journal, so it cannot be finished or undone.
        console.note(f"Run {run.spec.id} changed nothing.")
        return
    show = console.warn if is_unfinished else console.note
    for line in last_lines(run.spec, run.summary, journal, is_unfinished=is_unfinished):
        show(line)
