"""No run fails because the system allows a process few open files."""

from __future__ import annotations

import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.fd_limit import OTHERS, fit_open_files
from frogmove.cli.output import Console
from frogmove.s3.limits import Limits
from tests.buckets import Buckets
from tests.cli.cli_runner import COMMAND, ROOT, FrogmoveRunner
from tests.fault_fixture import ENGINES

if TYPE_CHECKING:
    from tests.servers import Server

KEYS = [f"{number:03}" for number in range(100)]


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
def test_fit_open_files_has_a_file_for_each_connection(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    soft: int,
    hard: int,
    allowed: int,
    concurrency: int,
) -> None:
    limit = [soft, hard]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limit))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limit.__setitem__(slice(2), new))
    assert fit_open_files(Limits(256), Console()).concurrency == concurrency
    assert limit == [allowed, hard]
    printed = capsys.readouterr().err
    assert (f"Using {concurrency} concurrent connection" in printed) == (concurrency < 256)


def test_fit_open_files_keeps_a_limit_that_cannot_be_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert fit_open_files(Limits(256), Console()).concurrency == 256 - OTHERS


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("files", "printed"),
    [
        (64, "Using 1 concurrent connection instead of 384: this process may open only 64 files."),
        (
            96,
            "Using 32 concurrent connections instead of 384: this process may open only 96 files.",
        ),
    ],
)
def test_run_with_few_files_moves_everything_and_says_how(
    ministack: Server, engine: str, files: int, printed: str
) -> None:
    buckets = Buckets.make(ministack)
    buckets.put(*KEYS)
    changed = FrogmoveRunner(buckets).environment() | {"FROGMOVE_ENGINE": engine}
    environment = {name: text for name, text in {**os.environ, **changed}.items() if text}
    done = subprocess.run(
        ["bash", "-c", f'ulimit -n {files} && exec "$@"', "bash", *COMMAND, "move", "--all"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert printed in done.stderr
    assert sorted(buckets.there()) == KEYS
    assert buckets.keys_here() == []
