"""Spreads a run over several processes by work stealing.

A run starts in one process with one range of keys: all of them. Once enough objects are planned,
workers are started, and an idle one gets a part of a range that another has not listed yet. One
thread, the one that iterates over the results, makes all decisions here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from frogmove import cpu_scheduling
from frogmove.core.journal import free_segments
from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command
from frogmove.errors import FrogmoveError, RunError
from frogmove.processes.dead_worker import DeadWorker
from frogmove.processes.members import Local, Member, RangeTask, Remote
from frogmove.processes.messages import (
    Began,
    Done,
    End,
    Ready,
    Results,
    Setup,
    SplitOff,
    Stop,
)
from frogmove.processes.range_runner import RangeRunner
from frogmove.processes.shared_limits import SharedLimits
from frogmove.s3.activity import Activity
from frogmove.s3.range_listing import KeyRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from frogmove.core.journal_writer import JournalWriter
    from frogmove.core.models import Result
    from frogmove.processes.spares import Spare
    from frogmove.s3.retry import RetryingS3

# Fewer objects are moved faster than new interpreters start (about half a second of CPU each).
MIN_OBJECTS = 2_000

# How often to check, while waiting for messages, whether the run was stopped.
_CHECK_SECONDS = 0.1

# A range whose worker died is retried, at most this many tries in all.
_MAX_TRIES = 2


class Pool:
    """Runs one run in several processes.

    Args:
        s3: this process's client for both buckets.
        setup: what workers need; its limits are those of the whole run.
        count: the maximum number of processes, this one included.
        journal: this process's segment of the journal.
        stop: once set, no new object is started.
        spares: workers that were forked in advance; those that are used are taken out.
        add_count: called with an outcome and a number of objects without a result that have it;
            negative if a worker died, since they will be counted again.

    Attributes:
        planned: how many actions have been planned.
        is_broken: whether a range was not listed completely, so that the source must be listed
            again.
    """

    def __init__(
        self,
        s3: RetryingS3,
        setup: Setup,
        count: int,
        journal: JournalWriter,
        stop: Event,
        spares: list[Spare],
        add_count: Callable[[Outcome, int], None],
    ) -> None:
        self._s3 = s3
        self._setup = setup
        self._count = min(count, setup.limits.concurrency)  # At least one request each.
        self._limits = SharedLimits(s3, setup.limits, self._count)
        self._journal = journal
        self._stop = stop
        self._spares = spares
        self._add_count = add_count
        # One for all workers: files of workers that are starting do not exist yet.
        self._segments = free_segments(setup.segment)
        self._inbox: SimpleQueue[tuple[Member, object]] = SimpleQueue()
        runner = RangeRunner(
            s3,
            setup.spec,
            setup.options,
            journal,
            stop,
            offer=lambda keys: self._split_off(self._local, keys),
            sent=setup.sent,
            wait=self._receive,
            before_each=self._poll,
        )
        self._local = Local(runner)
        self._members: list[Member] = [self._local]
        self._idle: deque[Member] = deque()
        self._pending: deque[RangeTask] = deque()
        self._results: deque[Result] = deque()
        self._is_stopping = False
        self._has_dropped = False
        self._error: FrogmoveError | None = None
        self._can_split = True
        self._working = 1
        # Only what has a result: the rest is planned again.
        self._planned_by_dead = 0
        self.is_broken = False

    @property
    def planned(self) -> int:
        """How many actions have been planned."""
        at_work = self._local.runner.planned + sum(each.planned for each in self._remotes)
        return self._planned_by_dead + at_work

    @property
    def is_planned(self) -> bool:
        """Whether all actions are planned; may be called from any thread."""
        at_work = [each for each in self._members if each.range is not None]
        return not (self._pending or self._has_dropped) and all(
            each.has_planned() for each in at_work
        )

    @property
    def activity(self) -> Activity:
        """The activity of all processes; may be called from any thread."""
        return Activity.total([self._s3.activity, *(each.activity for each in self._remotes)])

    @property
    def _remotes(self) -> list[Remote]:
        return [each for each in self._members if isinstance(each, Remote)]

    def results(self) -> Iterator[Result | None]:
        """Execute the run and yield its results; None when there is none for a moment.

        Raises:
            RunError: when an error affects every object, after all results.
        """
        try:
            first, *others = self._setup.spec.selection.folders
            self._pending.extend(RangeTask(folder, KeyRange("", None)) for folder in others)
            self._local.assign(RangeTask(first, KeyRange("", None)))
            while True:
                yield from self._do_local()
                if all(member.range is None for member in self._members) and not self._pending:
                    break
                if self._local.range is None:
                    self._receive_soon()
                    yield from self._ready_results()
                    yield None
        finally:
            self.close()
        yield from self._ready_results()
        if self._error is not None:
            raise RunError(self._error.message, self._error.remedy) from self._error

    def close(self) -> None:
        """Stop the workers and wait until they exit."""
        if any(each.range is not None for each in self._members):
            self._stop_others()
        for each in self._remotes:
            each.send(End())
        for each in self._remotes:
            each.process.wait()
        self._limits.restore()

    def _do_local(self) -> Iterator[Result | None]:
        """Run this process's own range, if it has one."""
        own = self._local.range
        if own is None:
            return
        runner = self._local.runner
        try:
            listing = runner.begin(own.folder, own.keys)
        except FrogmoveError as error:
            failed = Done(error=error.message, remedy=error.remedy, could_begin=False)
            self._done(self._local, failed)
            return
        work = own.as_message()
        if work.skips_first:
            self._began(own, listing.first)
        try:
            for result in runner.results(listing, work):
                yield result
                if result is None:
                    self._poll()
                yield from self._ready_results()
        except FrogmoveError as error:
            self._fail(error)
        self._done(self._local, Done(listing.is_broken, listing.gap))

    def _poll(self) -> None:
        """Handle the workers' messages; start workers once there is enough to do."""
        may_start = len(self._members) < self._count and not self._stop.is_set()
        if may_start and self._has_enough_to_do():
            self._start()
        while not self._inbox.empty():
            self._receive()

    @property
    def _is_large(self) -> bool:
        return self._local.runner.planned >= MIN_OBJECTS

    def _has_enough_to_do(self) -> bool:
        listing = self._local.runner.listing
        # Spares are ready long before the first page is done.
        return self._is_large or (bool(self._spares) and listing is not None and listing.has_more)

    def _start(self) -> None:
        limits = self._limits.of_worker()
        while len(self._members) < self._count and (self._spares or self._is_large):
            cores = cpu_scheduling.cores_of(len(self._members), self._count)
            setup = replace(self._setup, segment=next(self._segments), limits=limits, cores=cores)
            spare = self._spares.pop() if self._spares else None
            try:
                self._members.append(Remote(setup, self._inbox, spare))
            except (OSError, RuntimeError):
                # The system allows no more processes or threads: continue with the existing ones.
                self._count = len(self._members)
        self._assign_work()

    def _ready_results(self) -> Iterator[Result]:
        while self._results:
            yield self._results.popleft()

    def _receive(self) -> None:
        """Wait for one message and handle it."""
        while not self._receive_soon() and not self._stop.is_set():
            pass

    def _receive_soon(self) -> bool:
        """Handle one message, if one arrives within _CHECK_SECONDS; tell whether one did."""
        if self._stop.is_set():
            self._stop_others()
        try:
            member, message = self._inbox.get(timeout=_CHECK_SECONDS)
        except Empty:
            return False
        match message:
            case Ready():
                self._set_idle(member)
            case Began(first):
                if member.range is not None:
                    self._began(member.range, first)
            case SplitOff(keys):
                self._split_off(member, keys)
            case Results(results, skipped):
                self._add_count(Outcome.SKIPPED, skipped)
                if member.add(message) and isinstance(member, Remote):
                    self._journal.has_segment(member.setup.segment)
                self._results.extend(results)
            case Done():
                self._done(member, message)
            case None:
                self._died(member)
        self._assign_work()
        return True

    def _set_idle(self, member: Member) -> None:
        member.range = None
        self._idle.append(member)

    def _assign_work(self) -> None:
        """Give idle members work, and divide the limits again if the number at work changed."""
        self._find_work()
        working = sum(each not in self._idle for each in self._members)
        if working != self._working:
            self._working = working
            part = self._limits.divide(working)
            for each in self._remotes:
                each.send(part)

    def _find_work(self) -> None:
        if self._stop.is_set() or self._error is not None:
            self._drop_pending()
        while self._idle and self._pending and self._pending[0].given is None:
            self._idle.popleft().assign(self._pending.popleft())
        if not self._idle or self._stop.is_set() or not self._can_split or self._error is not None:
            return
        asked = sum(each.is_asked for each in self._members)
        for each in self._members:
            if asked < len(self._idle) and each.may_split():
                each.is_asked = True
                each.asked_at = each.planned_count()
                asked += 1
                each.ask()

    def _split_off(self, member: Member, keys: KeyRange | None) -> None:
        member.is_asked = False
        if keys is None or member.range is None:
            return
        if not self._idle:
            # The member that was to get it has died, and there may be no other one.
            member.extend_to(member.range.keys)
            return
        given = replace(member.range, keys=keys, skips_first=True, given=None, tries=0)
        member.range.keys = KeyRange(member.range.keys.after, keys.after)
        member.range.given = given
        self._idle.popleft().assign(given)

    def _began(self, begun: RangeTask, first: str | None) -> None:
        """Tell the member that split off a range the first key of that range."""
        giver = next((each for each in self._all_ranges() if each.given is begun), None)
        if giver is None:
            return
        giver.given = None
        end = begun.keys if first is None else KeyRange("", first, ends_at_key=True)
        giver.keys = KeyRange(giver.keys.after, end.last, end.ends_at_key)
        if first is not None:
            # If its worker dies, the range is repeated without the key that belongs to the giver.
            begun.keys = begun.keys._replace(after=first)
            begun.skips_first = False
        for member in self._members:
            if member.range is giver:
                member.extend_to(giver.keys)

    def _all_ranges(self) -> list[RangeTask]:
        return [*(each.range for each in self._members if each.range is not None), *self._pending]

    def _done(self, member: Member, done: Done) -> None:
        if member.range is not None and not done.could_begin:
            if member.range.skips_first:
                # The server cannot list from the middle: the range goes back to its origin.
                self._can_split = False
            else:
                self._fail(RunError(done.error, done.remedy))
        elif done.error:
            self._fail(RunError(done.error, done.remedy))
        if member.range is not None:
            if done.could_begin and not member.has_planned():
                # The run was stopped in the middle of it.
                self._has_dropped = True
            # It may have ended before it reported its first key.
            self._began(member.range, None)
        self.is_broken = self.is_broken or done.is_broken
        if member.range is not None and done.gap is not None:
            self._pending.append(RangeTask(member.range.folder, done.gap))
        self._set_idle(member)
        self._assign_work()

    def _died(self, member: Member) -> None:
        """Give the range of a worker that died to another member."""
        if not isinstance(member, Remote):
            return
        self._members.remove(member)
        if member in self._idle:
            self._idle.remove(member)
        lost, member.range = member.range, None
        self._count -= 1
        self._planned_by_dead += member.finished
        if lost is None:
            return
        dead = DeadWorker(member.setup.segment, member.received)
        found = list(dead.unreported())
        if self._setup.spec.command is Command.MOVE:
            bucket = self._setup.spec.route().source.bucket
            for result in dead.moved(self._s3, bucket):
                self._journal.finished(result)
                found.append(result)
        self._results.extend(found)
        self._planned_by_dead += len(found)
        if lost.skips_first and any(each.given is lost for each in self._all_ranges()):
            self._began(lost, None)
        elif lost.tries >= _MAX_TRIES:
            self._fail(member.exit_error(lost))
        else:
            for outcome, number in member.counted.items():
                self._add_count(outcome, -number)
            self._planned_by_dead -= member.counted.total()
            done, sent = lost.done | dead.done(), {**lost.sent, **dead.sent()}
            self._pending.append(replace(lost, skips_first=False, done=done, sent=sent))

    def _fail(self, error: FrogmoveError) -> None:
        self._error = self._error or error
        self._stop_others()

    def _stop_others(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            for each in self._remotes:
                each.send(Stop())
        if self._stop.is_set():
            self._local.stop()
            self._drop_pending()

    def _drop_pending(self) -> None:
        """Start no further range."""
        self._has_dropped |= bool(self._pending)
        self._pending.clear()
