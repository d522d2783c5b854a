"""Reads every event the function is invoked with into what it is asked to do. Pure.

An event is an AWS notification, whatever it came through, or a request of the operator's own.
Whatever it holds, reading it gives one of the classes below or raises :class:`EventError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from frogmove.core.units import parse_age
from frogmove.core.verify import CompareBy
from frogmove.errors import UsageError
from frogmove.function.batch_operations import Job, Task, read_job
from frogmove.function.s3_events import (
    EXPECTED,
    EventError,
    Ignored,
    Upload,
    first_record,
    parse,
    read_notification,
    shown,
)
from frogmove.s3.uri import check_key

__all__ = [
    "Event",
    "EventError",
    "Ignored",
    "Job",
    "Message",
    "Move",
    "Notification",
    "Ping",
    "Queue",
    "Sweep",
    "Sync",
    "Task",
    "Upload",
    "read_event",
]


@dataclass(frozen=True, slots=True)
class Notification:
    """Uploads that are reported to the function directly; a failure is told by raising."""

    uploads: tuple[Upload, ...]
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue: what it reports, or why it cannot be read.

    Attributes:
        id: what the answer names it by.
        uploads: what it reports.
        error: why it cannot be read.
        ignored: what it reports besides.
        receipt_handle: what SQS knows this delivery by; empty where it does not say.
        receives: how often it has been delivered, this time included.
    """

    id: str
    uploads: tuple[Upload, ...] = ()
    error: EventError | None = None
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)
    receipt_handle: str = field(default="", compare=False)
    receives: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class QueueArn:
    """Where a queue is."""

    region: str
    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A batch of SQS messages, which wants a partial batch answer.

    Attributes:
        messages: the messages.
        arn: the queue they come from; None where the event does not say.
    """

    messages: tuple[Message, ...]
    arn: QueueArn | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """The operator asks to move keys of the source bucket."""

    keys: tuple[str, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """The operator asks to copy what the destination lacks."""

    dry_run: bool = False
    compare: CompareBy = CompareBy.AUTO


@dataclass(frozen=True, slots=True)
class Sweep:
    """Move objects older than ``age`` seconds; None for the configured age."""

    dry_run: bool = False
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """The question whether the function is there, and how it is set."""


Event = Notification | Queue | Job | Move | Sync | Sweep | Ping


def read_event(event: object) -> Event:
    """Read what the function is invoked with.

    Raises:
        EventError: when it is nothing that is known, or so broken that no part of it can be
            answered by itself.
    """
    if not isinstance(event, Mapping):
        raise EventError("The event is not a JSON object.", EXPECTED)
    if "action" in event:
        return _read_action(event)
    if "invocationSchemaVersion" in event:
        return read_job(event)
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
    if event.get("detail-type") == "Scheduled Event":
        if event.get("source") not in _SCHEDULERS:
            raise EventError(
                f"A Scheduled Event comes from {shown(event.get('source'))}.",
                f"Expected one from {' or '.join(_SCHEDULERS)}.",
            )
        return Sweep()
    if first_record(event).get("eventSource") == "aws:sqs":
        messages = tuple(_read_message(record) for record in event["Records"])
        return Queue(messages, _read_arn(first_record(event).get("eventSourceARN")))
    ignored: list[Ignored] = []
    return Notification(read_notification(event, ignored), tuple(ignored))


def _read_message(record: object) -> Message:
    """Read one message by itself: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    identity = record.get("messageId") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(identity, str) or not identity:
        raise EventError("A record of the batch has no messageId.", EXPECTED)
    handle = record.get("receiptHandle")
    delivery: dict[str, Any] = {
        "receipt_handle": handle if isinstance(handle, str) else "",
        "receives": _read_receives(record.get("attributes")),
    }
    try:
        body = parse(record.get("body"), "The message's body")
        ignored: list[Ignored] = []
        uploads = read_notification(body, ignored)
        return Message(identity, uploads, ignored=tuple(ignored), **delivery)
    except EventError as error:
        return Message(identity, error=error, **delivery)


def _read_receives(attributes: object) -> int:
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, Mapping) else None
    if not isinstance(count, str) or not count.isascii() or not count.isdigit():
        return 1
    return max(1, int(count[:9]))


def _read_arn(arn: object) -> QueueArn | None:
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[2] != "sqs" or not all(parts):
        return None
    return QueueArn(*parts[3:])


_SCHEDULERS = ("aws.events", "aws.scheduler")

_FIELDS = {
    "move": {"keys", "dry_run"},
    "sync": {"dry_run", "compare"},
    "sweep": {"dry_run", "age"},
    "ping": set[str](),
}


def _read_action(event: Mapping[str, Any]) -> Move | Sync | Sweep | Ping:
    action = event["action"]
    if not isinstance(action, str) or action not in _FIELDS:
        raise EventError(f"There is no action {shown(action)}.", f"There are {', '.join(_FIELDS)}.")
    fields = _FIELDS[action]
    unknown = [name for name in event if name != "action" and name not in fields]
    if unknown:
        raise EventError(
            f"The action {action} has no field {shown(unknown[0])}.",
            f"It has {', '.join(sorted(fields)) or 'none'}.",
        )
    dry_run = event.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise EventError(f"dry_run is {shown(dry_run)}.", "Expected true or false.")
    if action == "ping":
        return Ping()
    if action == "sync":
        return Sync(dry_run, _read_compare(event.get("compare", "auto")))
    if action == "sweep":
        return Sweep(dry_run, _read_age(event.get("age")))
    return Move(_read_keys(event.get("keys")), dry_run)


def _read_compare(compare: object) -> CompareBy:
    if not isinstance(compare, str) or compare not in set(CompareBy):
        raise EventError(f"compare is {shown(compare)}.", f"There are {', '.join(CompareBy)}.")
    return CompareBy(compare)


def _read_age(age: object) -> float | None:
    if age is None:
        return None
    try:
        return parse_age(age)
    except UsageError as error:
        raise EventError(f"age: {error.message}", error.remedy) from error


def _read_keys(keys: object) -> tuple[str, ...]:
    if not isinstance(keys, list) or not keys:
        raise EventError("The action move names no keys.", 'Expected "keys": ["a key", ...].')
    for key in keys:
        if not isinstance(key, str):
            raise EventError(f"keys: {shown(key)} is not a key.", "Expected a text.")
        try:
            check_key(key)
        except UsageError as error:
            raise EventError(f"keys: {shown(key)} cannot be a key.", error.remedy) from error
    return tuple(dict.fromkeys(keys))
