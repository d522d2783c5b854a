"""When messages that were answered as failed come back to the function.

SQS delivers such a message again after the queue's visibility timeout, which has to be six times
the function's timeout: far too long for a copy that only needs its next part, and for a message
that never can be served. So each is given a time of its own.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from frogmove.function.move_keys import not_done
from frogmove.function.responses import key_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_sqs import SQSClient

    from frogmove.errors import FrogmoveError
    from frogmove.function.events import Message, Queue, QueueArn
    from frogmove.function.move_keys import KeyResults
    from frogmove.function.telemetry import Telemetry

# Requests at once, as many as a client has connections for.
_AT_ONCE = 10

# Seconds that a request needs at most, and that have to be left for it: an invocation that runs
# out of time loses its whole answer.
_REQUEST_SECONDS = 1.0
_SECONDS_NEEDED = 1.5
_NO_TIME = "no time was left to ask SQS for more"


class Cause(StrEnum):
    """Why a message comes back; the names are those of the metrics."""

    UNFINISHED = "unfinished"
    RETRIED = "retried"
    REJECTED = "rejected"


# Seconds until the next delivery, by how many there have been; the last for all further ones. What
# is rejected goes to the dead-letter queue after ten deliveries, within four minutes.
_DELAYS = {
    Cause.UNFINISHED: (1,),
    Cause.RETRIED: (5, 30, 120, 600, 1800),
    Cause.REJECTED: (1, 5, 30),
}


@dataclass(frozen=True, slots=True)
class Redelivery:
    """A message that comes back.

    Attributes:
        message: the message.
        cause: why.
    """

    message: Message
    cause: Cause

    @property
    def seconds(self) -> int:
        """How long it stays hidden until then."""
        delays = _DELAYS[self.cause]
        return delays[min(self.message.receives, len(delays)) - 1]


def redeliveries(
    messages: Iterable[Message], refused: Mapping[str, FrogmoveError], key_results: KeyResults
) -> list[Redelivery]:
    """Return why each message that is answered as failed comes back.

    Args:
        messages: all of the batch.
        refused: those that cannot be served, by their ids.
        key_results: what became of the others' keys.
    """
    found = {}
    for message in messages:
        left = not_done(key_requests(message.uploads), key_results).values()
        if message.id in refused or any(not result.retrying_helps for result in left):
            found[message.id] = Redelivery(message, Cause.REJECTED)
        elif any(not result.unfinished for result in left):
            found[message.id] = Redelivery(message, Cause.RETRIED)
        elif left:
            found[message.id] = Redelivery(message, Cause.UNFINISHED)
    return list(found.values())


def schedule(
    queue: Queue, coming: Iterable[Redelivery], telemetry: Telemetry, left: Callable[[], float]
) -> None:
    """Have messages come back when it suits them.

    What fails is told and nothing else: such messages come back after the visibility timeout.

    Args:
        queue: where they come from.
        coming: the messages.
        telemetry: what to tell of it.
        left: tells the seconds that are left of the invocation.
    """
    coming = list(coming)
    for each in coming:
        telemetry.comes_back(each.message.id, each.cause.value, each.seconds)
    hidden = [each for each in coming if each.message.receipt_handle]
    if not hidden or queue.arn is None:
        return
    for reason, count in _hide(queue.arn, hidden, left).items():
        telemetry.caution(
            f"{count} failed messages come back only after the queue's visibility timeout: {reason}"
        )


def _hide(arn: QueueArn, coming: list[Redelivery], left: Callable[[], float]) -> Counter[str]:
    """Hide messages until they are to come back, and return why some could not be."""
    # Only an invocation with failures waits for these.
    from concurrent.futures import ThreadPoolExecutor

    from botocore.exceptions import BotoCoreError, ClientError

    if left() < _SECONDS_NEEDED:
        return Counter({_NO_TIME: len(coming)})
    try:
        client = sqs_client(arn.region)
    except (BotoCoreError, ValueError) as error:
        return Counter({str(error): len(coming)})
    url = f"{client.meta.endpoint_url.rstrip('/')}/{arn.account}/{arn.name}"

    def one(each: Redelivery) -> str | None:
        if left() < _SECONDS_NEEDED:
            return _NO_TIME
        handle = each.message.receipt_handle
        try:
            client.change_message_visibility(
                QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=each.seconds
            )
        except (BotoCoreError, ClientError) as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return Counter(reason for reason in pool.map(one, coming) if reason is not None)


def sqs_client(region: str) -> SQSClient:
    """Return a client of SQS, where AWS or the environment's ``AWS_ENDPOINT_URL`` has it.

    Args:
        region: the queue's.

    Raises:
        botocore.exceptions.BotoCoreError: when there can be none.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_REQUEST_SECONDS,
        read_timeout=_REQUEST_SECONDS,
        retries={"total_max_attempts": 1},
    )
    return boto3.client("sqs", region_name=region, config=config)
