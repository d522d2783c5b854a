"""The pool: a run's own process and its workers, each at a range of the keys.

The run begins in one process. Once it has listed enough to be worth another, workers are started,
and whoever has nothing to do is given a part of what somebody else has not listed yet. All that is
decided here is decided by one thread, the one that takes the results.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import Pipe
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from frogmove.core.journal_file import JournalReader
from frogmove.core.models import Outcome
from frogmove.core.records import result_of
from frogmove.core.run_spec import Command
from frogmove.core.selection import HEAD_CONCURRENCY, head_each
from frogmove.errors import FrogmoveError, RunError, UsageError
from frogmove.processes.messages import (
    Began,
    Done,
    End,
    Gave,
    GiveAway,
    ReachTo,
    Ready,
    Results,
    Setup,
    Share,
    Stop,
    Take,
)
from frogmove.processes.range_runner import RangeRunner
from frogmove.s3.range_listing import KeyRange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from threading import Event

    from frogmove.core.journal_file import JournalFile
    from frogmove.core.models import Result
    from frogmove.s3.retry import RetryingS3

# Objects after which a further process is worth its start, about half a second of a processor.
WORTH_A_PROCESS = 2_000

# Objects after which somebody who had nothing to give away is asked again.
_ASK_AGAIN = 1_000

# How often to look whether the run was stopped, while there is nothing to hear.
_CHECK_SECONDS = 0.1

# A range whose worker dies is done by another, so often.
_TRIES = 2


@dataclass(eq=False)
class Range:
    """A range that somebody is at, or that waits for somebody.

    Attributes:
        keys: the range, as far as it has not been given away.
        leaves_first: see :class:`Take`.
        given: the range behind it, until that has told its first key.
        tries: how often it was begun.
    """

    keys: KeyRange
    leaves_first: bool = False
    given: Range | None = None
    tries: int = 0


class Member:
    """Somebody who does ranges."""

    def __init__(self) -> None:
        self.range: Range | None = None
        self.is_asked = False
        self.planned = 0
        self.asked_at = -_ASK_AGAIN
        self.received = 0

    def take(self, given: Range) -> None:
        """Do a range."""
        raise NotImplementedError

    def ask(self) -> None:
        """Give a part of the range away."""
        raise NotImplementedError

    def reach_to(self, keys: KeyRange) -> None:
        """Reach to where a range ends."""
        raise NotImplementedError


class Remote(Member):
    """A worker process."""

    def __init__(self, setup: Setup, inbox: SimpleQueue[tuple[Member, object]]) -> None:
        super().__init__()
        self.setup = setup
        ours, theirs = Pipe()
        self._connection: Connection = ours
        with theirs:
            # In a process group of its own: Ctrl-C is for the run's process to act upon.
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "frogmove.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        self.is_alive = True
        self.send(setup)
        Thread(target=self._listen, args=(inbox,), name="worker", daemon=True).start()

    def send(self, message: object) -> None:
        """Tell it something; what cannot be told any more is heard of as its end."""
        try:
            self._connection.send(message)
        except OSError:
            self.is_alive = False

    def take(self, given: Range) -> None:
        """See :class:`Member`."""
        self.send(Take(given.keys, given.leaves_first))

    def ask(self) -> None:
        """See :class:`Member`."""
        self.send(GiveAway())

    def reach_to(self, keys: KeyRange) -> None:
        """See :class:`Member`."""
        self.send(ReachTo(keys.last, keys.met))

    def _listen(self, inbox: SimpleQueue[tuple[Member, object]]) -> None:
        try:
            while True:
                inbox.put((self, self._connection.recv()))
        except (EOFError, OSError):
            self.process.wait()
            inbox.put((self, None))


class Local(Member):
    """The run's own process."""

    def __init__(self, runner: RangeRunner) -> None:
        super().__init__()
        self.runner = runner

    def take(self, given: Range) -> None:
        """See :class:`Member`; it is begun by the thread that takes the results."""

    def ask(self) -> None:
        """See :class:`Member`."""
        if self.runner.listing is not None:
            self.runner.listing.ask_to_split()

    def reach_to(self, keys: KeyRange) -> None:
        """See :class:`Member`."""
        if self.runner.listing is not None:
            self.runner.listing.reach_to(keys.last, met=keys.met)


