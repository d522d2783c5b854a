"""A message of the queue or of its dead-letter queue (DLQ), read as the function reads it.

The senders choose the text: it may be of any size and hold any characters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from frogmove.function.events import EventError, Queue, read_event

if TYPE_CHECKING:
    from collections.abc import Mapping

# Milliseconds since 1970 have so many until the year 2286.
_DIGITS = 13


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message.

    Attributes:
        id: its id, which it keeps when SQS moves it to the DLQ.
        receipt: SQS's handle of this delivery.
        body: its text.
        bytes: the size of its text.
        attributes: its message attributes, as SendMessage takes them.
        sent: when it was sent to the queue.
        receives: how often it has been delivered, in both queues.
        uploads: the bucket and the key of each upload that it reports, each once.
        problem: why the function cannot read it; empty if it can.
    """

    id: str
    receipt: str
    body: str
    bytes: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    sent: datetime | None = None
    receives: int = 0
    uploads: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def size(self) -> int:
        """The bytes of its text and its attributes, which SQS limits together."""
        extra = len(json.dumps(self.attributes, default=repr)) if self.attributes else 0
        return self.bytes + extra

    def without_body(self) -> QueueMessage:
        """Return the message without its text, which may be large."""
        return replace(self, body="")


def read_message(response: Mapping[str, Any]) -> QueueMessage:
    """Read a message as ReceiveMessage returns it."""
    system = response.get("Attributes") or {}
    identity, body = str(response.get("MessageId", "")), str(response.get("Body", ""))
    uploads, problem = _content(identity, body)
    attributes = {
        name: {part: value for part, value in each.items() if not part.endswith("ListValues")}
        for name, each in (response.get("MessageAttributes") or {}).items()
    }
    return QueueMessage(
        identity,
        str(response.get("ReceiptHandle", "")),
        body,
        len(body.encode("utf-8", "surrogatepass")),
        attributes,
        _time(system.get("SentTimestamp")),
        _number(system.get("ApproximateReceiveCount")),
        uploads,
        problem,
    )


def _content(identity: str, body: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the uploads of a message, or why it cannot be read."""
    record = {"eventSource": "aws:sqs", "messageId": identity or "-", "body": body}
    try:
        event = read_event({"Records": [record]})
    except EventError as error:
        return (), str(error)
    if not isinstance(event, Queue):
        return (), "It is not a message of a queue."
    (message,) = event.messages
    if message.error is not None:
        return (), str(message.error)
    uploads = dict.fromkeys((upload.bucket, upload.key) for upload in message.uploads)
    return tuple(uploads), ""


def _time(milliseconds: object) -> datetime | None:
    number = _number(milliseconds)
    return datetime.fromtimestamp(number / 1000, UTC) if number else None


def _number(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit():
        return 0
    return int(text) if len(text) <= _DIGITS else 0
