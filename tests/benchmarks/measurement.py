"""What one command costs: wall time, CPU time and peak memory, of it and all its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# The kernel counts the memory of a program's parent as the program's own, so a small parent
# starts it: this, which needs about 10 MB. It also keeps the clock, and adds up the memory of the
# program's processes five times a second, in which pages that several share count once (Pss).
_LAUNCHER = """
import json, os, sys, threading, time
cpus, out, error, *command = sys.argv[1:]
if cpus:
    os.sched_setaffinity(0, map(int, cpus.split(",")))
write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
files = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, out, write, 0o600),
    (os.POSIX_SPAWN_OPEN, 2, error, write, 0o600),
]
start = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=files)
ended, most = threading.Event(), 0
def processes(number):
    yield number
    with open(f"/proc/{number}/task/{number}/children") as file:
        for each in file.read().split():
            yield from processes(int(each))
def resident(number):
    with open(f"/proc/{number}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
def watch():
    global most
    while not ended.wait(0.2):
        try:
            most = max(most, sum(map(resident, processes(child))))
        except (OSError, StopIteration):
            continue
watching = threading.Thread(target=watch)
watching.start()
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
ended.set()
watching.join()
code = os.waitstatus_to_exitcode(status)
memory = max(usage.ru_maxrss, most) * 1024
print(json.dumps([code, wall, usage.ru_utime + usage.ru_stime, memory]))
"""

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")


class CommandError(Exception):
    """A command that was to be measured failed or took too long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a command.

    Attributes:
        wall: seconds.
        cpu: seconds of CPU time, user's and system's.
        memory: the most bytes that were resident at once, in all its processes.
        server_cpu: seconds of CPU time that the server took meanwhile.
    """

    wall: float
    cpu: float
    memory: int
    server_cpu: float = 0.0


def measure(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    seconds: float,
    cpus: Sequence[int] = (),
) -> Sample:
    """Run a command; what it prints is in ``folder/out`` then.

    Args:
        command: the command.
        environment: variables beyond the few that every program gets.
        folder: a folder of its own, in which it runs.
        seconds: how long it may take.
        cpus: the processors that it may use; empty for all.

    Raises:
        CommandError: when it fails, or takes longer.
    """
    out, error = folder / "out", folder / "error"
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    processors = ",".join(map(str, cpus))
    files = [str(out), str(error)]
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, processors, *files, *command]
    with subprocess.Popen(
        launcher,
        cwd=folder,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            reported, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            raise CommandError(f"took longer than {seconds:.0f} s") from late
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        raise CommandError(f"could not be started: {' '.join(command)}")
    code, wall, cpu, memory = json.loads(reported)
    if code != 0:
        words = error.read_text("utf-8", "replace").strip()[-500:]
        raise CommandError(f"exit code {code}: {words}")
    return Sample(wall, cpu, memory)