class Pool:
    """Does a run by several processes.

    Args:
        s3: where both ends are, for this process.
        setup: what workers need; limits and all of the whole run.
        count: the most processes, this one included.
        journal: this process's part of the journal.
        stop: once set, nothing more is begun.

    Attributes:
        planned: how many actions have been planned.
        is_broken: whether a range did not follow on from the one before it, so that what is left
            has to be looked for once more.
    """

    def __init__(
        self, s3: RetryingS3, setup: Setup, count: int, journal: JournalFile, stop: Event
    ) -> None:
        self._s3 = s3
        self._setup = setup
        self._count = count
        self._stop = stop
        self._inbox: SimpleQueue[tuple[Member, object]] = SimpleQueue()
        runner = RangeRunner(
            s3,
            setup.spec,
            setup.options,
            journal,
            stop,
            offer=lambda keys: self._gave(self._local, keys),
            wait=self._hear,
            between=self._between,
        )
        self._local = Local(runner)
        self._members: list[Member] = [self._local]
        self._idle: deque[Member] = deque()
        self._orphans: deque[Range] = deque()
        self._results: deque[Result] = deque()
        self._is_stopping = False
        self._error: FrogmoveError | None = None
        self._can_cut = True
        self._at_work = 1
        self.is_broken = False

    @property
    def planned(self) -> int:
        """How many actions have been planned."""
        return self._local.runner.planned + sum(each.planned for each in self._remotes)

    @property
    def _remotes(self) -> list[Remote]:
        return [each for each in self._members if isinstance(each, Remote)]

    def results(self) -> Iterator[Result]:
        """Do the run and yield its results, as they come.

        Raises:
            RunError: after all results, when nothing more can succeed.
        """
        try:
            self._give(self._local, Range(KeyRange("", None)))
            while True:
                yield from self._do_local()
                if all(member.range is None for member in self._members) and not self._orphans:
                    break
                if self._local.range is None:
                    self._hear()
                    yield from self._taken()
        finally:
            self.close()
        yield from self._taken()
        if self._error is not None:
            raise RunError(self._error.message, self._error.remedy) from self._error

    def close(self) -> None:
        """End the workers and wait for them."""
        if any(each.range is not None for each in self._members):
            self._stop_others()
        for each in self._remotes:
            each.send(End())
        for each in self._remotes:
            each.process.wait()

    def _do_local(self) -> Iterator[Result]:
        """Do this process's own range, if it has one."""
        own = self._local.range
        if own is None:
            return
        runner = self._local.runner
        try:
            listing = runner.begin(own.keys)
        except FrogmoveError as error:
            self._done(self._local, Done(is_broken=False, error=str(error), could_begin=False))
            return
        if own.leaves_first:
            self._began(own, listing.first)
        try:
            for result in runner.results(listing, own.keys, leaves_first=own.leaves_first):
                yield result
                yield from self._taken()
        except FrogmoveError as error:
            self._fail(error)
        self._done(self._local, Done(listing.is_broken))

    def _between(self) -> None:
        """Hear what the others say, and start some once it is worth it."""
        if len(self._members) < self._count and self._local.runner.planned >= WORTH_A_PROCESS:
            self._start()
        while not self._inbox.empty():
            self._hear()

    def _start(self) -> None:
        if self._stop.is_set():
            return
        limits = self._setup.limits
        while len(self._members) < self._count:
            number = len(self._members)
            segment = self._setup.segment.with_name(f"{self._setup.segment.name}.{number}")
            setup = replace(
                self._setup,
                segment=segment,
                limits=replace(limits, retry_quota=max(1, limits.retry_quota // self._count)),
            )
            self._members.append(Remote(setup, self._inbox))
        self._feed()

    def _share(self) -> None:
        """Give each who is at work its part of the run's limits."""
        limits = self._setup.limits
        parts = max(1, self._at_work)
        rate = None if limits.rate is None else limits.rate / parts
        concurrency = max(1, limits.concurrency // parts)
        self._s3.set_limits(concurrency, rate)
        for each in self._remotes:
            each.send(Share(concurrency, rate))

    def _taken(self) -> Iterator[Result]:
        while self._results:
            yield self._results.popleft()

    def _hear(self) -> None:
        """Wait for a message and act upon it."""
        while True:
            if self._stop.is_set():
                self._stop_others()
            try:
                member, message = self._inbox.get(timeout=_CHECK_SECONDS)
            except Empty:
                continue
            break
        match message:
            case Ready():
                self._rest(member)
            case Began(first):
                if member.range is not None:
                    self._began(member.range, first)
            case Gave(keys):
                self._gave(member, keys)
            case Results(results, planned):
                member.planned = planned
                member.received += sum(each.outcome is not Outcome.SKIPPED for each in results)
                self._results.extend(results)
            case Done():
                self._done(member, message)
            case None:
                self._died(member)
        self._feed()

    def _give(self, member: Member, given: Range) -> None:
        given.tries += 1
        member.range = given
        member.is_asked = False
        member.asked_at = member.planned - _ASK_AGAIN
        member.take(given)

    def _rest(self, member: Member) -> None:
        member.range = None
        self._idle.append(member)

    def _feed(self) -> None:
        """Find work for those who have none, and have the limits follow."""
        self._find_work()
        at_work = sum(each not in self._idle for each in self._members)
        if at_work != self._at_work:
            self._at_work = at_work
            self._share()

    def _find_work(self) -> None:
        while self._idle and self._orphans and self._orphans[0].given is None:
            self._give(self._idle.popleft(), self._orphans.popleft())
        if not self._idle or self._stop.is_set() or not self._can_cut or self._error is not None:
            return
        asked = sum(each.is_asked for each in self._members)
        for each in self._members:
            planned = self._planned_by(each)
            may_give = each.range is not None and each.range.given is None and not each.is_asked
            if may_give and asked < len(self._idle) and planned - each.asked_at >= _ASK_AGAIN:
                each.is_asked = True
                each.asked_at = planned
                asked += 1
                each.ask()

    def _planned_by(self, member: Member) -> int:
        return member.runner.planned if isinstance(member, Local) else member.planned

    def _gave(self, member: Member, keys: KeyRange | None) -> None:
        member.is_asked = False
        if keys is None or member.range is None:
            return
        given = Range(keys, leaves_first=True)
        member.range.keys = KeyRange(member.range.keys.after, keys.after)
        member.range.given = given
        if self._idle:
            self._give(self._idle.popleft(), given)
        else:
            self._orphans.append(given)

    def _began(self, begun: Range, first: str | None) -> None:
        """Tell whoever gave a range away with which key it begins."""
        giver = next((each for each in self._all_ranges() if each.given is begun), None)
        if giver is None:
            return
        giver.given = None
        end = begun.keys if first is None else KeyRange("", first, met=True)
        giver.keys = KeyRange(giver.keys.after, end.last, end.met)
        for member in self._members:
            if member.range is giver:
                member.reach_to(giver.keys)

    def _all_ranges(self) -> list[Range]:
        return [*(each.range for each in self._members if each.range is not None), *self._orphans]

    def _done(self, member: Member, done: Done) -> None:
        if member.range is not None and not done.could_begin:
            if member.range.leaves_first:
                # The server cannot begin in the middle: it goes back to where it came from.
                self._can_cut = False
                self._began(member.range, None)
            else:
                self._fail(RunError(done.error, done.remedy))
        elif done.error:
            self._fail(RunError(done.error, done.remedy))
        self.is_broken = self.is_broken or done.is_broken
        self._rest(member)
        self._feed()

    def _died(self, member: Member) -> None:
        """Have somebody else do what a worker that died was at."""
        if not isinstance(member, Remote):
            return
        self._members.remove(member)
        if member in self._idle:
            self._idle.remove(member)
        lost, member.range = member.range, None
        self._count -= 1
        if lost is None:
            return
        self._results.extend(self._unheard(member))
        if lost.leaves_first and any(each.given is lost for each in self._all_ranges()):
            self._began(lost, None)
        elif lost.tries >= _TRIES:
            code = member.process.returncode
            self._fail(
                RunError(
                    f"A worker process ended by itself (exit code {code}) at the keys behind "
                    f"{lost.keys.after!r}, twice.",
                    "Run it again with --processes 1.",
                )
            )
        else:
            self._orphans.append(replace(lost, leaves_first=False))

    def _unheard(self, member: Remote) -> Iterator[Result]:
        """Tell from its journal what a worker had no time to tell."""
        try:
            journal = JournalReader(member.setup.segment)
        except UsageError:
            return
        for record in islice(journal.of_type("result"), member.received, None):
            yield result_of(record)
        if self._setup.spec.command != Command.MOVE:
            return
        copied = {record["key"]: record for record in journal.cut_off()}
        bucket = self._setup.spec.route().source.bucket
        for key, seen in head_each(copied, self._s3, bucket, HEAD_CONCURRENCY):
            # What is still there is found by whoever does the rest of the range.
            if seen is None:
                moved = {"outcome": Outcome.MOVED.value, "reason": "its process was cut off"}
                yield result_of(copied[key] | moved)

    def _fail(self, error: FrogmoveError) -> None:
        self._error = self._error or error
        self._stop_others()

    def _stop_others(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            for each in self._remotes:
                each.send(Stop())
            if self._stop.is_set():
                self._orphans.clear()
