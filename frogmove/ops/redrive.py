"""Sends dead letters back to the queue: first sent, and deleted only when that was confirmed.

So no message is lost; if the command ends in between, a message is in both queues, which is
harmless: a key that is gone is not a failure. SQS's own redrive (StartMessageMoveTask) moves all
messages, also those that the function cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.ops.aws_request import send
from frogmove.ops.message_reader import MAX_BATCH, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from threading import Event

    from frogmove.ops.message_reader import MessageReader
    from frogmove.ops.queue import Queue
    from frogmove.ops.queue_message import QueueMessage

# The permission to send a message.
SEND = "sqs:SendMessage"

# Bytes of one request.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_MAX_REQUEST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """The result of sending a message back.

    Attributes:
        message: the message.
        problem: why it is still in the DLQ; empty if it is not.
        is_sent: whether it was sent to the queue.
    """

    message: QueueMessage
    problem: str = ""
    is_sent: bool = True


def redrive(
    reader: MessageReader,
    target: Queue,
    choose: Callable[[list[QueueMessage]], list[QueueMessage]],
    stop: Event,
    rate: float | None = None,
) -> Iterator[RedriveResult]:
    """Send messages back.

    Args:
        reader: reads the DLQ.
        target: the queue.
        choose: returns those of the messages that are to be sent.
        stop: once set, no further message is sent.
        rate: maximum messages per second.

    Yields:
        the result of each message that was chosen.

    Raises:
        AwsRequestError: when a request fails; messages that were not sent stay in the DLQ.
    """
    max_messages = MAX_BATCH
    if rate is not None:
        reader.rate = rate
        max_messages = max(1, min(MAX_BATCH, int(rate)))
    for batch in reader.batches(stop, max_messages):
        for part in _parts(choose(batch)):
            if stop.is_set():
                return
            yield from _send(reader, target, part)
            if rate is not None:
                stop.wait(len(part) / rate)


def _parts(messages: Iterable[QueueMessage]) -> Iterator[list[QueueMessage]]:
    """Split messages so that each part fits into one request."""
    part: list[QueueMessage] = []
    size = 0
    for each in messages:
        if part and (len(part) == MAX_BATCH or size + each.size > _MAX_REQUEST_BYTES):
            yield part
            part, size = [], 0
        part.append(each)
        size += each.size
    if part:
        yield part


def _send(
    reader: MessageReader, target: Queue, messages: Sequence[QueueMessage]
) -> Iterator[RedriveResult]:
    entries = [
        {
            "Id": str(number),
            "MessageBody": each.body,
            **({"MessageAttributes": each.attributes} if each.attributes else {}),
        }
        for number, each in enumerate(messages)
    ]
    response = send(
        SEND,
        lambda: target.client.send_message_batch(QueueUrl=target.url, Entries=entries),
    )
    confirmed = {
        each["Id"]: each["MessageId"]
        for each in response.get("Successful", [])
        if each.get("MessageId")
    }
    reader.sent_ids |= set(confirmed.values())
    unsent = refusals(response, messages, set(confirmed))
    sent = [each for each in messages if each.id not in unsent]
    left = reader.delete(sent) if sent else {}
    for each in messages:
        if each.id in unsent:
            yield RedriveResult(each, unsent[each.id], is_sent=False)
        else:
            yield RedriveResult(each, left.get(each.id, ""))
