"""Processes of the function in memory, on a model of S3, for schedules no server can be held to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from frogmove.client import Client
from frogmove.core.options import Multipart
from frogmove.function.app import LambdaApp
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from tests.fake_s3 import FakeS3, FakeS3State, no_interception

if TYPE_CHECKING:
    from threading import Event

    from tests.fake_s3 import Interceptor

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
    """Make a process whose S3 is a world in memory."""

    def connect(*_: object) -> Client:
        return FakeClient(RetryingS3(FakeS3(state, interceptor), Limits(4, attempts=1)))

    made = LambdaApp(ENDS | environment, connect)
    made.config = replace(made.config, multipart=parts)
    return made


@dataclass
class RequestHook:
    """A gate that does something when a request is about to take place.

    Attributes:
        deeds: what to do before which request, counted from 0, of those that ``only`` names.
        only: the operation that is counted; "" for every one.
        operations: those that have come by.
    """

    deeds: dict[int, Any] = field(default_factory=dict)
    only: str = ""
    operations: list[str] = field(default_factory=list)
    counted: int = 0

    def __call__(self, operation: str, request: Any) -> Any:
        self.operations.append(operation)
        if operation == (self.only or operation):
            deed = self.deeds.get(self.counted)
            self.counted += 1
            if deed is not None:
                deed()
        return request()


def stopping(flags: list[Event]) -> Any:
    """Return a deed: the deadline of the latest invocation comes near."""
    return lambda: flags[-1].set()
