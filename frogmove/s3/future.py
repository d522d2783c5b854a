"""A future without a lock of its own: thousands a second are made, resolved and forgotten.

:class:`concurrent.futures.Future` makes a condition and a lock for each and takes it at every
turn, which was a fifteenth of all the CPU of a run of small objects (measured). Here one thread
resolves a future, once, and what the two sides share is a list, of which each element can be taken
only once.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from threading import Event
from typing import Any, TypeVar, cast

T = TypeVar("T")

log = logging.getLogger(__name__)


class LightFuture(Future[T]):
    """A future that cannot be cancelled; otherwise it behaves as its base class says."""

    def __init__(self) -> None:
        # Not the base class's, which makes the lock; nothing of it that needs one is used.
        self._is_done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], Any]] = []

    def __repr__(self) -> str:
        state = "pending" if not self._is_done else "done" if self._error is None else "failed"
        return f"<LightFuture {state}>"

    def set_result(self, result: T) -> None:
        """Set the result."""
        self._resolve(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """Set the error."""
        self._resolve(None, exception)

    def done(self) -> bool:
        """Tell whether there is a result or an error."""
        return self._is_done

    def running(self) -> bool:
        """Tell whether there is none yet."""
        return not self._is_done

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
        if not self._is_done:
            done = Event()
            self.add_done_callback(lambda _: done.set())
            if not done.wait(timeout):
                raise TimeoutError
        return self._error

    def add_done_callback(self, fn: Callable[[Future[T]], Any]) -> None:
        """Have something called once it is done: by whoever resolves it, or at once."""
        self._callbacks.append(fn)
        if self._is_done:
            self._call_back()

    def _resolve(self, value: T | None, error: BaseException | None) -> None:
        if self._is_done:
            raise InvalidStateError("A result is set once.")
        self._value, self._error = value, error
        self._is_done = True
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


def pass_on(future: Future[T], done: Future[T]) -> None:
    """Give a future what became of another that is done."""
    if done.cancelled():
        future.cancel()
        return
    error = done.exception()
    if error is None:
        future.set_result(done.result())
    else:
        future.set_exception(error)
