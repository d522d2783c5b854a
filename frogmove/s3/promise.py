"""A future without a lock of its own: thousands a second are made, kept and forgotten.

:class:`concurrent.futures.Future` makes a condition and a lock for each and takes it at every
turn, which was a fifteenth of all the CPU of a run of small objects (measured). Here one thread
keeps a promise, once, and what the two sides share is a list, of which each element can be taken
only once.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from threading import Event
from typing import Any, TypeVar, cast

T = TypeVar("T")

log = logging.getLogger(__name__)


class Promise(Future[T]):
    """A future that cannot be cancelled; otherwise it behaves as its base class says."""

    def __init__(self) -> None:
        # Not the base class's, which makes the lock; nothing of it that needs one is used.
        self._kept = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], Any]] = []

    def __repr__(self) -> str:
        state = "open" if not self._kept else "kept" if self._error is None else "broken"
        return f"<Promise {state}>"

    def set_result(self, result: T) -> None:
        """Keep the promise."""
        self._keep(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """Tell that the promise cannot be kept, and why."""
        self._keep(None, exception)

    def done(self) -> bool:
        """Tell whether there is a result or an error."""
        return self._kept

    def running(self) -> bool:
        """Tell whether there is none yet."""
        return not self._kept

    def cancel(self) -> bool:
        """Refuse: what has been sent cannot be taken back."""
        return False

    def cancelled(self) -> bool:
        """Tell that it has not been cancelled."""
        return False

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result; raise the error if there is one instead."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return cast("T", self._value)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait until there is a result or an error, and return the error."""
        if not self._kept:
            kept = Event()
            self.add_done_callback(lambda _: kept.set())
            if not kept.wait(timeout):
                raise TimeoutError
        return self._error

    def add_done_callback(self, fn: Callable[[Future[T]], Any]) -> None:
        """Have something called once it is kept: by whoever keeps it, or at once."""
        self._callbacks.append(fn)
        if self._kept:
            self._call_back()

    def _keep(self, value: T | None, error: BaseException | None) -> None:
        if self._kept:
            raise InvalidStateError("A promise is kept once.")
        self._value, self._error = value, error
        self._kept = True
        self._call_back()

    def _call_back(self) -> None:
        # Both sides may get here at once; each callback is taken out by one of them.
        while self._callbacks:
            try:
                callback = self._callbacks.pop(0)
            except IndexError:
                return
            try:
                callback(self)
            except Exception:
                log.exception("calling back")
