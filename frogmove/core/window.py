"""A window over many small tasks: at most so many under way, each driven as its answers arrive.

A task is a coroutine that awaits nothing but the Futures of S3 requests. One thread drives all
of them, so their code needs no locks and reads from top to bottom, while any number of requests
are under way; an asyncio loop would do the same for several times the work per request.
"""

from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any, Generic, TypeVar

from frogmove.s3.promise import Promise

T = TypeVar("T")

Task = Coroutine[Future[Any], None, T]

# How long something that waits for company (a batch of deletes) is kept waiting, in seconds.
LINGER = 0.1


class Answer(Generic[T]):
    """``await Answer(future)``: the future's result, or its exception raised."""

    __slots__ = ("_future",)

    def __init__(self, future: Future[T]) -> None:
        self._future = future

    def __await__(self) -> Generator[Future[T], None, T]:
        if not self._future.done():
            yield self._future
        return self._future.result()


class Parked(Promise[T]):
    """A future that waits for company: whoever awaits it gives its place in the window up."""


class Window:
    """Runs tasks, at most ``size`` awaiting requests and ``parked`` awaiting company at once.

    Args:
        size: how many tasks may have a request of their own under way.
        parked: how many more may wait in a batch; past that no new task is started.
        flush: called when everything left waits for company, or has done so for a moment.
        stop: once set, no further task is taken; those under way run to their end.
    """

    def __init__(self, size: int, parked: int, flush: Callable[[], None], stop: Event) -> None:
        self._size = size
        self._most_parked = parked
        self._flush = flush
        self._stop = stop
        self._answered: SimpleQueue[tuple[Task[Any], bool]] = SimpleQueue()
        self._requesting = 0
        self._parked = 0

    def run(self, tasks: Iterator[Task[T]]) -> Iterator[T]:
        """Start tasks as places fall free and yield what each returns, as it ends.

        When no further task can be had, those under way are finished before that error is
        raised here. What a task raises is raised at once.
        """
        error: Exception | None = None
        exhausted = False
        while True:
            while not exhausted and self._has_room() and not self._stop.is_set():
                try:
                    task = next(tasks, None)
                except Exception as problem:
                    error, task = problem, None
                if task is None:
                    exhausted = True
                else:
                    yield from self._advance(task)
                    yield from self._answered_so_far()
            if self._requesting + self._parked == 0:
                break
            yield from self._next_answered()
        if error is not None:
            raise error

    def _has_room(self) -> bool:
        return self._requesting < self._size and self._parked < self._most_parked

    def _answered_so_far(self) -> Iterator[Any]:
        while not self._answered.empty():
            yield from self._resume(*self._answered.get())

    def _next_answered(self) -> Iterator[Any]:
        # What has been answered already may want to join the company.
        if self._requesting == 0 and self._answered.empty():
            self._flush()
        while True:
            try:
                task, parked = self._answered.get(timeout=LINGER)
            except Empty:
                self._flush()
            else:
                yield from self._resume(task, parked)
                return

    def _resume(self, task: Task[T], parked: bool) -> Iterator[T]:
        if parked:
            self._parked -= 1
        else:
            self._requesting -= 1
        return self._advance(task)

    def _advance(self, task: Task[T]) -> Iterator[T]:
        try:
            future = task.send(None)
        except StopIteration as end:
            yield end.value
            return
        parked = isinstance(future, Parked)
        if parked:
            self._parked += 1
        else:
            self._requesting += 1
        future.add_done_callback(lambda _: self._answered.put((task, parked)))


def finish(task: Task[T]) -> T:
    """Run one task to its end and return what it returns."""
    (result,) = Window(1, 1, lambda: None, Event()).run(iter([task]))
    return result
