"""Fixtures of every test: a clean environment, the servers, a fresh pair of buckets."""

from __future__ import annotations

import gc
import os
import signal
from functools import cache
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from frogmove import boto_session, connection
from frogmove.cli.signals import Stop
from frogmove.core import batch_delete, scheduler
from frogmove.core.run_spec import RunSpec
from frogmove.processes.task_pool import TaskPool
from frogmove.s3.capabilities import probe
from frogmove.s3.retry import RetryingS3
from tests import servers
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.client_caches import share_between_clients
from tests.fault_fixture import ENGINES, FaultFixture, limits_of_few_retries
from tests.fault_proxy import SECONDS_TO_WAIT, FaultProxy, proxied
from tests.function.invoke import Invoke
from tests.request_hooks import RequestHooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from frogmove.config import Config
    from frogmove.s3.future import Future
    from frogmove.s3.models import Page
    from tests.servers import Server

FOREIGN = ("AWS_", "FROGMOVE_", "BOTO_", "XDG_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


SERVERS = frozenset({"server", "moto", "ministack", "seaweedfs", "fault_fixture", "stage", "case"})


# How long an example takes says more of the machine than of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# Nothing is garbage while tests are collected, and to look for some takes a quarter of that time.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from now on."""
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave all but the first and the last case of a test on a server to ``-m matrix``.

    So it does those on moto of a test that also runs on another server: moto is the slowest.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        is_on_server = SERVERS.intersection(getattr(item, "fixturenames", ()))
        if is_on_server and not item.get_closest_marker("long"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for same in cases.values():
        kept = [item for item in same if not _is_on_moto(item)] or same
        for item in same:
            if item not in (kept[0], kept[-1]):
                item.add_marker(pytest.mark.matrix)


def _is_on_moto(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and (
        hasattr(item, "callspec") and item.callspec.params.get("server") == "moto"
    )


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's own AWS and frogmove settings out of servers and clients."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(FOREIGN) or name.upper() in PROXIES:
                patch.delenv(name)
        # Colours are each test's own to ask for.
        for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
            patch.delenv(name, raising=False)
        # Commands that compile their modules at each start take a third longer.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        _settle_in(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_clients() -> Iterator[None]:
    """Make clients quickly: to make one takes longer than most tests use it for."""
    with pytest.MonkeyPatch.context() as patch:
        share_between_clients(patch)
        yield


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _settle_in(monkeypatch, tmp_path / "home")


def _settle_in(patch: pytest.MonkeyPatch, home: Path) -> None:
    patch.setenv("HOME", str(home))
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def ministack() -> Iterator[Server]:
    with servers.ministack() as server:
        yield server


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Server]:
    with servers.seaweedfs() as server:
        yield server


@pytest.fixture(params=["moto", "ministack"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each server that keeps every key as it is and lists in order."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def buckets(server: Server) -> Buckets:
    """An empty source and an empty destination that no other test knows."""
    return Buckets.make(server)


@pytest.fixture
def seaweedfs_buckets(seaweedfs: Server) -> Buckets:
    """Empty buckets on the one server that honours every condition."""
    return Buckets.make(seaweedfs)


@pytest.fixture
def ministack_buckets(ministack: Server) -> Buckets:
    """Empty buckets on the one server that keeps every key, and knows versions and users."""
    return Buckets.make(ministack)


@pytest.fixture
def frogmove(buckets: Buckets) -> FrogmoveRunner:
    """Run commands on the test's buckets."""
    return FrogmoveRunner(buckets)


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Invoke the function as after a cold start."""
    return Invoke(monkeypatch)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Send frogmove's requests by each engine."""
    monkeypatch.setenv("FROGMOVE_ENGINE", request.param)
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def fault_proxy(seaweedfs: Server) -> Iterator[FaultProxy]:
    """A proxy before the server that honours every condition."""
    with proxied(seaweedfs) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def ministack_proxy(ministack: Server) -> Iterator[FaultProxy]:
    """A proxy before the server that keeps every key."""
    with proxied(ministack) as proxy:
        yield proxy


@pytest.fixture
def fault_fixture(seaweedfs: Server, fault_proxy: FaultProxy) -> FaultFixture:
    """Empty buckets whose operator goes through the proxy; modules fill them."""
    return FaultFixture.make(seaweedfs, fault_proxy)


@pytest.fixture
def ready_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a task pool go on once its workers can take a task: a busy machine starts slowly."""
    start = TaskPool._start

    def start_and_wait(self: TaskPool[object, object]) -> None:
        start(self)
        while not all(worker.is_ready for worker in self._workers):
            self._receive()

    monkeypatch.setattr(TaskPool, "_start", start_and_wait)


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """List two keys a page, so that few keys make many pages."""
    list_page = RetryingS3.list_page

    def list_two(
        self: RetryingS3,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 1000,
        **more: Any,
    ) -> Future[Page]:
        return list_page(self, bucket, prefix, token, min(limit, 2), **more)

    monkeypatch.setattr(RetryingS3, "list_page", list_two)


@pytest.fixture
def few_retries(engine: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run commands by each engine, with few retries, soon; returns the engine's name."""
    monkeypatch.setattr(RunSpec, "limits", limits_of_few_retries)
    monkeypatch.setattr(boto_session, "make_boto_client", _make_client_once)
    return engine


# To make a client takes longer than most runs through the proxy.
_make_client_once = cache(boto_session.make_boto_client)


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each run find out itself which conditions the server honours."""
    monkeypatch.setattr(connection, "probe", probe)


@pytest.fixture
def whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send deletes only when no copy is in flight, however long the server takes for the copies."""
    monkeypatch.setattr(scheduler, "BATCH_DELAY", SECONDS_TO_WAIT)
    monkeypatch.setattr(batch_delete, "MAX_WAIT_SECONDS", SECONDS_TO_WAIT)


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Send this process a signal, and wait until the run has heard it: a thread listens for it."""
    heard = Event()
    set_stop = Stop.set

    def set_and_tell(stop: Stop) -> None:
        set_stop(stop)
        heard.set()

    def send() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert heard.wait(SECONDS_TO_WAIT)

    monkeypatch.setattr(Stop, "set", set_and_tell)
    return send


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> RequestHooks:
    """Every request that frogmove's own clients send."""
    made = RequestHooks()
    # It meets boto3's requests.
    monkeypatch.setenv("FROGMOVE_ENGINE", "boto3")
    make = boto_session.make_boto_client

    def attached(config: Config, connections: int) -> S3Client:
        client = make(config, connections)
        made.attach(client)
        return client

    monkeypatch.setattr(boto_session, "make_boto_client", attached)
    return made


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run two tests at once for each processor: half of their time they wait for servers."""
    return 2 * (os.cpu_count() or 1)
