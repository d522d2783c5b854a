"""What one command costs: wall time, CPU time and peak memory, of it and of its children."""

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
# starts it: this, which needs about 10 MB. It also keeps the clock.
_LAUNCHER = """
import json, os, sys, time
out, error, *command = sys.argv[1:]
write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
files = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, out, write, 0o600),
    (os.POSIX_SPAWN_OPEN, 2, error, write, 0o600),
]
start = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=files)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""

# macOS counts bytes, everybody else kibibytes.
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")


class CommandError(Exception):
    """A command that was to be measured failed or took too long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a command.

    Attributes:
        wall: seconds.
        cpu: seconds of CPU time, user's and system's.
        memory: the most bytes that were resident at once.
    """

    wall: float
    cpu: float
    memory: int


def measure(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> Sample:
    """Run a command; what it prints is in ``folder/out`` then.

    Args:
        command: the command.
        environment: variables beyond the few that every program gets.
        folder: a folder of its own, in which it runs.
        seconds: how long it may take.

    Raises:
        CommandError: when it fails, or takes longer.
    """
    out, error = folder / "out", folder / "error"
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(out), str(error), *command]
    with subprocess.Popen(
        launcher,
        cwd=folder,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            told, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            raise CommandError(f"took longer than {seconds:.0f} s") from late
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        raise CommandError(f"could not be started: {' '.join(command)}")
    code, wall, cpu, memory = json.loads(told)
    if code != 0:
        words = error.read_text("utf-8", "replace").strip()[-500:]
        raise CommandError(f"exit code {code}: {words}")
    return Sample(wall, cpu, memory * _MEMORY_UNIT)
