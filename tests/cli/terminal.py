"""A pseudo-terminal, and what a command writes to it."""

from __future__ import annotations

import os
import pty
import select
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING

from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL_MILLISECONDS = 20


@dataclass
class Terminal:
    """A terminal of 24 lines.

    Attributes:
        end: the file descriptor for the process that runs on it.
        keyboard: the file descriptor that takes what is typed.
        screen: all that has been written to it; complete once the context is left.
        gone: set once nobody is to read it any more.
        closed: set once nobody does.
        written: set when something has been written.
    """

    end: int
    keyboard: int
    screen: bytearray = field(default_factory=bytearray)
    gone: Event = field(default_factory=Event)
    closed: Event = field(default_factory=Event)
    written: Event = field(default_factory=Event)

    @property
    def text(self) -> str:
        """What has been written, escape sequences included."""
        return self.screen.decode("utf-8", "replace")

    def wait_for(self, text: str) -> None:
        """Wait until something has been written."""
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            self.written.wait(POLL_MILLISECONDS / 1000)
            self.written.clear()

    def type(self, text: str) -> None:
        """Type on it."""
        os.write(self.keyboard, text.encode())

    def hang_up(self) -> None:
        """Go away: writes to it fail with EIO from now on."""
        self.gone.set()
        self.closed.wait()


@contextmanager
def terminal(columns: int = 100) -> Iterator[Terminal]:
    """Open a terminal; what is written to it can be read when the context is left."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    made = Terminal(theirs, ours)

    def read() -> None:
        # `select` refuses descriptors above 1,023. Linux says EIO at the end of the last process.
        readable = select.poll()
        readable.register(ours, select.POLLIN)
        try:
            while not made.gone.is_set():
                if readable.poll(POLL_MILLISECONDS):
                    chunk = os.read(ours, 65536)
                    if not chunk:
                        break
                    made.screen.extend(chunk)
                    made.written.set()
        except OSError:
            pass
        os.close(ours)
        made.closed.set()

    reader = Thread(target=read)
    reader.start()
    try:
        yield made
    finally:
        os.close(theirs)
        reader.join()
