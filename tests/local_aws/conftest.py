"""One private ministack a test process, and the names that keep its tests apart."""

import importlib.util
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from frogmove.local_aws.clients import Clients, clients_for
from frogmove.local_aws.server import Server, running_server
from frogmove.local_aws.stack import StackConfig


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if importlib.util.find_spec("ministack") is None:
        pytest.skip("ministack is not installed")
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def clients(server: Server) -> Clients:
    return clients_for(server.endpoint_url)


@pytest.fixture
def stack_config() -> StackConfig:
    """Names that no other test uses, and times for the few_retries."""
    unique = uuid.uuid4().hex[:12]
    return StackConfig(
        source_bucket=f"external-{unique}",
        destination_bucket=f"internal-{unique}",
        name=f"frogmove-{unique}",
        function_seconds=20,
        visibility_seconds=1,
        tries=2,
    )


Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def eventually(server: Server) -> Eventually:
    """Wait until something is true, and fail when it has not become so in a minute."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not true():
            assert time.monotonic() < deadline, server.log_tail()
            time.sleep(0.05)

    return wait
