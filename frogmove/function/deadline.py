"""The end of an invocation, seen coming: first no more work is taken, then no answer awaited."""

from __future__ import annotations

import math
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

# The most of an invocation's time, in parts of it, that is kept back for each of the two.
_MOST_FOR_ENDING = 1 / 3
_MOST_FOR_ANSWERING = 1 / 12

# Seconds that are enough to write logs and metrics and hand the answer over.
_FOR_ANSWERING = 2.0


def seconds_left(context: object) -> float:
    """Return how much time an invocation has left; without its clock, all the time there is.

    Args:
        context: Lambda's; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """
    clock = getattr(context, "get_remaining_time_in_millis", None)
    return math.inf if clock is None else max(0.0, clock() / 1000)


class Deadline:
    """Watches the time that is left of one invocation.

    Args:
        context: Lambda's; without its clock there is no deadline.
        margin: seconds before the function's timeout at which no more work is taken; never more
            than a third of the time there is.
        abort_pending: called when what is in flight does not end in time either.

    Attributes:
        stop: set once no more work is to be taken.
    """

    def __init__(self, context: object, margin: float, abort_pending: Callable[[], None]) -> None:
        self.stop = Event()
        self._ended = Event()
        self._abort_pending = abort_pending
        self._thread: Thread | None = None
        left = seconds_left(context)
        if left == math.inf:
            return
        ending = min(margin, left * _MOST_FOR_ENDING)
        answering = min(_FOR_ANSWERING, left * _MOST_FOR_ANSWERING, ending)
        self._thread = Thread(
            target=self._watch,
            args=(left - ending, ending - answering),
            name="deadline",
            daemon=True,
        )

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, working: float, ending: float) -> None:
        if self._ended.wait(working):
            return
        self.stop.set()
        if not self._ended.wait(ending):
            self._abort_pending()
