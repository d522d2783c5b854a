"""On which cores the threads of a process run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from frogmove import cpu_scheduling
from frogmove.boto_session import make_boto_client
from frogmove.config import Config
from frogmove.cpu_scheduling import cores, cores_of, keep_to, on_one_core, release, use_all_cores
from frogmove.credentials import open_session
from frogmove.s3.boto import BotoS3
from tests.canned_server import canned_server
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_proxy import PASS, Fault, FaultProxy, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.buckets import Buckets

if sys.platform != "linux" or not cores():
    pytest.skip("only Linux tells the cores of a thread, in /proc", allow_module_level=True)

USABLE = os.sched_getaffinity(0)

PROCESS = json.dumps({"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"})

two_cores = pytest.mark.skipif(len(USABLE) < 2, reason="needs two cores")


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    """Leave this process's threads as they were."""
    yield
    release()
    assert os.sched_getaffinity(0) == USABLE
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other programs take the core: they do on a busy machine."""
    monkeypatch.setattr(cpu_scheduling, "_WATCH_SECONDS", 3600)


def test_cores_are_those_that_may_be_used_and_begin_with_the_current_one() -> None:
    os.sched_setaffinity(0, [max(USABLE)])
    try:
        assert cores() == [max(USABLE)]
    finally:
        os.sched_setaffinity(0, USABLE)
    assert sorted(cores()) == sorted(USABLE)


@pytest.mark.parametrize(
    ("number", "count", "expected"),
    [
        (0, 1, [5, 6, 7]),
        (1, 2, []),
        (0, 3, [5, 6, 7]),
        (1, 3, [6, 7, 5]),
        (2, 3, [7, 5, 6]),
        (3, 4, [5, 6, 7]),
    ],
)
def test_cores_of_processes_differ_as_long_as_there_are_enough(
    number: int, count: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_scheduling, "cores", lambda: [5, 6, 7])
    assert list(cores_of(number, count)) == expected


def test_cores_of_processes_are_unknown_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu_scheduling, "cores", lambda: ())
    assert list(cores_of(3, 4)) == []


@two_cores
@pytest.mark.parametrize("count", [1, len(USABLE)])
@pytest.mark.usefixtures("unwatched")
def test_one_core_is_for_the_threads_started_meanwhile_until_the_end(count: int) -> None:
    policy = os.SCHED_BATCH if count > 1 else os.SCHED_OTHER
    go_on = threading.Event()
    seen: list[set[int]] = []

    def work() -> None:
        seen.append(os.sched_getaffinity(0))
        go_on.wait(10)

    thread = threading.Thread(target=work)
    with on_one_core(count):
        kept = os.sched_getaffinity(0)
        assert len(kept) == 1
        assert os.sched_getscheduler(0) == policy
        assert sorted(cores()) == sorted(USABLE)
        assert cores()[0] in kept
        thread.start()
        with ThreadPoolExecutor(initializer=use_all_cores) as pool:
            assert pool.submit(os.sched_getaffinity, 0).result() == USABLE
    assert thread.native_id is not None
    assert os.sched_getaffinity(thread.native_id) == USABLE
    assert os.sched_getscheduler(thread.native_id) == os.SCHED_OTHER
    go_on.set()
    thread.join()
    assert seen == [kept]


@two_cores
@pytest.mark.usefixtures("unwatched")
def test_programs_started_meanwhile_may_use_all_cores(tmp_path: Path) -> None:
    told = "sorted(os.sched_getaffinity(0)), os.sched_getscheduler(0)"
    show = f"import os; print({told})"
    script = tmp_path / "credentials.py"
    script.write_text(
        f"{show[:-1]}, file=open({str(tmp_path / 'seen')!r}, 'a'))\nprint({PROCESS!r})"
    )
    (tmp_path / "config").write_text(
        f"[profile process]\ncredential_process = {sys.executable} {script}\n"
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = process\n"
    )
    with pytest.MonkeyPatch.context() as patch, on_one_core(len(USABLE)):
        seen = cpu_scheduling.start_unpinned(
            lambda: subprocess.check_output([sys.executable, "-c", show])
        )
        patch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        for profile in ("process", "role"):
            open_session(profile, unsigned=False)
        assert len(os.sched_getaffinity(0)) == 1
    expected = f"{sorted(USABLE)} {os.SCHED_OTHER}\n"
    assert seen.decode() == expected
    assert (tmp_path / "seen").read_text() == 2 * expected


@two_cores
@pytest.mark.usefixtures("unwatched")
def test_one_core_is_what_a_command_that_copies_keeps_to(
    ministack_buckets: Buckets, ministack_proxy: FaultProxy
) -> None:
    used: list[set[int]] = []

    def look(_: Request) -> Fault:
        used.append(os.sched_getaffinity(os.getpid()))
        return PASS

    ministack_buckets.put("a")
    ministack_proxy.reset(look)
    ran = FrogmoveRunner(ministack_buckets)(
        "copy", "--all", FROGMOVE_ENDPOINT_URL=ministack_proxy.endpoint_url
    )
    assert ran.code == 0
    assert {len(each) for each in used} == {1}
    assert os.sched_getaffinity(0) == USABLE


@two_cores
@pytest.mark.usefixtures("unwatched")
def test_one_core_is_not_for_the_threads_of_boto3() -> None:
    used: list[set[int]] = []
    with canned_server((200, "x")) as script, on_one_core(1):
        config = Config(endpoint_url=script.endpoint_url, no_sign_request="1")
        client = make_boto_client(config, 1)
        client.meta.events.register(
            "before-send.s3", lambda **_: used.append(os.sched_getaffinity(0))
        )
        s3 = BotoS3(client, 1)
        s3.head("internal", "a").exception()
        s3.close()
    assert used == [USABLE]


@two_cores
def test_one_core_is_given_up_where_another_program_stays_on_it() -> None:
    core = min(USABLE)
    busy = f"import os\nos.sched_setaffinity(0, [{core}])\nprint(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        keep_to([core, *USABLE - {core}], as_batch=False)
        deadline = time.monotonic() + 60
        while os.sched_getaffinity(0) != USABLE and time.monotonic() < deadline:
            time.sleep(0.05)
        other.kill()
    assert os.sched_getaffinity(0) == USABLE


@pytest.mark.parametrize(
    ("times", "is_kept"),
    [
        ([(0, 0), (1, 0.1), (2, 0.2), None], False),
        ([(0, 0), (1, 0.5), (3, 1.5), (3.5, 1.7)], True),
        ([(0, 0), (1, 0.2), (2, 0.8)], False),
        # Time that this process spent on other cores counts as its own.
        ([(0, 0), (1, -0.9), (2, -1.8)], True),
        ([None], True),
    ],
)
def test_one_core_is_given_up_after_a_second_in_which_others_have_half_of_it(
    times: list[tuple[float, float] | None], monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    kept = cpu_scheduling._Kept([0, 1], threading.Event())
    left = list(times)

    def measure(_: int) -> object:
        now = left.pop(0)
        if is_kept and not left:
            kept.ended.set()
        return None if now is None else cpu_scheduling._Times(*now)

    given_up: list[object] = []
    monkeypatch.setattr(cpu_scheduling, "_times", measure)
    monkeypatch.setattr(cpu_scheduling, "_WATCH_SECONDS", 0)
    monkeypatch.setattr(cpu_scheduling, "_use_cores", given_up.append)
    cpu_scheduling._watch(kept)
    assert given_up == ([] if is_kept else [[0, 1]])


@pytest.mark.parametrize("refused", ["sched_setaffinity", "sched_setscheduler"])
def test_one_core_is_not_needed_where_the_system_refuses_it(
    refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, refused, refuse)
        with on_one_core(len(USABLE)):
            use_all_cores()
    assert os.sched_getaffinity(0) == USABLE


def test_one_core_is_not_needed_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with on_one_core(len(USABLE)):
        assert os.sched_getaffinity(0) == USABLE


def test_one_core_is_not_needed_where_the_system_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "read_text", fail)
    assert cores() == ()
    with on_one_core(len(USABLE)):
        assert os.sched_getaffinity(0) == USABLE
