"""Listings by several processes are those by one, and nothing outlives them."""

from __future__ import annotations

import signal
import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.processes import task_pool
from tests.fault_proxy import DENY, PASS, Fault, FaultProxy, Request
from tests.keys import KEYS
from tests.processes.conftest import wait_for_workers, wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

SERVER = "ministack"


@pytest.fixture
def by_two(monkeypatch: pytest.MonkeyPatch, ready_workers: None, short_pages: None) -> list[object]:
    """Let two processes do everything that has more than one page; return what workers get."""
    sent: list[object] = []
    take = task_pool._Worker.take
    monkeypatch.setattr(task_pool, "MIN_ITEMS", 1)

    def take_and_note(self: task_pool._Worker, task: task_pool._Task[object]) -> None:
        sent.append(task.item)
        take(self, task)

    monkeypatch.setattr(task_pool._Worker, "take", take_and_note)
    return sent


@pytest.mark.parametrize(
    "options",
    [
        ["--prefix", "a", "--prefix", "f", "--exclude", "**/*9"],
        pytest.param(["-o", "json"], marks=pytest.mark.matrix),
        pytest.param(["--null"], marks=pytest.mark.matrix),
        pytest.param(["-h", "--summarize"], marks=pytest.mark.matrix),
    ],
)
def test_ls_by_two_processes_is_ls_by_one(
    buckets: Buckets, frogmove: FrogmoveRunner, by_two: list[object], options: list[str]
) -> None:
    buckets.put(*KEYS.values(), "f", *(f"f/{number}" for number in range(20)))
    one = frogmove("ls", *options, "--processes", "1")
    assert not by_two
    assert frogmove("ls", *options, "--processes", "2") == one
    assert by_two
    assert (one.code, len(one.out) > 500) == (0, True)


def test_ls_that_is_denied_half_way_shows_all_before_it_and_fails(
    buckets: Buckets, frogmove: FrogmoveRunner, by_two: list[object], ministack_proxy: FaultProxy
) -> None:
    buckets.put(*(f"{number:02}" for number in range(60)))
    whole = frogmove("ls").out

    def deny_some(request: Request) -> Fault:
        return DENY if request.number > 20 else PASS

    ministack_proxy.reset(deny_some)
    ran = frogmove("ls", FROGMOVE_ENDPOINT_URL=ministack_proxy.endpoint_url)
    assert ran.code != 0
    assert "Missing permission: s3:ListBucket" in ran.err
    assert by_two
    assert whole.startswith(ran.out)
    assert whole != ran.out


SCRIPT = """
from functools import partialmethod
from frogmove.processes import task_pool
from frogmove.s3.retry import RetryingS3
task_pool.MIN_ITEMS = 1
RetryingS3.list_page = partialmethod(RetryingS3.list_page, limit=2)
from frogmove.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), ("stdout", 1)]
)
def test_no_worker_outlives_ls(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    ministack_proxy: FaultProxy,
    tmp_path: Path,
    ending: signal.Signals | str,
    code: int,
) -> None:
    buckets.put(*(f"{number:02}" for number in range(60)))
    go, is_held = Event(), Event()

    def hold(request: Request) -> Fault:
        if request.operation == "ListObjectsV2" and request.number > 8:
            is_held.set()
            go.wait(20)
        return PASS

    ministack_proxy.reset(hold)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    url = ministack_proxy.endpoint_url
    environment = frogmove.full_environment(FROGMOVE_ENDPOINT_URL=url)
    command = [sys.executable, str(script), "ls", "--processes", "3"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert is_held.wait(30)
        workers = wait_for_workers(process.pid, 2)
        if isinstance(ending, str):
            process.stdout.close()
        else:
            process.send_signal(ending)
            process.wait(20)
        go.set()
        assert process.wait(20) == code
    finally:
        go.set()
        process.kill()
        process.communicate()
    wait_until_gone(workers)
