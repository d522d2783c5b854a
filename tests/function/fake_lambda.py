"""Processes of the function in memory, on the fake S3, for schedules no server can be held to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from frogmove.client import Client
from frogmove.core.options import Multipart
from frogmove.function.app import LambdaApp
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.interceptors import no_interception

if TYPE_CHECKING:
    from threading import Event

    from tests.interceptors import Interceptor

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
ENDS = {"FROGMOVE_SOURCE": "s3://external", "FROGMOVE_DESTINATION": "s3://internal"}

# Parts of a few bytes, one after the other: the schedules are about their order.
PARTS = Multipart(threshold=4, part_size=4, at_once=1)


@dataclass
class Clock:
    """A context that tells how much time is left of its invocation.

    Attributes:
        milliseconds: the time that is left.
    """

    milliseconds: int
    aws_request_id: str = CONTEXT.aws_request_id

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class FakeClient(Client):
    """A client of an AWS in memory."""

    refused: ClassVar[list[str]] = []

    def __init__(self, s3: RetryingS3) -> None:
        self.s3 = s3
        self.endpoint_url = "https://s3.eu-central-1.amazonaws.com"


def lambda_app(
    state: FakeS3State,
    interceptor: Interceptor = no_interception,
    parts: Multipart = PARTS,
    **environment: str,
) -> LambdaApp:
    """Make a process whose S3 is in memory."""

    def connect(*_: object) -> Client:
        return FakeClient(RetryingS3(FakeS3(state, interceptor), Limits(4, attempts=1)))

    made = LambdaApp(ENDS | environment, connect)
    made.config = replace(made.config, multipart=parts)
    return made


def state_of(*keys: str, body: bytes | None = None, page: int = 1000) -> FakeS3State:
    """Return both buckets, with keys at the source that hold their own names or ``body``."""
    state = FakeS3State({"external": {}, "internal": {}}, page=page)
    for key in keys:
        state.put("external", key, key.encode() if body is None else body)
    return state


def stopping(flags: list[Event]) -> Any:
    """Return a deed: the deadline of the latest invocation comes near."""
    return lambda: flags[-1].set()
