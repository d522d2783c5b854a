"""stdout and stderr that never raise: what breaks is remembered, and told when there is a place.

A run must not be cut short between a copy and its delete because a reader has gone or a disk is
full. So writes always succeed here, and commands ask whether anybody still hears them.
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
    """Nobody hears what a command says; it has ended for that reason."""


class _Stream(io.TextIOWrapper):
    """A text stream that takes everything, and remembers its first failure."""

    def __init__(self, number: int, before: TextIO | None) -> None:
        # A program that shares it may have changed that; a full pipe is waited for here.
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

    def look(self) -> None:
        """Find out whether the other end has gone, without writing anything."""
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
        # What is buffered has to go somewhere, or it fails again when the interpreter ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._number)
        os.close(nowhere)


class _Streams:
    """What stands for stdout and stderr in this process; nothing until they are protected."""

    out: _Stream | None = None
    err: _Stream | None = None
    # On one terminal, data goes past the bar, by way of stderr.
    is_one_terminal = False
    told = False


def protect() -> bool:
    """Put streams that never raise in the place of stdout and stderr.

    Returns:
        whether they were this process's own; others' are left alone.
    """
    if _Streams.out is not None or sys.stdout is not sys.__stdout__:
        return False
    _fill_closed()
    sys.stdout = _Streams.out = _Stream(STDOUT, sys.stdout)
    sys.stderr = _Streams.err = _Stream(STDERR, sys.stderr)
    _Streams.is_one_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    return True


def _fill_closed() -> None:
    """Occupy closed standard descriptors: a journal or a connection must not get their numbers."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(number, True)
    os.close(number)


def failure() -> str:
    """Say why what is printed does not arrive; empty while it does, as far as is known."""
    found = _Streams.out.failure if _Streams.out is not None else None
    if found is None and _Streams.is_one_terminal and _Streams.err is not None:
        found = _Streams.err.failure
    if found is None:
        return ""
    if found.errno == errno.EPIPE:
        return "its reader has closed it"
    return found.strerror or str(found)


def explain() -> str:
    """Say in a sentence that stdout is broken; it is said once a process."""
    _Streams.told = True
    return f"Nothing more can be written to stdout: {failure()}."


def check() -> None:
    """End a command that only prints once nobody hears it.

    Raises:
        OutputError: when what is printed does not arrive.
    """
    if failure():
        raise OutputError(explain(), "What was shown is incomplete.")


def flush() -> bool:
    """Write out what is buffered.

    Returns:
        whether a failure came to light that nobody has told of yet.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if _Streams.out is not None:
        _Streams.out.look()
    return bool(failure()) and not _Streams.told
