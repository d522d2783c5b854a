"""One invocation: what its work is done with, and within which time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event

    from frogmove.core.models import Route
    from frogmove.core.options import TransferOptions
    from frogmove.function.telemetry import Telemetry
    from frogmove.s3.interface import S3


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation.

    Attributes:
        s3: what to ask.
        route: what is moved where.
        options: how.
        stop: once set, no more work is taken.
        telemetry: what to tell of it.
    """

    s3: S3
    route: Route
    options: TransferOptions
    stop: Event
    telemetry: Telemetry


# https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
_FACTS = (
    "function_name",
    "function_version",
    "invoked_function_arn",
    "memory_limit_in_mb",
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
)


def describe(context: object) -> dict[str, object]:
    """Return a context as it may be answered; None for what it does not tell.

    Args:
        context: Lambda's.
    """
    told: dict[str, object] = {}
    for name in _FACTS:
        value = getattr(context, name, None)
        told[name] = value if value is None or isinstance(value, int) else str(value)
    clock = getattr(context, "get_remaining_time_in_millis", None)
    told["remaining_time_in_millis"] = None if clock is None else clock()
    return told
