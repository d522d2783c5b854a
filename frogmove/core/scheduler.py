"""Runs a limited number of tasks concurrently; each continues when its response arrives.

A task is a coroutine that awaits only the futures of S3 requests, and group commits. One thread
runs all of them, so their code needs no locks. An asyncio loop would do the same at several times
the CPU time per request.
"""

import time
import types
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from enum import Enum
from itertools import islice
from operator import itemgetter
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any, Final, Generic, NamedTuple, TypeVar

from frogmove.s3.future import Future, LightFuture

A = TypeVar("A")
T = TypeVar("T")

# What a task awaits is a future or a GroupCommit.
Task = Coroutine[Any, None, T]


class Finished(NamedTuple, Generic[T]):
    """A result that needs no task; it passes among tasks, at a fraction of their CPU time."""

    value: T


# Seconds without any response after which the batch (of deletes) is sent.
BATCH_DELAY = 0.1

# With so many tasks waiting for responses, they are continued several at a time: after each wait,
# those that have arrived in the meantime. Otherwise the two threads wake each other, and hand each
# other the interpreter, for every response.
MANY = 16
GATHER_SECONDS = 0.0005

# A group commit is made for at most this many tasks, and before the next task is started if the
# last one took more than SLOW_START seconds to come, as with a listing with filters.
MAX_GROUP = 32
SLOW_START = 0.001

# How many results are sorted at a time.
_BATCH = 1000


class Idle(Enum):
    """Yielded among results when there was no response for BATCH_DELAY."""

    IDLE = "idle"


IDLE: Final = Idle.IDLE


@types.coroutine
def wait_for(future: Future[T]) -> Generator[Future[T], None, T]:
    """Await a future; return its result or raise its error."""
    if not future.done():
        yield future
    return future.result()


class GroupCommit(NamedTuple):
    """A write that one call makes for all tasks that await it."""

    write: Callable[[], None]


@types.coroutine
def group_commit(write: Callable[[], None]) -> Generator[GroupCommit, None, None]:
    """Await that a function was called, once for all tasks that await it at that time."""
    yield GroupCommit(write)


class BatchedFuture(LightFuture[T]):
    """A future of a batched request; a task that awaits it frees its slot for another task."""


