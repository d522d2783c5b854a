"""Ctrl-C, SIGTERM and SIGHUP: the first finishes what is in flight, a later one ends at once.

A handler runs wherever the main thread happens to be, in the middle of an import, too. So it does
nothing: the interpreter writes the number to a pipe (``signal.set_wakeup_fd``), and a thread that
reads the pipe does the rest. Nothing is ever raised into code that does not expect it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, NoReturn

from frogmove.cli import exit_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from frogmove.cli.output import Console

# Windows has no SIGHUP.
SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if name in signal.Signals.__members__
)

# Seconds in which a second signal is the first one delivered twice: by a supervisor, or to a
# process and to its group. Only then the first is answered: what follows the answer is another.
SAME_REQUEST = 0.25

_FIRST_WORDS = "Stopping: finishing what is in flight. Press Ctrl-C again to end at once."

# Seconds that a reader who has stopped reading may hold up the end.
LAST_WORDS = 1.0

# A bar hides the cursor, which is behind it.
_WIPE_BAR = b"\r\x1b[2K\x1b[?25h"


def _heard(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe."""


class Stop(Event):
    """Set by the first signal, for a run to watch.

    Args:
        console: where to say what happens.

    Attributes:
        last_words: what to say when a later signal ends the process at once.
        on_stop: called by the first, by a thread of its own.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.last_words = "Ended at once."
        self.on_stop: Callable[[], None] = lambda: None
        self._console = console

    def say(self) -> None:
        """Say that the first signal was heard."""
        _briefly(lambda: self._console.warn(_FIRST_WORDS))

    def end_at_once(self) -> NoReturn:
        """End the process, whatever is in flight."""
        end(self.last_words, _WIPE_BAR if self._console.is_live else b"")


class _Listener:
    """The signals of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stop: Stop | None = None
        self._is_ending = False
        self.is_listening = False

    def start(self) -> Callable[[], None]:
        """Take the signals over; returns what gives them back.

        A SIGHUP that is ignored from the start stays so: that is what nohup is for.

        Raises:
            RuntimeError: when there can be no thread.
            ValueError: when this is not the main thread.
        """
        ours, written = os.pipe()
        os.set_blocking(written, False)
        before_fd = signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        Thread(target=self._listen, args=(ours,), name="signals", daemon=True).start()
        before = {
            number: signal.signal(number, _heard)
            for number in SIGNALS
            if number.name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN
        }
        self.is_listening = True

        def stop() -> None:
            self.is_listening = False
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_fd)
            os.close(written)

        return stop

    @contextmanager
    def guard(self, stop: Stop) -> Iterator[None]:
        """Have the first signal only set an event."""
        with self._lock:
            is_ending = self._is_ending
            before, self._stop = self._stop, stop
        if is_ending:
            # Too late to begin anything.
            Event().wait()
        try:
            yield
        finally:
            with self._lock:
                self._stop = before

    def _listen(self, pipe: int) -> None:
        while numbers := os.read(pipe, 64):
            # Whoever has put another handler in place answers for that signal.
            if any(signal.getsignal(number) is _heard for number in numbers):
                stop = self.hear()
                time.sleep(SAME_REQUEST)
                while select.select([pipe], [], [], 0)[0] and os.read(pipe, 64):
                    pass
                if stop is self._stop:
                    stop.say()
        os.close(pipe)

    def hear(self) -> Stop:
        """Act upon a signal: end the process, unless something is to be finished."""
        with self._lock:
            stop = self._stop
            self._is_ending = stop is None or stop.is_set()
        if stop is None:
            end()
        if self._is_ending:
            stop.end_at_once()
        stop.set()
        stop.on_stop()
        return stop


_listener = _Listener()


def listen(early: Sequence[int] = ()) -> None:
    """Answer signals from now on, until the process ends.

    Args:
        early: those that were heard before.
    """
    with suppress(RuntimeError, ValueError):
        _listener.start()
    if early:
        _listener.hear()


@contextmanager
def listening() -> Iterator[None]:
    """Answer signals for as long as the context lasts, where nobody does."""
    stop = None
    if not _listener.is_listening:
        with suppress(RuntimeError, ValueError):
            stop = _listener.start()
    try:
        yield
    finally:
        if stop is not None:
            stop()


def raise_interrupts() -> None:
    """Have signals raise KeyboardInterrupt from now on: for what is cleared away on the way out."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def interruptible(console: Console) -> Iterator[Stop]:
    """Let the first signal only set an event, that a run watches.

    Anywhere else, the first signal ends the process.

    Args:
        console: where to say what happens.

    Yields:
        the event.
    """
    stop = Stop(console)
    with _listener.guard(stop):
        yield stop


def end(words: str = "", wipe: bytes = b"") -> NoReturn:
    """End the process at once, as interrupted: threads may wait minutes for answers.

    Args:
        words: what to say.
        wipe: what to send to the terminal before that.
    """
    said = wipe + f"{words}\n".encode() if words else wipe
    _briefly(lambda: sys.stdout.flush())
    _briefly(lambda: os.write(sys.stderr.fileno(), said))
    os._exit(exit_codes.INTERRUPTED)


def _briefly(call: Callable[[], object]) -> None:
    """Call something that writes, and do not wait for whoever does not read."""

    def quietly() -> None:
        # Whatever becomes of what is written, the process goes on to its end.
        with suppress(Exception):
            call()

    with suppress(RuntimeError):
        thread = Thread(target=quietly, daemon=True)
        thread.start()
        thread.join(LAST_WORDS)
