"""Commands that read by several processes do what they do by one, and nothing outlives them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.cli import ls, progress, waiting_notice
from frogmove.core.run_spec import RunSpec
from frogmove.processes import task_pool
from frogmove.s3.limits import Limits
from frogmove.s3.listing import LISTING_CONCURRENCY
from tests.fault_proxy import DENY, PASS, SLOW_DOWN, Fault, FaultProxy, Request
from tests.keys import KEYS
from tests.processes.conftest import wait_for_workers, wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner, Ran

SERVER = "ministack"
SIXTY = [f"{number:02}" for number in range(60)]


@pytest.fixture
def by_two(monkeypatch: pytest.MonkeyPatch, ready_workers: None, short_pages: None) -> list[object]:
    """Let two processes do everything that has more than one page; return what workers get."""
    sent: list[object] = []
    take = task_pool._Worker.take
    monkeypatch.setattr(task_pool, "MIN_ITEMS", 1)
    # What is said of a run that takes long, as on a busy machine, differs.
    monkeypatch.setattr(progress, "LINE_SECONDS", 600)
    monkeypatch.setattr(waiting_notice, "NOTICE_SECONDS", 600)

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
    buckets.put(*SIXTY)
    whole = frogmove("ls").out

    ministack_proxy.reset(lambda request: DENY if request.number > 20 else PASS)
    ran = frogmove("ls", FROGMOVE_ENDPOINT_URL=ministack_proxy.endpoint_url)
    assert ran.code == 1
    assert ran.err.startswith("Error: The listing is incomplete.")
    assert "Missing permission: s3:ListBucket" in ran.err
    assert by_two
    assert whole.startswith(ran.out)
    assert whole != ran.out


@pytest.mark.parametrize(
    "options",
    [
        ["--to-prefix", "new"],
        pytest.param([], marks=pytest.mark.matrix),
        pytest.param(["--strip-prefix", "f", "--prefix", "f"], marks=pytest.mark.matrix),
        pytest.param(["--exclude", "**/*9", "--compare", "size"], marks=pytest.mark.matrix),
        pytest.param(["--compare", "content"], marks=pytest.mark.matrix),
    ],
)
def test_verify_by_two_processes_is_verify_by_one(
    buckets: Buckets, frogmove: FrogmoveRunner, by_two: list[object], options: list[str]
) -> None:
    keys = [*list(KEYS.values())[::3], "f", *(f"f/{number}" for number in range(20))]
    buckets.put(*keys)
    prefix = "new/" if "new" in options else ""
    buckets.put_there(*(prefix + key for key in keys[1:-1]), body=b"other")
    for key in (*keys[2::2], "extra", "f/25", "f0"):
        buckets.put_there(prefix + key, body=key.encode())
    one, two = (frogmove("verify", *options, "--processes", count) for count in "12")
    assert by_two
    assert sorted(one.out.splitlines()) == sorted(two.out.splitlines())
    assert (one.code, one.err) == (two.code, two.err)
    assert (one.code, len(one.out) > 200) == (1, True)


def test_verify_by_two_processes_is_no_success_where_a_listing_breaks(
    buckets: Buckets, frogmove: FrogmoveRunner, by_two: list[object], ministack_proxy: FaultProxy
) -> None:
    buckets.put(*SIXTY)
    buckets.put_there(*SIXTY)
    assert frogmove("verify", "--processes", "2").code == 0

    ministack_proxy.reset(lambda request: DENY if request.number > 40 else PASS)
    url = ministack_proxy.endpoint_url
    ran = frogmove("verify", "--processes", "2", FROGMOVE_ENDPOINT_URL=url)
    assert ran.code == 1
    assert "The verification is incomplete" in ran.err


@pytest.fixture(params=["ls", "verify"])
def verb(request: pytest.FixtureRequest) -> str:
    """Each command whose pages are shared."""
    verb: str = request.param
    return verb


@pytest.fixture
def whole(buckets: Buckets, frogmove: FrogmoveRunner, by_two: list[object], verb: str) -> Ran:
    """The command by one process, with the same sixty objects at both ends."""
    buckets.put(*SIXTY)
    buckets.put_there(*SIXTY)
    ran = frogmove(verb, "--processes", "1")
    assert not by_two
    return ran


def test_worker_that_is_killed_costs_no_line_and_no_count(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    by_two: list[object],
    verb: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buckets.put(*SIXTY)
    buckets.put_there(*SIXTY[::2])
    one = frogmove(verb, "--processes", "1")
    take = task_pool._Worker.take

    def take_and_die(self: task_pool._Worker, task: task_pool._Task[object]) -> None:
        take(self, task)
        # It has some pages, and has returned others.
        if len(by_two) == 10:
            os.kill(self._child.process.pid, signal.SIGKILL)

    monkeypatch.setattr(task_pool._Worker, "take", take_and_die)
    two = frogmove(verb, "--processes", "2")
    assert len(by_two) >= 10
    assert (two.code, two.err) == (one.code, one.err)
    assert sorted(two.out.splitlines()) == sorted(one.out.splitlines())
    assert verb == "verify" or two.out == one.out


def test_throttles_cost_no_line_and_no_count(
    whole: Ran,
    frogmove: FrogmoveRunner,
    by_two: list[object],
    verb: str,
    ministack_proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ls, "Limits", partial(Limits, first_delay=0.001))
    monkeypatch.setattr(RunSpec, "limits", lambda _: Limits(first_delay=0.001))
    throttled: set[str] = set()

    def throttle(request: Request) -> Fault:
        """Throttle each page once."""
        is_first = request.operation == "ListObjectsV2" and request.target not in throttled
        throttled.add(request.target)
        return SLOW_DOWN if is_first else PASS

    ministack_proxy.reset(throttle)
    url = ministack_proxy.endpoint_url
    ran = frogmove(verb, "--processes", "2", FROGMOVE_ENDPOINT_URL=url)
    assert by_two
    assert (ran.code, ran.out) == (0, whole.out)
    assert ran.err.splitlines()[-1] == whole.err.splitlines()[-1]


def test_throttles_without_end_end_the_command_within_one_quota_of_retries(
    whole: Ran,
    frogmove: FrogmoveRunner,
    by_two: list[object],
    verb: str,
    ministack_proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quota = 100
    limits = Limits(attempts=1_000, first_delay=0, max_delay=0, retry_quota=quota)
    monkeypatch.setattr(ls, "Limits", lambda: limits)
    monkeypatch.setattr(RunSpec, "limits", lambda _: limits)
    ministack_proxy.reset(lambda request: PASS if request.number <= 30 else SLOW_DOWN)
    url = ministack_proxy.endpoint_url
    ran = frogmove(verb, "--processes", "2", FROGMOVE_ENDPOINT_URL=url)
    assert by_two
    assert (ran.code, "SlowDown" in ran.err) == (1, True)
    throttled = sum(request.fault is SLOW_DOWN for request in ministack_proxy.requests)
    # Requests that were in flight, or are sent instead of those, have no retry.
    assert quota < throttled <= quota + 4 * LISTING_CONCURRENCY
    assert whole.out.startswith(ran.out)
    assert verb == "verify" or whole.out != ran.out


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
    ("verb", "ending", "code"),
    [
        ("ls", signal.SIGKILL, -9),
        ("ls", signal.SIGINT, 130),
        ("ls", "stdout", 1),
        pytest.param("verify", signal.SIGKILL, -9, marks=pytest.mark.matrix),
        pytest.param("verify", signal.SIGTERM, 130, marks=pytest.mark.matrix),
        ("verify", "stdout", 1),
    ],
)
def test_worker_never_outlives_its_command(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    ministack_proxy: FaultProxy,
    tmp_path: Path,
    verb: str,
    ending: signal.Signals | str,
    code: int,
) -> None:
    buckets.put(*SIXTY)
    go, is_held = Event(), Event()

    def hold(request: Request) -> Fault:
        if request.operation == "ListObjectsV2" and request.number > 8:
            is_held.set()
            go.wait(60)
        return PASS

    ministack_proxy.reset(hold)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    url = ministack_proxy.endpoint_url
    environment = frogmove.full_environment(FROGMOVE_ENDPOINT_URL=url)
    command = [sys.executable, str(script), verb, "--processes", "3"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert is_held.wait(60)
        workers = wait_for_workers(process.pid, 2)
        if isinstance(ending, str):
            process.stdout.close()
        else:
            process.send_signal(ending)
            process.wait(60)
        go.set()
        assert process.wait(60) == code
    finally:
        go.set()
        process.kill()
        process.communicate()
    wait_until_gone(workers)
