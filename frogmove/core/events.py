"""Reads AWS events into the keys they are about. Pure.

An event comes from a queue that outsiders' uploads fill: whatever it holds, reading it either
gives uploads or raises :class:`EventError`, and nothing else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from frogmove.errors import FrogmoveError

EXPECTED = "Expected S3 notifications, by themselves or in messages of an SQS queue."


class EventError(FrogmoveError):
    """An event, or one message of it, that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One object that a notification reports."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue: what it reports, or why it cannot be read."""

    id: str
    uploads: tuple[Upload, ...] = ()
    error: EventError | None = None


def is_from_queue(event: object) -> bool:
    """Tell whether an event is a batch of SQS messages, which wants a partial batch answer."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        return False
    return isinstance(records[0], Mapping) and records[0].get("eventSource") == "aws:sqs"


def read_messages(event: Mapping[str, Any]) -> list[Message]:
    """Read a batch of SQS messages, each by itself.

    The shape: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html

    Raises:
        EventError: when the batch has a record without an id, so that no partial answer is
            possible.
    """
    return [_read_message(record) for record in event["Records"]]


def read_notification(event: object) -> tuple[Upload, ...]:
    """Read one S3 notification.

    Keys in it are URL-encoded with ``+`` for a space. The test event that S3 sends when a
    notification is set up reports nothing.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Raises:
        EventError: when it is anything else.
    """
    if not isinstance(event, Mapping):
        raise EventError("The event is not a JSON object.", EXPECTED)
    if event.get("Event") == "s3:TestEvent":
        return ()
    records = event.get("Records")
    if not isinstance(records, list):
        raise EventError("The event has no Records.", EXPECTED)
    return tuple(upload for record in records if (upload := _read_record(record)) is not None)


def _read_message(record: object) -> Message:
    identity = record.get("messageId") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(identity, str):
        raise EventError("A record of the batch has no messageId.", EXPECTED)
    try:
        body = record.get("body")
        return Message(identity, read_notification(_parse(body)))
    except EventError as error:
        return Message(identity, error=error)


def _parse(body: object) -> object:
    if not isinstance(body, str):
        raise EventError("The message has no body.", EXPECTED)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventError("The message's body is not JSON.", EXPECTED) from error


def _read_record(record: object) -> Upload | None:
    """Read one record; None for what reports no new object."""
    try:
        source, name = record["eventSource"], record["eventName"]  # type: ignore[index]
        version = record["eventVersion"]  # type: ignore[index]
        bucket = record["s3"]["bucket"]["name"]  # type: ignore[index]
        key = record["s3"]["object"]["key"]  # type: ignore[index]
    except (KeyError, TypeError, IndexError) as error:
        raise EventError("A record is not an S3 notification.", EXPECTED) from error
    if not all(isinstance(text, str) for text in (source, name, version, bucket, key)):
        raise EventError("A record is not an S3 notification.", EXPECTED)
    if source != "aws:s3" or version.partition(".")[0] != "2":
        raise EventError("A record is not an S3 notification of version 2.", EXPECTED)
    if not name.startswith("ObjectCreated:"):
        return None
    try:
        decoded = unquote_plus(key, errors="strict")
        # JSON can hold half a character, which no request can.
        decoded.encode()
        return Upload(bucket, decoded)
    except UnicodeError as error:
        raise EventError("A record's key is not UTF-8.", EXPECTED) from error
