"""The deadline of an invocation: first no new work is started, then requests are abandoned."""

from __future__ import annotations

import math
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

# The maximum fraction of an invocation's time that is reserved for each of the two.
_MAX_FRACTION_FOR_ENDING = 1 / 3
_MAX_FRACTION_FOR_RESPONSE = 1 / 12

# Seconds needed to write logs and metrics and to return the response.
_RESPONSE_SECONDS = 2.0


def seconds_left(context: object) -> float:
    """Return the remaining seconds of an invocation; infinite without Lambda's context.

    Args:
        context: Lambda's; https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """
    clock = getattr(context, "get_remaining_time_in_millis", None)
    return math.inf if clock is None else max(0.0, clock() / 1000)


class Deadline:
    """Watches the remaining time of one invocation.

    Args:
        context: Lambda's context; without its clock there is no deadline.
        margin: seconds before the function's timeout at which no new work is started; at most a
            third of the remaining time.
        abort_pending: called when requests in flight do not end in time.

    Attributes:
        stop: set when no new work must be started.
    """

    def __init__(self, context: object, margin: float, abort_pending: Callable[[], None]) -> None:
        self.stop = Event()
        self._ended = Event()
        self._abort_pending = abort_pending
        self._thread: Thread | None = None
        left = seconds_left(context)
        if left == math.inf:
            return
        ending = min(margin, left * _MAX_FRACTION_FOR_ENDING)
        responding = min(_RESPONSE_SECONDS, left * _MAX_FRACTION_FOR_RESPONSE, ending)
        self._thread = Thread(
            target=self._watch,
            args=(left - ending, ending - responding),
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
