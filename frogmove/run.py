"""A run: a plan, done action by action, with its journal."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from frogmove.core.journal_file import JournalFile
from frogmove.core.models import Action, Outcome, Verb
from frogmove.core.plan import plan_move
from frogmove.core.preflight import explained
from frogmove.core.records import Summary
from frogmove.core.run_spec import Command
from frogmove.core.selection import HEAD_CONCURRENCY, Keys, find, find_remaining
from frogmove.core.sync_plan import plan_resolved_sync
from frogmove.core.transfer import run
from frogmove.core.undo import copies_of, plan_undo
from frogmove.errors import UsageError
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from frogmove.core.journal_file import JournalReader
    from frogmove.core.models import Result, Route
    from frogmove.core.options import TransferOptions
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3
    from frogmove.s3.retry import RetryingS3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do; iterate over it for its actions, once.

    Attributes:
        spec: the run.
        route: where from and where to; of an undo, the other way round.
        options: how objects are moved.
        actions: what to do, made as they are taken.
        warnings: what somebody should know beforehand.
        earlier: the runs that this one resumes or undoes, the oldest first.
        stop: once set, no further action is planned.
    """

    spec: RunSpec
    route: Route
    options: TransferOptions
    actions: Iterable[Action]
    warnings: tuple[str, ...]
    earlier: tuple[JournalReader, ...]
    stop: Event

    def __iter__(self) -> Iterator[Action]:
        with explained(self.route.source.bucket):
            yield from self.actions


def plan_actions(
    s3: S3, spec: RunSpec, earlier: tuple[JournalReader, ...], stop: Event
) -> Iterable[Action]:
    """Plan a run, whatever it does.

    Args:
        s3: where both ends are.
        spec: the run.
        earlier: the runs that it resumes or undoes, the oldest first.
        stop: once set, no further action is planned.

    Raises:
        UsageError: when a key that was named is not there.
        UnreachableError: when the source cannot be looked at.
    """
    route = spec.route()
    if spec.command == Command.SYNC:
        return plan_resolved_sync(s3, route, HEAD_CONCURRENCY, stop, spec.sync_options())
    if spec.command == Command.UNDO:
        if not earlier:
            raise UsageError("An undo needs the journal of the run that it undoes.")
        return plan_undo(copies_of(*earlier))
    selection = spec.selection()
    end = earlier[-1].end() if earlier else None
    if end is not None and not end["interrupted"]:
        # It came to its end: only what failed is left to do.
        selection = Keys(tuple(earlier[-1].failed_keys()), spec.version_id)
    # What an earlier run moved already is no longer there.
    look = find_remaining if earlier else find
    with explained(route.source.bucket):
        objects = look(selection, s3, route, HEAD_CONCURRENCY)
    moves = plan_move(objects, route)
    return _as_copies(moves) if spec.command == Command.COPY else moves


def _as_copies(actions: Iterable[Action]) -> Iterator[Action]:
    for action in actions:
        yield replace(action, verb=Verb.COPY) if action.verb is Verb.MOVE else action


class Run:
    """One run. Iterate over it for its results, once; nothing is done before that.

    Args:
        s3: where both ends are.
        plan: what to do.
        journal: the file of its journal, which must not exist.

    Attributes:
        spec: what it was asked to do.
        path: its journal.
        summary: what it came to so far.
        planned: how many actions have been planned so far.
        is_planned: whether those are all.

    Raises:
        UsageError: when the journal cannot be written.
    """

    def __init__(self, s3: RetryingS3, plan: Plan, journal: Path) -> None:
        self._s3 = s3
        self._plan = plan
        self.spec = plan.spec
        self.path = journal
        self.summary = Summary()
        self.planned = 0
        self.is_planned = False
        resumes = plan.earlier and plan.spec.command != Command.UNDO
        left = plan.earlier[-1].uploads() if resumes else None
        self._journal = JournalFile(journal, plan.spec, left)
        self._actions = self._counted(plan.actions)
        self._results = self._execute()

    def __iter__(self) -> Iterator[Result]:
        """Do what is planned, and yield each result as it ends.

        Whoever stops taking results interrupts the run: see :meth:`close`.

        Raises:
            RunError: after the results of everything in flight, when nothing more can succeed.
        """
        return self._results

    def stop(self) -> None:
        """Begin nothing more; what is in flight ends. From any thread."""
        self._plan.stop.set()
        self._s3.drop_turns()

    def close(self) -> None:
        """End the run as interrupted, unless it has ended: in-flight actions are finished."""
        self._results.close()

    def _execute(self) -> Generator[Result]:
        plan, stop = self._plan, self._plan.stop
        results = run(self._actions, self._s3, plan.route, plan.options, stop, self._journal)
        try:
            for result in results:
                self.summary.add(result)
                yield result
        except GeneratorExit:
            self.stop()
            for result in results:
                self.summary.add(result)
            self._end()
            raise
        except BaseException:
            self._journal.close()
            raise
        self._end()

    def _counted(self, actions: Iterable[Action]) -> Iterator[Action]:
        for action in actions:
            self.planned += 1
            yield action
        self.is_planned = True

    def _end(self) -> None:
        self.summary.interrupted = self._plan.stop.is_set() and self._has_more()
        if not self.summary.interrupted:
            self._abort(self._journal.abandon_uploads())
        self._journal.end(self.summary)

    def _has_more(self) -> bool:
        """Tell whether a run that was stopped left anything to do."""
        counts = self.summary.counts
        if self.planned > counts.total() or counts[Outcome.FAILED]:
            return True
        try:
            return next(self._actions, None) is not None
        except S3Error:
            return True

    def _abort(self, uploads: Iterable[tuple[str, str]]) -> None:
        """Abort the uploads that an earlier run left and that nothing came back for."""
        for key, upload_id in uploads:
            with suppress(S3Error):
                self._s3.abort_upload(self._plan.route.destination.bucket, key, upload_id).result()
