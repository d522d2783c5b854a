"""Parses all events that the function can be invoked with.

An event is an AWS notification, directly or through another service, or a request of the operator.
Parsing returns one of the classes below or raises :class:`EventError`.
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
    """Uploads that are reported directly to the function; a failure must be raised."""

    uploads: tuple[Upload, ...]
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue: its uploads, or why it cannot be parsed.

    Attributes:
        id: its id in the response.
        uploads: the uploads that it reports.
        error: why it cannot be parsed.
        ignored: the other events that it reports.
        receipt_handle: SQS's handle of this delivery; may be empty.
        receives: how often it has been delivered, including this time.
    """

    id: str
    uploads: tuple[Upload, ...] = ()
    error: EventError | None = None
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)
    receipt_handle: str = field(default="", compare=False)
    receives: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class QueueArn:
    """The parts of a queue's ARN."""

    region: str
    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A batch of SQS messages; expects a partial batch response.

    Attributes:
        messages: the messages.
        arn: the queue; None if the event does not contain it.
    """

    messages: tuple[Message, ...]
    arn: QueueArn | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Move:
    """A request of the operator to move keys of the source bucket.

    Attributes:
        keys: the keys.
        dry_run: whether only to plan it.
        return_failures: whether keys that failed are in the response; otherwise they are an error,
            so that Lambda retries the event if it was invoked asynchronously.
    """

    keys: tuple[str, ...]
    dry_run: bool = False
    return_failures: bool = False


@dataclass(frozen=True, slots=True)
class Sync:
    """A request of the operator to copy what the destination lacks."""

    dry_run: bool = False
    compare: CompareBy = CompareBy.AUTO


@dataclass(frozen=True, slots=True)
class Sweep:
    """Move objects older than ``age`` seconds; None for the configured age."""

    dry_run: bool = False
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """A request for the function's version and settings."""


Event = Notification | Queue | Job | Move | Sync | Sweep | Ping


def read_event(event: object) -> Event:
    """Parse an event.

    Raises:
        EventError: when it is unknown, or so malformed that no partial response is possible.
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
    """Parse one message; see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
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
    "move": {"keys", "dry_run", "return_failures"},
    "sync": {"dry_run", "compare"},
    "sweep": {"dry_run", "age"},
    "ping": set[str](),
}


def _read_action(event: Mapping[str, Any]) -> Move | Sync | Sweep | Ping:
    action = event["action"]
    if not isinstance(action, str) or action not in _FIELDS:
        raise EventError(f"Unknown action {shown(action)}.", f"Actions are {', '.join(_FIELDS)}.")
    fields = _FIELDS[action]
    unknown = [name for name in event if name != "action" and name not in fields]
    if unknown:
        raise EventError(
            f"The action {action} has no field {shown(unknown[0])}.",
            f"Its fields are {', '.join(sorted(fields)) or 'none'}.",
        )
    dry_run = _read_flag(event, "dry_run")
    if action == "ping":
        return Ping()
    if action == "sync":
        return Sync(dry_run, _read_compare(event.get("compare", "auto")))
    if action == "sweep":
        return Sweep(dry_run, _read_age(event.get("age")))
    return Move(_read_keys(event.get("keys")), dry_run, _read_flag(event, "return_failures"))


def _read_flag(event: Mapping[str, Any], name: str) -> bool:
    flag = event.get(name, False)
    if not isinstance(flag, bool):
        raise EventError(f"{name} is {shown(flag)}.", "Expected true or false.")
    return flag


def _read_compare(compare: object) -> CompareBy:
    if not isinstance(compare, str) or compare not in set(CompareBy):
        raise EventError(f"compare is {shown(compare)}.", f"Choose from {', '.join(CompareBy)}.")
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
        raise EventError("The action move has no keys.", 'Expected "keys": ["a key", ...].')
    for key in keys:
        if not isinstance(key, str):
            raise EventError(f"keys: {shown(key)} is not a key.", "Expected a string.")
        try:
            check_key(key)
        except UsageError as error:
            raise EventError(f"keys: {shown(key)} cannot be a key.", error.remedy) from error
    return tuple(dict.fromkeys(keys))
