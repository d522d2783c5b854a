"""Ctrl-C, SIGTERM and SIGHUP: the first one stops gracefully, a second one immediately.

A Python signal handler can interrupt the main thread anywhere, even during an import. So the
handler only sets a flag: the interpreter writes the signal's number to a pipe
(``signal.set_wakeup_fd``), and a thread that reads the pipe does the rest. No exception is raised
in code that does not expect it. The flag lets a command that has finished wait for that thread.
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
from frogmove.termination_signals import TERMINATION_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from frogmove.cli.output import Console

# A signal within these seconds counts as the first one delivered twice, by a supervisor, or to the
# process and to its group. The message is printed afterwards: a signal after the message is a new
# one.
SAME_SIGNAL_SECONDS = 0.25

_STOP_MESSAGE = "Stopping: finishing the objects in flight. Press Ctrl-C again to stop immediately."

# Maximum seconds to wait for stdout and stderr when the process ends.
FLUSH_TIMEOUT = 1.0

# Erases the progress bar and shows the cursor again.
_CLEAR_BAR = b"\r\x1b[2K\x1b[?25h"

# Maximum seconds to wait at the end of a command until a signal has been handled.
HANDLE_TIMEOUT = 3 * FLUSH_TIMEOUT


def _record(number: int, frame: FrameType | None) -> None:
    """Record that there is a signal; the interpreter has written its number to the pipe."""
    _listener.is_signalled = True


class Stop(Event):
    """An event that the first signal sets.

    Args:
        console: the output.

    Attributes:
        stop_message: the message after the first signal.
        end_message: the message when a second signal ends the process.
        on_stop: called after the first signal, in another thread.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.stop_message = _STOP_MESSAGE
        self.end_message = "Stopped immediately."
        self.on_stop: Callable[[], None] = lambda: None
        self._console = console

    def say(self) -> None:
        """Print that the first signal was received."""
        _with_timeout(lambda: self._console.warn(self.stop_message))

    def end_now(self) -> NoReturn:
        """End the process, even with requests in flight."""
        end(self.end_message, _CLEAR_BAR if self._console.is_live else b"")


class _Listener:
    """Handles the signals of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stop: Stop | None = None
        self._is_ending = False
        self._is_handled = Event()
        self.is_signalled = False
        self.end_message = ""
        self.end_prefix = b""
        self.is_listening = False

    def start(self) -> Callable[[], None]:
        """Install the handlers; return a function that restores the previous ones.

        A SIGHUP that is already ignored stays ignored, as nohup wants it.

        Raises:
            RuntimeError: when no thread can be started.
            ValueError: when this is not the main thread.
        """
        ours, written = os.pipe()
        os.set_blocking(written, False)
        before_fd = signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        Thread(target=self._listen, args=(ours,), name="signals", daemon=True).start()
        before = {
            number: signal.signal(number, _record)
            for number in TERMINATION_SIGNALS
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
        """Let the first signal only set an event."""
        with self._lock:
            is_ending = self._is_ending
            before, self._stop = self._stop, stop
        if is_ending:
            # The process is already ending: start nothing more.
            Event().wait()
        try:
            yield
        finally:
            with self._lock:
                self._stop = before

    def _listen(self, pipe: int) -> None:
        more = select.poll()
        more.register(pipe, select.POLLIN)
        while numbers := os.read(pipe, 64):
            # Skip signals for which another handler has been installed since.
            if any(signal.getsignal(number) is _record for number in numbers):
                stop = self.handle()
                time.sleep(SAME_SIGNAL_SECONDS)
                while more.poll(0) and os.read(pipe, 64):
                    pass
                if stop is self._stop:
                    stop.say()
        os.close(pipe)

    def handle(self) -> Stop:
        """Handle a signal: stop the guarded run, or end the process."""
        with self._lock:
            stop = self._stop
            self._is_ending = stop is None or stop.is_set()
        if stop is None:
            end(self.end_message, self.end_prefix)
        if self._is_ending:
            stop.end_now()
        stop.set()
        stop.on_stop()
        self._is_handled.set()
        return stop

    def finish(self) -> None:
        """Wait until the first signal has been handled, if there was one."""
        if self.is_signalled:
            self._is_handled.wait(HANDLE_TIMEOUT)


_listener = _Listener()


def listen(early: Sequence[int] = ()) -> None:
    """Handle signals from now on until the process ends.

    Args:
        early: signals received before.
    """
    try:
        _listener.start()
    except RuntimeError:
        # No thread can be started to handle them.
        raise_interrupts()
    if early:
        _listener.handle()


def finish() -> None:
    """Let a signal that has been received end the process, although its work is done."""
    _listener.finish()


def is_listening() -> bool:
    """Tell whether signals are handled, by a thread."""
    return _listener.is_listening


@contextmanager
def listening() -> Iterator[None]:
    """Handle signals in this context, unless they are handled already."""
    stop = None
    if not _listener.is_listening:
        with suppress(RuntimeError, ValueError):
            stop = _listener.start()
    try:
        yield
    finally:
        if stop is not None:
            stop()


@contextmanager
def end_message(text: str, *, has_bar: bool = False) -> Iterator[None]:
    """Print a message if a signal ends the process in this context.

    Args:
        text: the message.
        has_bar: whether the terminal shows a progress bar then, which is removed.
    """
    before = _listener.end_message, _listener.end_prefix
    _listener.end_message, _listener.end_prefix = text, _CLEAR_BAR if has_bar else b""
    try:
        yield
    finally:
        _listener.end_message, _listener.end_prefix = before


def raise_interrupts() -> None:
    """Let signals raise KeyboardInterrupt, so that ``finally`` blocks remove temporary files."""
    for number in TERMINATION_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def interruptible(console: Console) -> Iterator[Stop]:
    """Let the first signal only set an event.

    Outside this context, the first signal ends the process.

    Args:
        console: the output.

    Yields:
        the event.
    """
    stop = Stop(console)
    with _listener.guard(stop):
        yield stop


def end(message: str = "", prefix: bytes = b"") -> NoReturn:
    """End the process immediately as interrupted; other threads may wait minutes for responses.

    Args:
        message: the message.
        prefix: control sequences to send to the terminal first.
    """
    text = prefix + f"{message}\n".encode() if message else prefix
    _with_timeout(lambda: sys.stdout.flush())
    _with_timeout(lambda: os.write(sys.stderr.fileno(), text))
    os._exit(exit_codes.INTERRUPTED)


def _with_timeout(call: Callable[[], object]) -> None:
    """Call something that writes, but do not wait long for a blocked reader."""

    def quietly() -> None:
        # An error while writing must not stop the process from ending.
        with suppress(Exception):
            call()

    with suppress(RuntimeError):
        thread = Thread(target=quietly, daemon=True)
        thread.start()
        thread.join(FLUSH_TIMEOUT)
