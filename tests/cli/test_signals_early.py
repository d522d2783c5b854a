"""Signals at every moment before a run, real ones on processes of their own."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.cli.cli_runner import ROOT, FrogmoveRunner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

SECONDS_TO_WAIT = 30.0

# Sends its own process signals when a module is about to be imported.
AT_IMPORT = """
import os, sys

class AtImport:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["AT_IMPORT"]:
            sys.meta_path.remove(self)
            for number in os.environ["SIGNALS"].split():
                os.kill(os.getpid(), int(number))

sys.meta_path.insert(0, AtImport())
"""

NO_THREADS = """
import threading

def start(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = start
"""


@pytest.fixture
def runner(moto: Server) -> FrogmoveRunner:
    buckets = Buckets.make(moto)
    buckets.put("a", "b")
    return FrogmoveRunner(buckets)


def signalled_at_import(
    runner: FrogmoveRunner,
    folder: Path,
    module: str,
    numbers: str,
    *arguments: str,
    site: str = AT_IMPORT,
) -> tuple[int, str]:
    """Run a command that gets signals at an import; returns its exit code and its stderr."""
    (folder / "sitecustomize.py").write_text(site)
    # In colour, so that messages are printed by rich, although into a pipe.
    env = {"PYTHONPATH": f"{folder}:{ROOT}", "FORCE_COLOR": "1"}
    process = runner.process(
        *arguments,
        env={**env, "AT_IMPORT": module, "SIGNALS": numbers},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    return process.returncode, err.decode()


@pytest.mark.parametrize(
    ("module", "command", "number"),
    [
        ("click", "ls", signal.SIGINT),
        ("click", "move --all", signal.SIGHUP),
        ("frogmove.cli.output", "ls", signal.SIGTERM),
        # Imported for the last line, when everything has been listed.
        ("rich", "ls", signal.SIGINT),
        ("rich.console", "ls -v", signal.SIGHUP),
        ("rich.console", "move --all -v", signal.SIGTERM),
        ("rich.console", "move --all -n", signal.SIGINT),
        ("rich.console", "ls s3://no-such-bucket", signal.SIGINT),
        ("botocore.session", "sync", signal.SIGTERM),
        ("frogmove.core.transfer", "move --all", signal.SIGINT),
        ("rich", "report", signal.SIGTERM),
    ],
)
def test_signal_at_an_import_ends_the_command(
    runner: FrogmoveRunner, tmp_path: Path, module: str, command: str, number: signal.Signals
) -> None:
    code, err = signalled_at_import(runner, tmp_path, module, f"{number:d}", *command.split())
    assert code == 130, err
    assert "Traceback" not in err
    assert "Error" not in err
    assert runner.buckets.here() == {"a": b"a", "b": b"b"}
    assert runner.buckets.there() == {}


def test_signal_without_threads_ends_the_command(runner: FrogmoveRunner, tmp_path: Path) -> None:
    code, err = signalled_at_import(
        runner, tmp_path, "rich", f"{signal.SIGTERM:d}", "ls", site=AT_IMPORT + NO_THREADS
    )
    assert code == 130, err
    assert "Traceback" not in err
