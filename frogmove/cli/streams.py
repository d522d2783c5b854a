"""stdout and stderr streams that never raise: the first failure is kept and reported later.

A closed pipe or a full disk must not interrupt a run between a copy and its delete. So writes
always succeed here, and commands check for a failure.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TextIO

from frogmove.errors import RunError

STDOUT = 1
STDERR = 2


class OutputError(RunError):
    """stdout cannot be written, so the command has ended."""


class _Stream(io.TextIOWrapper):
    """A text stream whose writes never fail; it keeps the first failure."""

    def __init__(self, number: int, before: TextIO | None) -> None:
        # Another program may have made it non-blocking, but a full pipe must be waited for.
        os.set_blocking(number, True)
        super().__init__(
            io.BufferedWriter(io.FileIO(number, "wb", closefd=False)),
            encoding=before.encoding if before is not None else "utf-8",
            errors="backslashreplace",
            line_buffering=number == STDERR or os.isatty(number),
        )
        self.failure: OSError | None = None
        self._number = number
        self._is_closed = before is None

    def write(self, text: str, /) -> int:
        if self._is_closed:
            self.failure = self.failure or OSError(errno.EBADF, "it is closed")
        elif self.failure is None:
            try:
                return super().write(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._fail(error)

    def check_reader(self) -> None:
        """Check without writing whether the other end is closed."""
        if self.failure is not None or self._is_closed or not hasattr(select, "poll"):
            return
        poll = select.poll()
        poll.register(self._number, 0)
        for _, event in poll.poll(0):
            if event & (select.POLLERR | select.POLLHUP):
                code = errno.EIO if event & select.POLLHUP else errno.EPIPE
                self._fail(OSError(code, os.strerror(code)))

    def _fail(self, error: OSError) -> None:
        self.failure = self.failure or error
        # Discard what is buffered, or flushing it fails again when the interpreter exits.
        null_device = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null_device, self._number)
        os.close(null_device)


class _Streams:
    """The protected streams of this process; None until :func:`protect` is called."""

    out: _Stream | None = None
    err: _Stream | None = None
    # If both are one terminal, data is printed through the bar's console on stderr.
    is_one_terminal = False
    is_reported = False


def protect() -> bool:
    """Replace stdout and stderr by streams that never raise.

    Returns:
        whether they were replaced; streams that a caller has replaced are kept.
    """
    if _Streams.out is not None or sys.stdout is not sys.__stdout__:
        return False
    _fill_closed()
    sys.stdout = _Streams.out = _Stream(STDOUT, sys.stdout)
    sys.stderr = _Streams.err = _Stream(STDERR, sys.stderr)
    _Streams.is_one_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    return True


def _fill_closed() -> None:
    """Open closed standard descriptors, so that no journal or connection gets their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(number, True)
    os.close(number)


def failure() -> str:
    """Return why stdout cannot be written; empty if no failure is known."""
    found = _Streams.out.failure if _Streams.out is not None else None
    if found is None and _Streams.is_one_terminal and _Streams.err is not None:
        found = _Streams.err.failure
    if found is None:
        return ""
    if found.errno == errno.EPIPE:
        return "its reader has closed it"
    return found.strerror or str(found)


def explain() -> str:
    """Return a sentence about the failure of stdout, and mark it as reported."""
    _Streams.is_reported = True
    return f"stdout cannot be written any more: {failure()}."


def check() -> None:
    """End a command that only prints, if stdout cannot be written.

    Raises:
        OutputError: when stdout cannot be written.
    """
    if failure():
        raise OutputError(explain(), "The output is incomplete.")


def flush() -> bool:
    """Flush both streams.

    Returns:
        whether there is a failure that has not been reported yet.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if _Streams.out is not None:
        _Streams.out.check_reader()
    return bool(failure()) and not _Streams.is_reported
