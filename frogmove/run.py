"""A run: executes a plan and writes its journal."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import GEN_CREATED, getgeneratorstate
from itertools import chain
from threading import Timer
from typing import TYPE_CHECKING

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Action, Outcome
from frogmove.core.records import Summary
from frogmove.core.run_spec import Command
from frogmove.core.transfer import run_live
from frogmove.s3.errors import S3Error
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from frogmove.config import Config
    from frogmove.core.models import Result
    from frogmove.core.run_spec import RunSpec
    from frogmove.processes.pool import Pool
    from frogmove.processes.spares import Spare
    from frogmove.run_plan import Plan
    from frogmove.s3.activity import Activity
    from frogmove.s3.limits import Limits
    from frogmove.s3.retry import RetryingS3


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that a run may use.

    Attributes:
        count: the maximum, including the run's own; with 1, none of them is used.
        config: the endpoint and the credentials.
        limits: the limits on requests of all of them together.
        spares: see :func:`frogmove.processes.spares.spare_workers`.
        counts_skips: whether they send only the number of skipped objects, so that these have no
            results.
    """

    count: int
    config: Config
    limits: Limits
    spares: list[Spare] = field(default_factory=list)
    counts_skips: bool = False


# A process finishes one folder, with its last deletes, before it starts the next one. With more,
# small folders, these pauses cost more than further processes gain.
MAX_SPLIT_FOLDERS = 16


