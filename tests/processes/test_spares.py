"""Workers that are forked in advance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from frogmove.processes.spares import spare_workers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")

SCRIPT = """
import os, signal, sys, time
from frogmove.processes.spares import ignore_signals, spare_workers

def serve(connection):
    ignore_signals()
    connection.send(os.getpid())
    print("nothing of this is seen", flush=True)
    try:
        connection.recv()
    finally:
        if sys.argv[1] == "late":
            time.sleep(0.1)

if sys.argv[1] == "no-codes":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
fork, left = os.fork, 2 if sys.argv[1] == "no-more" else 3
def fork_if_allowed():
    global left
    if not left:
        raise BlockingIOError(11, "Resource temporarily unavailable")
    left -= 1
    return fork()
os.fork = fork_if_allowed
before = os.listdir("/proc/self/fd")
print("once", end="")
with spare_workers(3, serve, 1) as spares:
    print(" " + str(len(spares)), *(each.connection.recv() for each in spares), flush=True)
    if sys.argv[1] == "killed":
        sys.stdin.read()
    if sys.argv[1] == "stopped":
        os.kill(spares[0].pid, signal.SIGSTOP)
    used = spares.pop()
    used.connection.send("work")
    assert used.wait() == used.wait() == 0, used.returncode
    used.kill()
    ended = spares.pop()
    ended.kill()
    assert ended.wait() == (0 if sys.argv[1] == "no-codes" else -signal.SIGKILL)
expected = 0 if sys.argv[1] == "no-codes" else -signal.SIGKILL
assert [each.returncode for each in spares] == [expected] * len(spares)
del used, ended
assert os.listdir("/proc/self/fd") == before
"""


def _run(word: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, word],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _exists(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("word", ["late", "stopped"])
def test_spares_that_are_left_over_end_with_the_run_and_print_nothing(word: str) -> None:
    with _run(word) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    first, count, *pids = out.split()
    assert (first, count) == ("once", "3")
    assert len(set(pids)) == 3
    assert not any(map(_exists, pids))


def test_spares_end_where_the_system_keeps_no_exit_codes() -> None:
    """Some supervisors start what they run with SIGCHLD ignored."""
    with _run("no-codes") as process:
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, len(out.split())) == (0, 5)


def test_spares_are_as_many_as_the_system_allows() -> None:
    with _run("no-more") as process:
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.split()[:2]) == (0, ["once", "2"])


def test_spares_do_not_outlive_a_run_that_is_killed_nor_end_at_a_signal() -> None:
    with _run("killed") as process:
        assert process.stdout is not None
        _, _, *pids = process.stdout.readline().split()
        for each in pids:
            os.kill(int(each), signal.SIGINT)
            os.kill(int(each), signal.SIGTERM)
        assert all(map(_exists, pids))
        process.kill()
    deadline = time.monotonic() + 60
    while any(map(_exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(_exists, pids))


def test_process_with_threads_of_others_is_not_forked() -> None:
    def serve(_: Connection) -> None:
        """Is not called."""

    ended = Event()
    other = Thread(target=ended.wait)
    other.start()
    try:
        with spare_workers(2, serve, 1) as spares:
            assert spares == []
    finally:
        ended.set()
        other.join()


def test_process_whose_threads_are_not_known_is_not_forked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Path) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    def serve(_: Connection) -> None:
        """Is not called."""

    # Without /proc.
    monkeypatch.setattr(Path, "iterdir", refuse)
    with spare_workers(2, serve, 9) as spares:
        assert spares == []
