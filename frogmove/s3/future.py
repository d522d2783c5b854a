"""Futures: the protocol, and an implementation without a lock.

A run creates thousands of futures per second. :class:`concurrent.futures.Future` creates a
condition and a lock for each, which took a fifteenth of the CPU time of a run of small objects
(measured). Here one thread resolves a future once, and both sides share a list, from which each
callback can be taken only once.
"""

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, InvalidStateError
from threading import Event
from typing import Any, Generic, Protocol, TypeVar, cast

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

log = logging.getLogger(__name__)


class Future(Protocol[T_co]):
    """The future result of a request; :class:`concurrent.futures.Future` satisfies it as well."""

    def done(self) -> bool:
        """Tell whether there is a result or an error."""

    def result(self, timeout: float | None = None) -> T_co:
        """Wait for the result; raise the error if there is one instead.

        Args:
            timeout: the seconds to wait; None to wait until it is done.

        Raises:
            TimeoutError: when it is not done in time.
        """

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait until there is a result or an error, and return the error.

        Args:
            timeout: the seconds to wait; None to wait until it is done.

        Raises:
            TimeoutError: when it is not done in time.
        """

    def add_done_callback(self, fn: "Callable[[Future[T_co]], object]", /) -> None:
        """Call a function with this future when it is done, in the resolving thread."""


class LightFuture(Generic[T]):
    """A future that one thread resolves, once, and that cannot be cancelled."""

    def __init__(self) -> None:
        self._is_done = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], object]] = []

    def __repr__(self) -> str:
        state = "pending" if not self._is_done else "done" if self._error is None else "failed"
        return f"<LightFuture {state}>"

    def set_result(self, result: T) -> None:
        """Set the result.

        Raises:
            InvalidStateError: when it already has a result or an error.
        """
        self._resolve(result, None)

    def set_exception(self, exception: BaseException | None) -> None:
        """Set the error.

        Raises:
            InvalidStateError: when it already has a result or an error.
        """
        self._resolve(None, exception)

    def done(self) -> bool:
        """See :class:`Future`."""
        return self._is_done

    def result(self, timeout: float | None = None) -> T:
        """See :class:`Future`."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return cast("T", self._value)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See :class:`Future`."""
        if not self._is_done:
            done = Event()
            self.add_done_callback(lambda _: done.set())
            if not done.wait(timeout):
                raise TimeoutError
        return self._error

    def add_done_callback(self, fn: Callable[[Future[T]], object], /) -> None:
        """See :class:`Future`."""
        self._callbacks.append(fn)
        if self._is_done:
            self._call_back()

    def _resolve(self, value: T | None, error: BaseException | None) -> None:
        if self._is_done:
            raise InvalidStateError("The future already has a result.")
        self._value, self._error = value, error
        self._is_done = True
        self._call_back()

    def _call_back(self) -> None:
        # Both threads may run this at the same time; each callback is taken by one of them.
        while self._callbacks:
            try:
                callback = self._callbacks.pop(0)
            except IndexError:
                return
            try:
                callback(self)
            except Exception:
                log.exception("calling back")


def error_of(done: Future[Any]) -> BaseException | None:
    """Return why a future that is done has no result; an executor cancels what it has not begun."""
    try:
        return done.exception()
    except CancelledError as cancelled:
        return cancelled


def pass_on(future: LightFuture[T], done: Future[T]) -> None:
    """Set the result or error of a future to that of another."""
    error = error_of(done)
    if error is None:
        future.set_result(done.result())
    else:
        future.set_exception(error)
