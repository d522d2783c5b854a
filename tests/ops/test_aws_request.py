"""Whether a request may have been done is told apart from whether it was refused."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from botocore import endpoint

from frogmove.errors import RunError
from frogmove.ops.aws_request import AwsRequestError
from frogmove.ops.batch_jobs import BatchOperations
from frogmove.ops.clients import Services
from tests.canned_server import canned_server, error, nobody_listening

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "000000000000"


def _hang_up(listening: socket.socket) -> None:
    """Accept each connection, read a request, and close without a response."""
    while True:
        try:
            connection = listening.accept()[0]
        except OSError:
            return
        with connection:
            connection.recv(65536)


@pytest.fixture
def jobs_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], BatchOperations]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Between attempts.
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=lambda _: None))

    def make(url: str) -> BatchOperations:
        made = BatchOperations(Services(region="us-east-1", endpoint_url=url), url)
        made.__dict__["account"] = ACCOUNT
        return made

    return make


@pytest.mark.parametrize("change", ["create", "cancel"])
def test_response_that_is_lost_leaves_it_open_whether_a_job_was_changed(
    jobs_at: Callable[[str], BatchOperations], change: str
) -> None:
    def request(url: str) -> None:
        if change == "create":
            jobs_at(url).create(REQUEST)
        else:
            jobs_at(url).cancel("12345678-job")

    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        Thread(target=_hang_up, args=(silent,), daemon=True).start()
        with pytest.raises(RunError, match="not known whether"):
            request(f"http://127.0.0.1:{silent.getsockname()[1]}")
        failing = stack.enter_context(canned_server((500, error("InternalError"))))
        with pytest.raises(RunError, match="not known whether"):
            request(failing.endpoint_url)
        refusing = stack.enter_context(canned_server((403, error("AccessDenied"))))
        closed = stack.enter_context(nobody_listening())
        for url in (refusing.endpoint_url, closed):
            with pytest.raises(AwsRequestError) as raised:
                request(url)
            assert not isinstance(raised.value, RunError)


REQUEST = {
    "ConfirmationRequired": False,
    "Operation": {
        "LambdaInvoke": {"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f"}
    },
    "Report": {"Enabled": False},
    "ClientRequestToken": "token",
    "Priority": 1,
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
}
