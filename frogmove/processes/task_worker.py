"""A worker of a task pool: ``python -m frogmove.processes.task_worker FD``, started by the pool."""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from frogmove.processes import garbage_collector
from frogmove.processes.messages import Ready, TaskDone, TaskFailed
from frogmove.processes.spares import ignore_signals, name_process

if TYPE_CHECKING:
    from collections.abc import Callable


def serve(connection: Connection) -> None:
    """Apply the pool's function to the items that it sends, until the pipe is closed.

    Raises:
        EOFError: when it has no work for this process.
    """
    ignore_signals()
    function: Callable[[Any], object] = connection.recv()
    name_process()
    garbage_collector.tune()
    items: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(connection, items), name="items", daemon=True).start()
    connection.send(Ready())
    while True:
        connection.send(_result(function, items.get()))


def _listen(connection: Connection, items: SimpleQueue[Any]) -> None:
    """Receive items while the main thread works, so that the pool never waits to send one."""
    try:
        while True:
            items.put(connection.recv())
    except (EOFError, OSError):
        # Nobody can receive results any more.
        os._exit(1)


def _result(function: Callable[[Any], object], item: object) -> TaskDone | TaskFailed:
    try:
        return TaskDone(function(item))
    except Exception:
        # The pool's process repeats the task and raises the error.
        return TaskFailed()


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
