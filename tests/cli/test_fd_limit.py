"""No run fails because the system allows a process few open files."""

from __future__ import annotations

import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.fd_limit import OTHERS, fit_open_files
from frogmove.s3.limits import Limits
from tests.cli.cli_runner import COMMAND, ROOT

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

KEYS = [f"{number:03}" for number in range(300)]


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "concurrency"),
    [
        (1024, 4096, 1024, 256),
        (256, 4096, 256 + OTHERS, 256),
        (256, resource.RLIM_INFINITY, 256 + OTHERS, 256),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, resource.RLIM_INFINITY, 256),
        (100, 128, 128, 128 - OTHERS),
        (20, 20, 20, 1),
    ],
)
def test_there_is_a_file_for_each_connection(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, allowed: int, concurrency: int
) -> None:
    limit = [soft, hard]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limit))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limit.__setitem__(slice(2), new))
    assert fit_open_files(Limits(256)).concurrency == concurrency
    assert limit == [allowed, hard]


def test_a_limit_that_cannot_be_raised_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert fit_open_files(Limits(256)).concurrency == 256 - OTHERS


def test_a_run_with_few_files_moves_everything(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put(*KEYS)
    changed = frogmove.environment()
    environment = {name: text for name, text in {**os.environ, **changed}.items() if text}
    done = subprocess.run(
        ["bash", "-c", 'ulimit -n 96 && exec "$@"', "bash", *COMMAND, "move", "--all"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(buckets.there()) == KEYS
    assert buckets.keys_here() == []
