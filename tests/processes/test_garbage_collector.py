"""When a command collects garbage."""

from __future__ import annotations

import subprocess
import sys

COMMAND = """
import sys
from frogmove.__main__ import main

class Garbage:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("collected", flush=True)

Garbage()
sys.argv = ["frogmove", "--version"]
main()
"""


def test_nothing_is_collected_while_a_short_command_runs_and_exits() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("frogmove")
    assert "collected" not in ran.stdout
