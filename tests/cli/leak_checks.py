"""What a command that ran an embedded AWS could have left on this machine."""

import os
from pathlib import Path

import frogmove


def private_environment(temporary: Path) -> dict[str, str]:
    """Return an environment without anyone's AWS settings, whose temporary files are ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "FROGMOVE_"))
    }
    return kept | {
        "PYTHONPATH": str(Path(frogmove.__file__).parents[1]),
        "TMPDIR": str(temporary),
        "XDG_CONFIG_HOME": str(temporary / "config"),
        "XDG_STATE_HOME": str(temporary / "state"),
    }


def living_processes(temporary: Path) -> list[int]:
    """Return the processes that were started with this folder for their temporary files."""
    mark = os.fsencode(temporary)
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if mark in _environment_of(process)
    ]


def _environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        # It has ended meanwhile, or is not ours.
        return b""
