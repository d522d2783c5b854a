"""A worker of a task pool: ``python -m frogmove.processes.task_worker FD``, started by the pool."""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from frogmove.processes import garbage_collector
from frogmove.processes.messages import Ready, TaskDone, TaskFailed
from frogmove.processes.spares import ignore_signals, name_process
from frogmove.processes.worker_pipe import WorkerPipe

if TYPE_CHECKING:
    from collections.abc import Callable


def serve(connection: Connection) -> None:
    """Apply the pool's function to the items that it sends, until the pipe is closed.

    Raises:
        EOFError: when it has no work for this process.
    """
    ignore_signals()
    pipe = WorkerPipe(connection)
    name_process()
    garbage_collector.tune()
    items: SimpleQueue[Any] = SimpleQueue()
    # The pool never waits to send one.
    pipe.listen(items.put)
    pipe.send(Ready())
    while True:
        pipe.send(_result(pipe.first, items.get()))


def _result(function: Callable[[Any], object], item: object) -> TaskDone | TaskFailed:
    try:
        return TaskDone(function(item))
    except Exception:
        # The pool's process repeats the task and raises the error.
        return TaskFailed()


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
