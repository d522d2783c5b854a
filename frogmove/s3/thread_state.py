"""Keeps the state that Python has of a thread that it did not start, such as awscrt's.

Without one, Python makes a state whenever the thread calls it, and deletes it afterwards, each time
with memory that it gets from the system and gives back. awscrt calls three times for each response:
that took a sixth of a run's CPU time (measured).
"""

from __future__ import annotations

from contextlib import suppress


def keep() -> None:
    """Keep the calling thread's state, some kilobytes, until the process ends.

    A state lives as long as one of its PyGILState_Ensure has no PyGILState_Release:
    https://docs.python.org/3/c-api/init.html#c.PyGILState_Ensure. This one never gets it. To call
    it more than once, or in a thread of Python's own, changes nothing.
    """
    # Not every Python has ctypes, or this interface.
    with suppress(ImportError, AttributeError):
        # Lazy: only needed once a server has answered.
        import ctypes

        ctypes.pythonapi.PyGILState_Ensure()
