"""A child process that exchanges messages with this one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from threading import Event, Thread
from typing import TYPE_CHECKING

from frogmove import cpu_scheduling
from frogmove.processes.messages import Heartbeat
from frogmove.processes.worker_pipe import HEARTBEAT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from frogmove.processes.spares import Spare

# A child that misses so many heartbeats is ended: it was stopped, as by SIGSTOP, or cannot run.
# They are counted, not timed: this process may have been stopped as well.
MAX_MISSED = 30


class Child:
    """A child process. It exits when this process does, because its pipe then closes.

    It sends heartbeats (:class:`~frogmove.processes.worker_pipe.WorkerPipe`).

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
        self._heard = False
        self._exited = Event()
        Thread(target=self._listen, args=(received,), name="worker", daemon=True).start()
        self.send(first)

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
            Thread(target=self._watch, name="watch", daemon=True).start()
            while True:
                message = self._connection.recv()
                self._heard = True
                if not isinstance(message, Heartbeat):
                    received(message)
        except (EOFError, OSError):
            self.process.wait()
        except Exception:
            # There is no memory for the message, for example. Without it, the pool would wait
            # forever; without the worker, its work is repeated.
            self.kill()
        self._exited.set()
        received(None)

    def _watch(self) -> None:
        """End the process if it sends no heartbeats; this also ends a send that waits for it."""
        missed = 0
        while missed < MAX_MISSED and not self._exited.wait(HEARTBEAT_SECONDS):
            missed = 0 if self._heard else missed + 1
            self._heard = False
        if not self._exited.is_set():
            self.kill()


def _start_interpreter(module: str) -> tuple[subprocess.Popen[bytes], Connection]:
    if not sys.executable or getattr(sys, "frozen", False):
        # Python is embedded in a program, or packed into one, which would do its work once more.
        raise OSError(errno.ENOEXEC, os.strerror(errno.ENOEXEC))
    ours, theirs = Pipe()

    def start() -> subprocess.Popen[bytes]:
        # A separate process group: Ctrl-C must reach only the command's own process.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    with theirs:
        return cpu_scheduling.start_unpinned(start), ours
