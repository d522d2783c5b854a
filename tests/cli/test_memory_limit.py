"""A machine that allows few threads and little memory: fewer requests at once, nothing lost."""

from __future__ import annotations

import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import ENGINES

if TYPE_CHECKING:
    from tests.servers import Server

MIB = 1024 * 1024


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mebibytes", [350, 450, 600])
def test_run_with_little_memory_for_threads_moves_everything(
    engine: str, mebibytes: int, moto: Server
) -> None:
    runner = FrogmoveRunner(Buckets.make(moto))
    bodies = {f"{number:02}": b"x" for number in range(60)}
    runner.buckets.put(*bodies, body=b"x")
    process = runner.process(
        *("move", "--all", "-q"),
        env={"FROGMOVE_ENGINE": engine},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MIB,) * 2),
    )
    try:
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert b"Traceback" not in err, err.decode()
    assert process.returncode == 0, err.decode()
    assert (runner.buckets.here(), runner.buckets.there()) == ({}, bodies)
