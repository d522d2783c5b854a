"""A queue for the function, and deadlines that a test sets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.function import app as module
from frogmove.function import redelivery
from frogmove.function.deadline import Deadline

if TYPE_CHECKING:
    from threading import Event


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an SQS that takes everything, as most events here come from no queue that there is."""
    meta = SimpleNamespace(endpoint_url="https://sqs.us-east-1.amazonaws.com")
    sqs = SimpleNamespace(meta=meta, change_message_visibility=lambda **_: {})
    monkeypatch.setattr(redelivery, "sqs_client", lambda _: sqs)


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