class Scheduler:
    """Runs tasks: at most ``size`` wait for their own requests, and ``batched`` more for a batch.

    Args:
        size: maximum tasks that wait for their own request.
        batched: maximum tasks that wait for a batch; beyond that, no new task is started.
        flush: called to send the batch: when all tasks wait for it, or after BATCH_DELAY.
        stop: once set, no further task is started; those in flight are finished.
        flush_overdue: called often while something waits for a batch.
        max_group: maximum tasks of a group commit; 1 if the next task may be long in coming, since
            nothing is committed meanwhile.
    """

    def __init__(
        self,
        size: int,
        batched: int,
        flush: Callable[[], None],
        stop: Event,
        flush_overdue: Callable[[], None] = lambda: None,
        max_group: int = MAX_GROUP,
    ) -> None:
        self._size = size
        self._max_batched = batched
        self._flush = flush
        self._stop = stop
        self._flush_overdue = flush_overdue
        self._max_group = max_group
        self._ready: SimpleQueue[tuple[Task[Any], bool]] = SimpleQueue()
        self._uncommitted: list[tuple[Task[Any], GroupCommit]] = []
        self._requesting = 0
        self._batched = 0

    def run(self, tasks: Iterator[Task[T] | Finished[T]]) -> Iterator[T]:
        """Start tasks as slots become free, and yield their results.

        If the iterator of tasks raises an error, tasks in flight are finished before it is raised
        here. An error of a task is raised immediately.
        """
        return (result for result in self.run_live(tasks) if result is not IDLE)

    def run_live(self, tasks: Iterator[Task[T] | Finished[T]]) -> Iterator[T | Idle]:
        """Do the same, and yield IDLE when there was no response for BATCH_DELAY."""
        error: Exception | None = None
        exhausted = False
        while True:
            while not exhausted and self._has_room() and not self._stop.is_set():
                since = time.monotonic()
                try:
                    task = next(tasks, None)
                except Exception as problem:
                    error, task = problem, None
                if task is None:
                    exhausted = True
                else:
                    is_slow = time.monotonic() - since > SLOW_START
                    if isinstance(task, Finished):
                        yield task.value
                    else:
                        yield from self._advance(task)
                    if is_slow:
                        yield from self._resume_ready()
                    if is_slow or len(self._uncommitted) >= self._max_group:
                        yield from self._commit()
            yield from self._commit()
            if self._requesting + self._batched > 0:
                yield from self._resume_next()
            elif exhausted or self._stop.is_set():
                break
        if error is not None:
            raise error

    def _has_room(self) -> bool:
        return self._requesting < self._size and self._batched < self._max_batched

    def _resume_ready(self) -> Iterator[Any]:
        """Continue tasks whose responses have arrived, but only some, so that others start."""
        if self._batched:
            self._flush_overdue()
        for _ in range(min(self._ready.qsize(), MAX_GROUP)):
            yield from self._resume(*self._ready.get())

    def _commit(self) -> Iterator[Any]:
        """Make the group commits that tasks await, and continue these tasks."""
        while self._uncommitted:
            group, self._uncommitted = self._uncommitted, []
            for write in {commit.write for _, commit in group}:
                write()
            for task, _ in group:
                self._requesting -= 1
                yield from self._advance(task)

    def _resume_next(self) -> Iterator[Any]:
        """Wait for a response and continue its task; yield IDLE while there is none."""
        # Tasks whose responses have already arrived may add to the batch.
        if self._requesting == 0 and self._ready.empty():
            self._flush()
        if self._requesting >= MANY and self._ready.qsize() < MANY:
            time.sleep(GATHER_SECONDS)
        while True:
            try:
                task, batched = self._ready.get(timeout=BATCH_DELAY)
            except Empty:
                self._flush()
                yield IDLE
            else:
                yield from self._resume(task, batched)
                yield from self._resume_ready()
                return

    def _resume(self, task: Task[T], batched: bool) -> Iterator[T]:
        if batched:
            self._batched -= 1
        else:
            self._requesting -= 1
        return self._advance(task)

    def _advance(self, task: Task[T]) -> Iterator[T]:
        try:
            awaited = task.send(None)
        except StopIteration as end:
            yield end.value
            return
        batched = isinstance(awaited, BatchedFuture)
        if batched:
            self._batched += 1
        else:
            self._requesting += 1
        if isinstance(awaited, GroupCommit):
            self._uncommitted.append((task, awaited))
        else:
            awaited.add_done_callback(lambda _: self._ready.put((task, batched)))


def run_tasks(
    tasks: Iterator[Task[T] | Finished[T]], size: int, stop: Event | None = None
) -> Iterator[T]:
    """Run tasks without batched requests, and yield their results as they finish.

    Args:
        tasks: the tasks, read lazily.
        size: maximum concurrent tasks.
        stop: once set, no further task is started.
    """
    return Scheduler(size, size, lambda: None, stop or Event()).run(tasks)


def run_in_order(
    task: Callable[[A], Task[T]], items: Iterable[A], size: int, stop: Event | None = None
) -> Iterator[T]:
    """Run a task for each item, and yield the results in the order of the items.

    Args:
        task: makes the task of an item.
        items: the items, read lazily, some ahead.
        size: maximum concurrent tasks.
        stop: once set, no further task is started.
    """

    async def numbered(number: int, item: A) -> tuple[int, T]:
        return number, await task(item)

    remaining = iter(items)
    while batch := list(islice(remaining, _BATCH)):
        done = run_tasks((numbered(*each) for each in enumerate(batch)), size, stop)
        yield from (result for _, result in sorted(done, key=itemgetter(0)))


def run_one(task: Task[T]) -> T:
    """Run one task and return its result."""
    (result,) = run_tasks(iter([task]), 1)
    return result
