"""Keeps the state that Python has of a thread that it did not start, such as awscrt's.

Without one, Python makes a state whenever the thread calls it, and deletes it afterwards, each time
with memory that it gets from the system and gives back. awscrt calls three times for each response:
that took a sixth of a run's CPU time (measured).
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from awscrt.http import HttpClientConnection  # type: ignore[import-untyped]

    from frogmove.s3.future import Future


def keep_while_open(connecting: Future[HttpClientConnection]) -> None:
    """Keep the calling thread's state until a new connection is closed.

    A state lives as long as one of its PyGILState_Ensure has no PyGILState_Release:
    https://docs.python.org/3/c-api/init.html#c.PyGILState_Ensure. The state of a thread that has
    ended would not be deleted: 13 kB for each client of a program (measured). To keep one more than
    once, or that of a thread of Python's own, changes nothing.

    Args:
        connecting: the connection, if there is one; both ends are reported by awscrt's thread.
    """
    if connecting.exception() is not None:
        return
    # Not every Python has ctypes, or this interface.
    with suppress(ImportError, AttributeError):
        # Lazy: only needed once a server has answered.
        from ctypes import pythonapi

        release = partial(_release, pythonapi.PyGILState_Release, get_ident())
        pythonapi.PyGILState_Ensure()
        connecting.result().shutdown_future.add_done_callback(release)


def _release(release: Callable[[int], object], thread: int, _: object) -> None:
    """Undo one PyGILState_Ensure, in the thread that has called it; elsewhere nothing."""
    if get_ident() == thread:
        # What it returned, as the thread already had the interpreter: PyGILState_LOCKED.
        release(0)