def can_be_split(spec: RunSpec, earlier: Sequence[JournalReader] = ()) -> bool:
    """Tell whether a run can be split into ranges of keys.

    Args:
        spec: the run.
        earlier: the journals of the runs that it resumes, oldest first.
    """
    return (
        os.name == "posix"
        and spec.processes > 1
        and spec.command in {Command.MOVE, Command.COPY, Command.SYNC}
        and 0 < len(spec.selection.folders) <= MAX_SPLIT_FOLDERS
        and spec.plan is None
        and spec.mapping.keeps_order
        and not (earlier and earlier[-1].end())
        and not is_directory_bucket(spec.route().source.bucket)
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run.

    Attributes:
        counts: the number of results of each outcome.
        bytes: bytes moved or copied, including finished parts of large objects.
        planned: how many actions have been planned.
        total: the number of all actions; None while it is not known.
        activity: the requests in flight.
    """

    counts: Counter[Outcome]
    bytes: int
    planned: int
    total: int | None
    activity: Activity

    @property
    def done(self) -> int:
        """How many actions have a result."""
        return self.counts.total()

    @property
    def waiting(self) -> int:
        """How many actions wait to start, for a retry or for their delete."""
        return max(0, self.planned - self.done - self.activity.in_flight)


# Seconds for which a stopped run waits for the next action of its plan.
PLANNING_SECONDS = 1.0


class Run:
    """A run. Iterate over it for its results, once; it starts with the iteration.

    Args:
        s3: the client for both buckets.
        plan: the plan.
        journal: the file for its journal, which must not exist.
        workers: the processes that it may use; None for only this one.

    Attributes:
        spec: its description.
        path: the file of its journal.
        summary: its summary so far.

    Raises:
        UsageError: when the journal cannot be written.
    """

    def __init__(
        self, s3: RetryingS3, plan: Plan, journal: Path, workers: Workers | None = None
    ) -> None:
        self._s3 = s3
        # The preflight checks, a dry run and earlier runs of the client may have used it.
        self._earlier_activity = s3.activity
        self._plan = plan
        self.spec = plan.spec
        self.path = journal
        self.summary = Summary()
        self._planned = 0
        self._is_planned = False
        self._is_planning = False
        self._undeleted = 0 if plan.deletions is None else plan.deletions.count
        self._pool: Pool | None = None
        resumes = plan.earlier and plan.spec.command is not Command.UNDO
        left = plan.earlier[-1].uploads() if resumes else None
        self._journal = JournalWriter(journal, plan.spec, left)
        self._actions = self._counted(plan.actions)
        self._workers = workers if can_be_split(plan.spec, plan.earlier) else None
        self._left = left or {}
        self._results = self._execute()

    @property
    def progress(self) -> Progress:
        """Its progress; may be called from any thread."""
        pool = self._pool
        summary = self.summary
        counts = summary.counts.copy()
        planned = self._planned + (0 if pool is None else pool.planned)
        activity = self._s3.activity if pool is None else pool.activity
        activity = activity.since(self._earlier_activity)
        total = self._plan.total
        if self._is_planned or (pool is not None and pool.is_planned):
            total = planned + self._undeleted
        elif total is not None:
            total = max(total, planned)
        return Progress(counts, summary.bytes + activity.part_bytes, planned, total, activity)

    @property
    def has_too_many_failures(self) -> bool:
        """Whether so many objects have failed that it is stopped."""
        most = self.spec.max_errors
        return most is not None and self.summary.counts[Outcome.FAILED] >= most

    @property
    def undeleted(self) -> int:
        """How many deletes at the destination have not been started."""
        return self._undeleted

    def __iter__(self) -> Iterator[Result]:
        """Execute the plan, and yield each result.

        Ending the iteration early interrupts the run: see :meth:`close`.

        Raises:
            RunError: when an error affects every object, after the results of all actions in
                flight.
        """
        return (result for result in self._results if result is not None)

    def live(self) -> Iterator[Result | None]:
        """Do the same, but yield None when there is no result for a moment."""
        return self._results

    def stop(self) -> None:
        """Start no new object, and finish those in flight; may be called from any thread."""
        self._plan.stop.set()
        self._s3.cancel_rate_limited()
        self._limit_planning()

    def close(self) -> None:
        """End the run as interrupted, unless it has ended; actions in flight are finished.

        Of a run that nobody has iterated over, nothing is left to resume.
        """
        is_begun = getgeneratorstate(self._results) != GEN_CREATED
        self._results.close()
        if not is_begun:
            self._journal.close()
            self._journal.discard_if_empty()

    def _execute(self) -> Generator[Result | None]:
        results = chain(self._begin(), self._delete())
        try:
            for result in results:
                if result is not None:
                    self.summary.add(result)
                    if self.has_too_many_failures:
                        self.stop()
                yield result
        except GeneratorExit:
            self.stop()
            for result in results:
                if result is not None:
                    self.summary.add(result)
            self._end()
            raise
        except BaseException:
            self._journal.close()
            raise
        self._end()

    def _begin(self) -> Iterator[Result | None]:
        plan, workers = self._plan, self._workers
        if workers is None:
            return self._run_here()
        # Lazy: not needed by the Lambda and by runs in one process.
        from frogmove.processes.messages import Setup
        from frogmove.processes.pool import Pool

        setup = Setup(
            workers.config,
            workers.limits,
            self.spec,
            plan.options,
            self.path,
            self._left,
            plan.sent,
            workers.counts_skips,
        )
        self._pool = Pool(
            self._s3,
            setup,
            workers.count,
            self._journal,
            plan.stop,
            workers.spares,
            self._add_count,
        )
        return self._run_pooled(self._pool)

    def _run_here(self) -> Iterator[Result | None]:
        plan = self._plan
        return run_live(
            self._actions,
            self._s3,
            plan.route,
            plan.options,
            plan.stop,
            self._journal,
            self.spec.max_group,
        )

    def _add_count(self, outcome: Outcome, number: int) -> None:
        if number:
            self.summary.counts[outcome] += number

    def _run_pooled(self, pool: Pool) -> Iterator[Result | None]:
        yield from pool.results()
        if pool.is_broken and not self._plan.stop.is_set():
            # If the listing was incomplete, one reader lists the source again.
            self._journal.flush()
            results = JournalReader(self.path).of_type("result")
            done = {record["key"] for record in results}
            left = (each for each in self._plan.actions if each.object.key not in done)
            self._actions = self._counted(left)
            for outcome in filter(lambda each: each.is_counted_only, Outcome):
                # They are not in the journal.
                self._planned -= self.summary.counts[outcome]
                self.summary.counts[outcome] = 0
            yield from self._run_here()

    def _delete(self) -> Iterator[Result | None]:
        """Delete what only the destination has, unless something could not be copied."""
        plan = self._plan
        if self._undeleted and not (plan.stop.is_set() or self.summary.counts[Outcome.FAILED]):
            actions = self._counted_deletes(plan.deletions or ())
            yield from run_live(
                actions, self._s3, plan.route, plan.options, plan.stop, self._journal
            )

    def _counted_deletes(self, actions: Iterable[Action]) -> Iterator[Action]:
        for action in actions:
            self._planned += 1
            self._undeleted -= 1
            yield action

    def _counted(self, actions: Iterable[Action]) -> Iterator[Action]:
        planned = iter(actions)
        while True:
            self._is_planning = True
            action = next(planned, None)
            self._is_planning = False
            if action is None:
                break
            self._planned += 1
            yield action
        self._is_planned = not self._plan.planning_stop.is_set()

    def _limit_planning(self) -> None:
        """Soon end a long search for the next action, such as a listing with filters."""

        def end() -> None:
            if self._is_planning:
                self._plan.planning_stop.set()

        timer = Timer(PLANNING_SECONDS, end)
        timer.daemon = True
        # Without a thread, the search continues to its end.
        with suppress(RuntimeError):
            timer.start()

    def _end(self) -> None:
        self.summary.interrupted = self._plan.stop.is_set() and self._has_more()
        if not self.summary.interrupted:
            self._abort(self._journal.abandon_uploads())
        self._journal.end(self.summary)

    def _has_more(self) -> bool:
        """Tell whether a stopped run has anything left to do."""
        progress = self.progress
        if progress.planned > progress.done or progress.counts[Outcome.FAILED] or self._undeleted:
            return True
        if self._pool is not None:
            return self._pool.is_broken or not self._pool.is_planned
        self._limit_planning()
        try:
            has_next = next(self._actions, None) is not None
        except S3Error:
            return True
        # What ends early may have had more to plan.
        return has_next or self._plan.planning_stop.is_set()

    def _abort(self, uploads: Iterable[tuple[str, str]]) -> None:
        """Abort the uploads of an earlier run that were not resumed."""
        for key, upload_id in uploads:
            with suppress(S3Error):
                self._s3.abort_upload(self._plan.route.destination.bucket, key, upload_id).result()
