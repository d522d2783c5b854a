"""Sets when failed messages are delivered again.

SQS delivers a failed message again after the queue's visibility timeout, which must be six times
the function's timeout. That is too long for a large copy that only needs to continue, and for a
message that can never succeed. So each message gets its own visibility timeout.
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
    from frogmove.function.key_request import KeyResults
    from frogmove.function.telemetry import Telemetry

# Concurrent requests, as many as a client has connections.
_CONCURRENCY = 10

# Maximum seconds of a request, which must be left: an invocation that times out loses its whole
# response.
_REQUEST_SECONDS = 1.0
_SECONDS_NEEDED = 1.5
_NO_TIME = "no time was left for the requests to SQS"


class Cause(StrEnum):
    """Why a message is delivered again; the values are the names of metrics."""

    UNFINISHED = "unfinished"
    RETRIED = "retried"
    REJECTED = "rejected"


# Seconds until the next delivery, by the number of deliveries so far; the last value for all
# further ones. A rejected message goes to the DLQ after ten deliveries, within four minutes.
_DELAYS = {
    Cause.UNFINISHED: (1,),
    Cause.RETRIED: (5, 30, 120, 600, 1800),
    Cause.REJECTED: (1, 5, 30),
}


@dataclass(frozen=True, slots=True)
class Redelivery:
    """A message that is delivered again.

    Attributes:
        message: the message.
        cause: why.
    """

    message: Message
    cause: Cause

    @property
    def seconds(self) -> int:
        """Seconds until it is delivered again."""
        delays = _DELAYS[self.cause]
        return delays[min(self.message.receives, len(delays)) - 1]


def redeliveries(
    messages: Iterable[Message], refused: Mapping[str, FrogmoveError], key_results: KeyResults
) -> list[Redelivery]:
    """Return the failed messages and why each is delivered again.

    Args:
        messages: all of the batch.
        refused: the ids of messages that cannot be processed.
        key_results: the results of the other messages' keys.
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
    queue: Queue,
    failed: Iterable[Redelivery],
    telemetry: Telemetry,
    left: Callable[[], float],
) -> None:
    """Set the visibility timeout of failed messages.

    A failure is only logged: such messages are delivered again after the queue's visibility
    timeout.

    Args:
        queue: their queue.
        failed: the messages.
        telemetry: logs and metrics.
        left: returns the remaining seconds of the invocation.
    """
    failed = list(failed)
    for each in failed:
        telemetry.redelivered(each.message.id, each.cause.value, each.seconds)
    with_handles = [each for each in failed if each.message.receipt_handle]
    if not with_handles or queue.arn is None:
        return
    for reason, count in _set_visibility(queue.arn, with_handles, left).items():
        telemetry.warning(
            f"{count} failed messages are delivered again only after the queue's visibility "
            f"timeout: {reason}"
        )


def _set_visibility(
    arn: QueueArn, failed: list[Redelivery], left: Callable[[], float]
) -> Counter[str]:
    """Set the visibility timeouts, and return the failures."""
    # Lazy: only needed if messages failed.
    from concurrent.futures import ThreadPoolExecutor

    from botocore.exceptions import BotoCoreError, ClientError

    if left() < _SECONDS_NEEDED:
        return Counter({_NO_TIME: len(failed)})
    try:
        client = sqs_client(arn.region)
    except (BotoCoreError, ValueError) as error:
        return Counter({str(error): len(failed)})
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

    with ThreadPoolExecutor(_CONCURRENCY) as pool:
        return Counter(reason for reason in pool.map(one, failed) if reason is not None)


def sqs_client(region: str) -> SQSClient:
    """Return a client for SQS on AWS, or at ``AWS_ENDPOINT_URL``.

    Args:
        region: the queue's Region.

    Raises:
        botocore.exceptions.BotoCoreError: when it cannot be created.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_REQUEST_SECONDS,
        read_timeout=_REQUEST_SECONDS,
        retries={"total_max_attempts": 1},
    )
    return boto3.client("sqs", region_name=region, config=config)
