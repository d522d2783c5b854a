"""Ctrl-C and SIGTERM: the first finishes what is in flight, the second ends at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from frogmove.cli import exit_codes
from frogmove.cli.output import Console


@contextmanager
def interruptible(console: Console) -> Iterator[Event]:
    """Turn the first interrupt into an event that a run watches.

    Args:
        console: where to say what happens.

    Yields:
        the event; set by the first SIGINT or SIGTERM.
    """
    stop = Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            # Threads may be waiting for answers; nothing they do deletes what was not verified.
            sys.stdout.flush()
            console.err.show_cursor()
            os._exit(exit_codes.INTERRUPTED)
        stop.set()
        console.warn("Stopping: finishing what is in flight. Press Ctrl-C again to end at once.")

    before = {number: signal.signal(number, interrupted) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
