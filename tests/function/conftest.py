"""Processes of the function on real servers, and their deadlines in a test's hands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from frogmove.function import app as module
from frogmove.function import redelivery
from frogmove.function.app import LambdaApp
from frogmove.function.deadline import Deadline
from tests.function.fake_lambda import CONTEXT

if TYPE_CHECKING:
    from threading import Event

    from tests.buckets import Buckets


class Invoke(Protocol):
    """Invokes the function on some buckets, in a process made for it."""

    def __call__(
        self, buckets: Buckets, event: object, context: object = ..., **environment: str
    ) -> dict[str, Any]: ...


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an SQS that takes everything, as most events here come from no queue that there is."""
    meta = SimpleNamespace(endpoint_url="https://sqs.us-east-1.amazonaws.com")
    sqs = SimpleNamespace(meta=meta, change_message_visibility=lambda **_: {})
    monkeypatch.setattr(redelivery, "sqs_client", lambda _: sqs)


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Invoke the function in a fresh process, as after a cold start."""

    def run(
        buckets: Buckets, event: object, context: object = CONTEXT, **environment: str
    ) -> dict[str, Any]:
        ends = {
            "FROGMOVE_SOURCE": f"s3://{buckets.source}",
            "FROGMOVE_DESTINATION": f"s3://{buckets.destination}",
        }
        variables = buckets.server.environment() | ends | environment
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return LambdaApp(variables).answer(event, context)

    return run


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Hand out the flag that each invocation's deadline sets: the clock is the test's own."""
    made: list[Event] = []

    class Watched(Deadline):
        def __init__(self, context: object, *more: Any) -> None:
            super().__init__(context, *more)
            made.append(self.stop)

    monkeypatch.setattr(module, "Deadline", Watched)
    return made
