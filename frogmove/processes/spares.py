"""Worker processes that are forked in advance.

A new interpreter takes half a second to import what a worker needs. A fork has imported it already,
and takes some milliseconds, which a run that turns out to be small hardly notices. But a fork has
only the thread that forked, and awscrt's threads cannot be started again: so it is made before they
exist, in a process whose threads are all known. Where that is not so, as in a program that uses the
library, workers are new interpreters.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from frogmove.termination_signals import TERMINATION_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    Serve = Callable[[Connection], None]

# Each fork takes about 5 ms. On larger machines, the other workers are new interpreters.
MAX_SPARES = 7


def ignore_signals() -> None:
    """Ignore signals in a worker, which follows only the command's own process.

    A supervisor may signal every process.
    """
    for number in TERMINATION_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINATION_SIGNALS)


def name_process() -> None:
    """Let ps, top and pgrep call this process a worker, also if it is a fork."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text("frogmove.worker")


class Spare:
    """A forked process that waits for its setup.

    Attributes:
        connection: the pipe to it; once closed, it exits.
        pid: its process id.
        returncode: its exit code, once it is known.
    """

    def __init__(self, connection: Connection, pid: int) -> None:
        self.connection = connection
        self.pid = pid
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def kill(self) -> None:
        """End it, whatever it does, unless it has exited: then its id may be another process's."""
        with self._lock, suppress(ProcessLookupError):
            if self.returncode is None:
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it exits, and return its exit code."""
        # It keeps its id until the lock is held, so that kill ends no other process.
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            if self.returncode is None:
                try:
                    _, status = os.waitpid(self.pid, 0)
                except ChildProcessError:
                    # This process was started with SIGCHLD ignored, so exit codes are not kept.
                    status = 0
                self.returncode = os.waitstatus_to_exitcode(status)
            return self.returncode


@contextmanager
def spare_workers(count: int, serve: Serve, own_threads: int) -> Iterator[list[Spare]]:
    """Fork workers; those that are left over are ended with the context.

    Args:
        count: how many may be needed.
        serve: what they run; it calls :func:`ignore_signals`, and ends once its pipe is closed.
        own_threads: how many threads this process has by its own code; a fork can do without these.

    Yields:
        the workers; fewer, or none, where this process cannot be forked.
    """
    spares: list[Spare] = []
    if sys.platform == "linux" and _count_threads() in range(1, own_threads + 1):
        # Otherwise each collection would copy the memory that they share.
        gc.freeze()
        try:
            while len(spares) < min(count, MAX_SPARES):
                spares.append(_fork(serve, spares))
        except OSError:
            # The system allows no more processes or files: continue with the existing ones.
            pass
    try:
        yield spares
    finally:
        for each in spares:
            # They have done nothing. One that was stopped would never notice a closed pipe.
            each.kill()
            each.connection.close()
        for each in spares:
            each.wait()


def _count_threads() -> int:
    """Return the number of all threads of this process; Python does not know awscrt's.

    0 if it is not known.
    """
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        # /proc is not mounted.
        return 0


def _fork(serve: Serve, earlier: list[Spare]) -> Spare:
    ours, theirs = Pipe()
    # A signal that arrived in between would be taken for one to this process.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATION_SIGNALS)
    try:
        with warnings.catch_warnings():
            # Python warns of any further thread.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _become_worker(serve, theirs, [ours, *(spare.connection for spare in earlier)])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return Spare(ours, pid)


def _become_worker(serve: Serve, connection: Connection, others: list[Connection]) -> NoReturn:
    code = 1
    try:
        # They must close with the run's own process.
        for each in others:
            each.close()
        # A separate process group: Ctrl-C must reach only the run's own process.
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nothing, standard)
        serve(connection)
        code = 0
    finally:
        # Nothing of the run's own process may be flushed, closed or removed here.
        os._exit(code)
