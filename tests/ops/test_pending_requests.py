"""A service that does not respond is waited for once, and the operator is told."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from frogmove.cli import waiting_notice
from frogmove.client import Client
from frogmove.ops import clients as service_clients
from frogmove.ops.clients import Services
from frogmove.ops.pending_requests import UnresponsiveError
from frogmove.s3.capabilities import ALL_SUPPORTED
from tests.cli.cli_runner import run
from tests.ops.test_doctor import checks, doctor
from tests.ops.test_status import environment, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.local_aws.server import Server
    from frogmove.local_aws.stack import Stack


Silent = tuple[str, socket.socket]


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    """The URL of a server that accepts connections and never responds, and its socket."""
    # The other services, which do respond, may take so long on a busy machine.
    monkeypatch.setattr(service_clients, "_READ_SECONDS", 3.0)
    monkeypatch.setattr(service_clients, "_ATTEMPTS", 1)
    monkeypatch.setattr(waiting_notice, "NOTICE_SECONDS", 0.1)
    monkeypatch.setattr(waiting_notice, "CHECK_SECONDS", 0.02)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.settimeout(0)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", listening


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short timeouts, where no service responds."""
    monkeypatch.setattr(service_clients, "_READ_SECONDS", 0.4)


def connections(listening: socket.socket) -> int:
    """Return how many connections were made."""
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_service_that_does_not_respond_is_asked_once(
    server: Server, quiet_stack: Stack, silent: Silent
) -> None:
    url, listening = silent
    ran = status(server, quiet_stack, "-o", "json", AWS_ENDPOINT_URL_SQS=url)
    states = {each["name"]: each["state"] for each in ran.of("check")}
    assert (ran.code, connections(listening)) == (1, 1)
    assert {states[name] for name in ("queue", "dead letters", "failed sweeps")} == {"unknown"}
    assert (states["function"], states["source"]) == ("ok", "ok")
    assert f"Waiting for {url.removeprefix('http://')}" in ran.err


def test_doctor_asks_a_bucket_that_does_not_respond_once(
    server: Server,
    quiet_stack: Stack,
    silent: Silent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, listening = silent
    monkeypatch.setattr(Client, "capabilities", lambda *_: ALL_SUPPORTED)
    ran = doctor(server, quiet_stack, "-o", "json", FROGMOVE_ENDPOINT_URL=url)
    reported = checks(ran)
    assert (ran.code, connections(listening)) == (1, 1)
    assert reported["source versions"]["state"] == "unknown"
    assert reported["permissions to move"]["state"] == "unknown"


@pytest.mark.usefixtures("silent", "short")
def test_aws_that_does_not_respond_at_all_ends_the_command(
    server: Server, quiet_stack: Stack, silent: Silent
) -> None:
    url, listening = silent
    ran = status(server, quiet_stack, "-o", "json", AWS_ENDPOINT_URL=url)
    assert (ran.code, connections(listening)) == (2, 1)
    assert "AWS does not respond" in ran.err


@pytest.mark.usefixtures("silent", "short")
@pytest.mark.parametrize("command", ["info", "logs", "pause -n"])
def test_command_for_a_function_says_that_it_waits(
    server: Server, quiet_stack: Stack, silent: Silent, command: str
) -> None:
    url, _ = silent
    more = environment(server, quiet_stack) | {"AWS_ENDPOINT_URL": url}
    ran = run("lambda", *command.split(), environment=more)
    assert ran.code == 2
    assert f"Waiting for {url.removeprefix('http://')}" in ran.err


@pytest.mark.usefixtures("silent", "short")
def test_request_after_one_without_a_response_is_sent_unless_it_gives_up(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    url, listening = silent
    services = Services(region="us-east-1", endpoint_url=url)
    sts = services.client("sts")
    for gives_up, expected in ((False, 1), (False, 1), (True, 0)):
        services.pending.gives_up = gives_up
        with pytest.raises(UnresponsiveError if gives_up else ReadTimeoutError):
            sts.get_caller_identity()
        assert connections(listening) == expected
