"""Receives all messages of a queue, each once, and makes them visible again afterwards.

SQS has no other way to look at messages: a received message is hidden for its visibility timeout.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from frogmove.ops.aws_request import AwsRequestError, send
from frogmove.ops.queue_message import read_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from threading import Event

    from frogmove.ops.queue import Queue
    from frogmove.ops.queue_message import QueueMessage

# Seconds for which a received message is hidden from everybody else, unless it is released before:
# at least, and at most, which is SQS's own limit.
HOLD_SECONDS = 300
MAX_HOLD_SECONDS = 43_200

# Messages that are read per second, if nothing else is done with them.
_RATE = 20.0

# Seconds that SQS waits for a message: with 0, it asks only some of its servers.
WAIT_SECONDS = 1

# Messages of one request.
MAX_BATCH = 10

# After so many responses without a new message, the queue has been read.
_REPEATS = 3


# Of a message that this command no longer hides.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
_NOT_HELD = frozenset({"MessageNotInflight", "ReceiptHandleIsInvalid", "InvalidParameterValue"})


class MessageReader:
    """Reads a queue.

    Args:
        queue: the queue.
        hold: seconds for which messages are hidden; None for as long as it takes to read all.

    Attributes:
        sent_ids: the ids of messages that this command has sent, which are not read.
        rate: how many messages are handled per second.
        is_incomplete: whether messages may have been missed, because others came again and again.
        hidden: about how many messages could not be received, because others hold them.
    """

    def __init__(self, queue: Queue, hold: int | None = None) -> None:
        self.queue = queue
        self.sent_ids: set[str] = set()
        self.rate = _RATE
        self.is_incomplete = False
        self.hidden = 0
        self._hold = hold
        self._seen: set[str] = set()
        self._held: dict[str, str] = {}

    def batches(self, stop: Event, max_messages: int = MAX_BATCH) -> Iterator[list[QueueMessage]]:
        """Yield the messages, a few at once; each stays hidden until it is deleted or released.

        Args:
            stop: once set, no further message is received.
            max_messages: maximum messages at once, up to ten.

        Raises:
            AwsRequestError: when they cannot be received.
        """
        repeats = 0
        hold = self._seconds_for_all() if self._hold is None else self._hold
        while not stop.is_set():
            received = self._receive(max_messages, hold)
            if not received:
                depth = self.queue.depth
                self.hidden = min(depth.in_flight, max(0, depth.total - len(self._seen)))
                return
            new = []
            for message in received:
                self._held[message.id] = message.receipt
                if message.id not in self._seen and message.id not in self.sent_ids:
                    self._seen.add(message.id)
                    new.append(message)
            repeats = 0 if new else repeats + 1
            if repeats == _REPEATS:
                self.is_incomplete = True
                return
            if new:
                yield new

    def _seconds_for_all(self) -> int:
        """Return for how long messages must be hidden, so that none comes twice."""
        seconds = 2 * self.queue.depth.total / min(self.rate, _RATE)
        return int(min(MAX_HOLD_SECONDS, max(HOLD_SECONDS, seconds)))

    def _receive(self, max_messages: int, hold: int) -> list[QueueMessage]:
        response = send(
            "sqs:ReceiveMessage",
            lambda: self.queue.client.receive_message(
                QueueUrl=self.queue.url,
                MaxNumberOfMessages=min(max_messages, MAX_BATCH),
                VisibilityTimeout=hold,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ),
        )
        return [read_message(each) for each in response.get("Messages", [])]

    def delete(self, messages: Sequence[QueueMessage]) -> dict[str, str]:
        """Delete up to ten messages.

        Returns:
            the ids of messages that were not deleted, with the reasons.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": self._held.get(each.id, each.receipt)}
            for number, each in enumerate(messages)
        ]
        try:
            response = send(
                "sqs:DeleteMessage",
                lambda: self.queue.client.delete_message_batch(
                    QueueUrl=self.queue.url, Entries=entries
                ),
            )
        except AwsRequestError as error:
            return {each.id: error.message for each in messages}
        done = {each["Id"] for each in response.get("Successful", [])}
        left = refusals(response, messages, done)
        for each in messages:
            if each.id not in left:
                self._held.pop(each.id, None)
        return left

    def release(self) -> str:
        """Make all messages visible again that were not deleted.

        Returns:
            why some stay hidden until their visibility timeout; empty if none does.
        """
        receipts = iter(self._held.values())
        problem = ""
        while part := list(islice(receipts, MAX_BATCH)):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(part)
            ]
            try:
                response = send(
                    "sqs:ChangeMessageVisibility",
                    lambda entries=entries: (  # type: ignore[misc]
                        self.queue.client.change_message_visibility_batch(
                            QueueUrl=self.queue.url, Entries=entries
                        )
                    ),
                )
            except AwsRequestError as error:
                problem = problem or error.message
                continue
            for each in response.get("Failed", []):
                # Whose time is over is visible already, or somebody else's.
                if str(each.get("Code")).rpartition(".")[2] not in _NOT_HELD:
                    problem = problem or f"sqs:ChangeMessageVisibility failed: {_words(each)}."
        self._held.clear()
        return problem


def refusals(
    response: Mapping[str, Any], messages: Sequence[QueueMessage], done: set[str]
) -> dict[str, str]:
    """Return the ids of messages that a batch request did not do, with the reasons.

    Args:
        response: the response of the batch request.
        messages: its messages; the id of an entry is the number of its message.
        done: the ids of the entries that were done.
    """
    reasons = {each["Id"]: _words(each) for each in response.get("Failed", [])}
    return {
        each.id: reasons.get(str(number), "SQS did not say whether it was done")
        for number, each in enumerate(messages)
        if str(number) not in done
    }


def _words(failure: Mapping[str, Any]) -> str:
    """Return why an entry of a batch request failed, on one line."""
    return " ".join(str(failure.get("Message") or failure.get("Code")).split()).rstrip(".")
