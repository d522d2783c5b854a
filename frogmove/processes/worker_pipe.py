"""A worker's end of the pipe to the process that started it."""

from __future__ import annotations

import os
import time
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from frogmove.processes.messages import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

# Seconds between heartbeats.
HEARTBEAT_SECONDS = 1.0


class WorkerPipe:
    """A worker's end of the pipe; heartbeats begin with the first message.

    Args:
        connection: the pipe.

    Attributes:
        first: the first message.

    Raises:
        EOFError: when it was closed without a message.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self.first: Any = connection.recv()
        Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def listen(self, received: Callable[[Any], object]) -> None:
        """Handle all further messages in another thread, while the main thread works."""
        Thread(target=self._listen, args=(received,), name="listen", daemon=True).start()

    def send(self, message: object) -> None:
        """Send a message; may be called from any thread."""
        with self._lock:
            self._connection.send(message)

    def _beat(self) -> None:
        try:
            while True:
                time.sleep(HEARTBEAT_SECONDS)
                self.send(Heartbeat())
        finally:
            os._exit(1)

    def _listen(self, received: Callable[[Any], object]) -> None:
        try:
            while True:
                received(self._connection.recv())
        finally:
            # The other end is closed, so nobody can receive results; requests in flight are
            # conditional, so they are safe. Or a message was lost, for lack of memory for example:
            # the pool would wait for an answer forever.
            os._exit(1)
