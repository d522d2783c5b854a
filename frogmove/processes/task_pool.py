"""Applies a function to items in several processes, and keeps the order of the items.

The function needs no S3: all requests are sent by the command's own process, so their limits and
retries are those of one process, and a worker that dies has done nothing that cannot be repeated.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from frogmove.processes.child import Child
from frogmove.processes.messages import Ready, TaskDone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from frogmove.processes.spares import Spare

A = TypeVar("A")
B = TypeVar("B")

# Workers are started for this item: fewer are done before a worker is ready.
MIN_ITEMS = 16

# This process receives all pages and prints, in a quarter of the CPU time of a listing (measured):
# further workers would wait for it.
MAX_PROCESSES = 6

# A worker has the next items when it has finished one; with two, it waited at times (measured).
_ITEMS_OF_A_WORKER = 4

# Maximum results, of each process, that wait for the result of an earlier item.
_AHEAD = 6


class _Task(Generic[A]):
    """The function and one item.

    Attributes:
        is_sent: whether a worker has it.
        result: the result; None if it is not known yet, or if this process is to raise the error.
    """

    def __init__(self, item: A) -> None:
        self.item = item
        self.is_sent = False
        self.result: TaskDone | None = None

    @property
    def is_ended(self) -> bool:
        """Whether there is a result or an error."""
        return self.result is not None or not self.is_sent


class _Worker:
    """A worker, and the tasks that it has, in order."""

    def __init__(
        self, function: object, inbox: SimpleQueue[tuple[_Worker, object]], spare: Spare | None
    ) -> None:
        self.tasks: deque[_Task[Any]] = deque()
        self.is_ready = False
        module = "frogmove.processes.task_worker"
        self._child = Child(module, function, lambda message: inbox.put((self, message)), spare)
        self.kill = self._child.kill

    @property
    def has_room(self) -> bool:
        """Whether it takes another task."""
        return self.is_ready and len(self.tasks) < _ITEMS_OF_A_WORKER

    def take(self, task: _Task[Any]) -> None:
        """Send it a task."""
        task.is_sent = True
        self.tasks.append(task)
        self._child.send(task.item)


class TaskPool(Generic[A, B]):
    """The processes that apply a function.

    Args:
        function: the function; it, its items and its results can be pickled.
        count: the maximum number of processes, this one included; at most MAX_PROCESSES are used.
        is_sent: tells whether it is faster to send an item to another process.
        spares: processes that were forked to run :func:`frogmove.processes.task_worker.serve`.
    """

    def __init__(
        self,
        function: Callable[[A], B],
        count: int,
        is_sent: Callable[[A], bool],
        spares: Iterable[Spare] = (),
    ) -> None:
        self._function = function
        # As in a run, only processes of POSIX systems get pipes and process groups of their own.
        self._count = min(count, MAX_PROCESSES) if os.name == "posix" else 1
        self._is_sent = is_sent
        self._spares = iter(spares)
        self._workers: list[_Worker] = []
        self._inbox: SimpleQueue[tuple[_Worker, object]] = SimpleQueue()

    def __enter__(self) -> TaskPool[A, B]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()

    def results(self, items: Iterable[A]) -> Iterator[B]:
        """Yield the result of each item, in order; errors are raised in order as well."""
        tasks: deque[_Task[A]] = deque()
        remaining = iter(items)
        number = 0
        error: Exception | None = None
        while True:
            try:
                item = next(remaining)
            except StopIteration:
                break
            except Exception as problem:
                # What was found before is complete.
                error = problem
                break
            number += self._is_sent(item)
            if number == MIN_ITEMS and not self._workers:
                self._start()
            tasks.append(_Task(item))
            self._assign(tasks[-1])
            while tasks and (tasks[0].is_ended or len(tasks) > _AHEAD * self._count):
                yield self._result(tasks.popleft())
        yield from map(self._result, tasks)
        if error is not None:
            raise error

    def _start(self) -> None:
        try:
            while len(self._workers) < self._count - 1:
                self._workers.append(_Worker(self._function, self._inbox, next(self._spares, None)))
        except (OSError, RuntimeError):
            # The system allows no more processes or threads: continue with the existing ones.
            self._count = len(self._workers) + 1

    def _assign(self, task: _Task[A]) -> None:
        while not self._inbox.empty():
            self._receive()
        worker = next((each for each in self._workers if each.has_room), None)
        if worker is not None and self._is_sent(task.item):
            worker.take(task)
            return
        # An error is raised when it is the task's turn.
        with suppress(Exception):
            task.result = TaskDone(self._function(task.item))

    def _result(self, task: _Task[A]) -> B:
        while not task.is_ended:
            self._receive()
        if task.result is not None:
            return cast("B", task.result.result)
        return self._function(task.item)

    def _receive(self) -> None:
        worker, message = self._inbox.get()
        match message:
            case Ready():
                worker.is_ready = True
            case TaskDone():
                worker.tasks.popleft().result = message
            case None:
                self._workers.remove(worker)
                for task in worker.tasks:
                    task.is_sent = False
            case _:
                worker.tasks.popleft().is_sent = False
