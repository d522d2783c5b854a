"""The time, and calls at a later time."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Calls functions later, in its own thread."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def now(self) -> float:
        """Return the seconds of a monotonic clock."""
        return time.monotonic()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call a function after some seconds."""
        with self._changed:
            heapq.heappush(self._due, (self.now() + seconds, next(self._order), call))
            has_thread = self._thread is not None or self._start()
            self._changed.notify()
        if not has_thread:
            self._run()

    def _start(self) -> bool:
        """Start the thread; False if the system allows no more: then the caller waits."""
        thread = threading.Thread(target=self._run, name="clock", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next call; None ends the thread, because nothing is left."""
        with self._changed:
            while self._due and self._due[0][0] > self.now():
                self._changed.wait(self._due[0][0] - self.now())
            if not self._due:
                self._thread = None
                return None
            return heapq.heappop(self._due)[2]
