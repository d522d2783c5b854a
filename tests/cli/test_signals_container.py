"""Signals to the first process of a container, which the kernel drops unless they are asked for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.cli.in_flight import HELD, KEYS, in_flight, lines, waiting_for_an_answer
from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from tests.servers import Server

SERVER = "ministack"


UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


def _why_no_containers() -> str:
    if shutil.which("unshare") is None:
        return "there is no unshare"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    return tried.stderr.strip()


first_process = pytest.mark.skipif(
    bool(_why_no_containers()), reason=f"no process namespace: {_why_no_containers()}"
)


def child(process: subprocess.Popen[bytes]) -> int:
    """Return the process that runs as the first of its namespace."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not path.read_text():
        time.sleep(0.01)
    return int(path.read_text())


@first_process
@pytest.mark.parametrize("command", ["ls", "move --all"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_process_of_a_container_heeds_signals(
    moto: Server, command: str, number: signal.Signals
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    with waiting_for_an_answer(runner, *command.split(), within=UNSHARE) as process:
        os.kill(child(process), number)
        _, err = process.communicate(timeout=15)
    assert process.returncode == 130
    # On a busy machine it says what it waits for.
    assert [line for line in err.splitlines() if not line.startswith(b"Waiting for ")] == []


@pytest.mark.matrix
@first_process
def test_run_as_the_first_process_of_a_container_finishes_what_is_in_flight(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put(*KEYS)
    with in_flight(frogmove, "move", "--all", "--concurrency", "16", within=UNSHARE) as (
        door,
        process,
    ):
        os.kill(child(process), signal.SIGTERM)
        assert any("finishing the objects in flight" in line for line in lines(process.stderr))
        door.opened.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode == 130
    assert b"frogmove resume" in err
    assert sorted([*buckets.here(), *buckets.there()]) == KEYS
    assert HELD <= len(buckets.there()) < len(KEYS)
