"""Commands of a document, run on an embedded AWS that they share; ``cog`` puts their output in.

What differs from one run to the next (ids, times, durations) is shown as if it did not.
"""

from __future__ import annotations

import atexit
import os
import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from frogmove.local_aws.environment import embedded_aws
from frogmove.local_aws.stack import connect

ROOT = Path(__file__).parents[2]

_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
_TIME = "2026-11-23T07:30:00.000+00:00"

_SAME = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", _ID),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", _TIME),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-23 07:30:00"),
    (r'("remaining_time_in_millis": )\d+', r"\g<1>29987"),
    (r'("milliseconds": ?)\d+', r"\g<1>31"),
    (r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", f"2026/11/23/[$LATEST]{'0' * 32}"),
]


def shown(*commands: str) -> str:
    """Run commands one after the other and return them with what they print, as Markdown.

    Raises:
        RuntimeError: when one fails that does not say that it does, by ending in ``|| true``.
    """
    blocks = []
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=_folder(),
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{command}: exit code {done.returncode}: {done.stdout}")
        output = done.stdout
        for pattern, text in _SAME:
            output = re.sub(pattern, text, output)
        blocks.append(f"$ {command.removesuffix(' || true')}\n{output}".rstrip() + "\n")
    return "```console\n" + "".join(blocks) + "```\n"


@cache
def _folder() -> str:
    return tempfile.mkdtemp(prefix="frogmove-walkthrough-")


def _write_program(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


@cache
def _environment() -> dict[str, str]:
    """Start the embedded AWS, which ends with this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    aws = stack.enter_context(embedded_aws())
    connect(aws.clients, aws.stack)
    own = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("AWS_", "FROGMOVE_"))
    }
    binaries = Path(_folder(), "bin")
    binaries.mkdir()
    python = shlex.quote(sys.executable)
    _write_program(binaries / "python", f'exec {python} "$@"')
    start = "from frogmove.cli import main; main(prog_name='frogmove')"
    _write_program(binaries / "frogmove", f'exec {python} -c {shlex.quote(start)} "$@"')
    return {
        **own,
        **aws.environment(),
        "PATH": os.pathsep.join([str(binaries), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "FROGMOVE_CONFIG": os.devnull,
        "COLUMNS": "100",
    }
