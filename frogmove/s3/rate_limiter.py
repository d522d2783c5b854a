"""Starts copies at no more than a rate, which may change while some wait."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frogmove.s3.clock import Clock
    from frogmove.s3.future import LightFuture

# What was late by at most this many seconds is made up for: timers are not exact.
_MAKE_UP_SECONDS = 0.1


class RateLimiter:
    """Starts requests in order, at a rate.

    Args:
        clock: the clock.
        rate: maximum starts per second; None for no limit.

    Attributes:
        rate: the current rate; a new one is also that of requests that wait.
    """

    def __init__(self, clock: Clock, rate: float | None) -> None:
        self._clock = clock
        self.rate = rate
        self._lock = threading.Lock()
        self._next_start = 0.0
        self._waiting: deque[tuple[LightFuture[Any], Callable[[], None]]] = deque()
        self._is_cancelled = False

    def start(self, future: LightFuture[Any], begin: Callable[[], None]) -> bool:
        """Start a request when its turn comes.

        Args:
            future: its future, which identifies it.
            begin: starts it.

        Returns:
            whether it was accepted: after :meth:`cancel`, none is that has to wait.
        """
        with self._lock:
            now = self._clock.now()
            is_first = not self._waiting
            is_due = is_first and self._next_start <= now
            if is_due:
                self._next_start = now + self._interval
            elif self._is_cancelled:
                return False
            else:
                self._waiting.append((future, begin))
            wait = self._next_start - now
        if is_due:
            begin()
        elif is_first:
            self._clock.call_later(wait, self._start_due)
        return True

    def cancel(self) -> Sequence[LightFuture[Any]]:
        """Drop all requests that wait; return their futures."""
        with self._lock:
            self._is_cancelled = True
            dropped = [future for future, _ in self._waiting]
            self._waiting.clear()
        return dropped

    @property
    def _interval(self) -> float:
        return 0.0 if self.rate is None else 1 / self.rate

    def _start_due(self) -> None:
        due = []
        with self._lock:
            now = self._clock.now()
            self._next_start = max(self._next_start, now - _MAKE_UP_SECONDS)
            while self._waiting and self._next_start <= now:
                due.append(self._waiting.popleft()[1])
                self._next_start += self._interval
            wait = self._next_start - now
            has_more = bool(self._waiting)
        for begin in due:
            begin()
        if has_more:
            self._clock.call_later(wait, self._start_due)
