"""A child process that exchanges messages with this one."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from frogmove.processes.spares import Spare


class Child:
    """A child process. It exits when this process does, because its pipe then closes.

    Args:
        module: the module to run, with the number of the pipe as its argument.
        first: the first message to it.
        received: called in another thread with each message from it, and with None when it exited.
        spare: a process that was forked for it; None to start one.

    Attributes:
        process: the process.

    Raises:
        OSError: when it cannot be started.
        RuntimeError: when no thread can be started.
    """

    def __init__(
        self,
        module: str,
        first: object,
        received: Callable[[object], None],
        spare: Spare | None = None,
    ) -> None:
        self.process: Spare | subprocess.Popen[bytes]
        self._connection: Connection
        if spare is not None:
            self.process, self._connection = spare, spare.connection
        else:
            self.process, self._connection = _start_interpreter(module)
        self.send(first)
        Thread(target=self._listen, args=(received,), name="worker", daemon=True).start()

    def send(self, message: object) -> None:
        """Send a message; that it has exited is reported by the listening thread."""
        with suppress(OSError):
            self._connection.send(message)

    def kill(self) -> None:
        """End the process, whatever it does, and wait until it has exited."""
        self.process.kill()
        self.process.wait()

    def _listen(self, received: Callable[[object], None]) -> None:
        try:
            while True:
                received(self._connection.recv())
        except (EOFError, OSError):
            self.process.wait()
        except Exception:
            # There is no memory for the message, for example. Without it, the pool would wait
            # forever; without the worker, its work is repeated.
            self.kill()
        received(None)


def _start_interpreter(module: str) -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = Pipe()
    with theirs:
        # A separate process group: Ctrl-C must reach only the command's own process.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
    return process, ours
