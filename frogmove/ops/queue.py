"""A queue of SQS, with its numbers of messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.quoting import in_quotes

# The ends of the names of the attributes that are numbers of messages.
_COUNTED = ("", "NotVisible", "Delayed")


@dataclass(frozen=True, slots=True)
class Depth:
    """The approximate numbers of a queue's messages.

    Attributes:
        visible: messages that wait.
        in_flight: messages that are being processed, or wait for their next delivery.
        delayed: messages that cannot be received yet.
    """

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed


class Queue:
    """A queue.

    Args:
        client: the client for SQS.
        url: the queue's URL.
        attributes: its attributes.
    """

    def __init__(self, client: Any, url: str, attributes: dict[str, str]) -> None:  # noqa: ANN401
        self.client = client
        self.url = url
        self.attributes = attributes

    @classmethod
    def of_name(cls, client: Any, name: str, account: str | None = None) -> Queue:  # noqa: ANN401
        """Find a queue by its name.

        Args:
            client: the client for SQS.
            name: its name.
            account: the account that owns it; None for the caller's.

        Raises:
            AwsRequestError: when it does not exist, or cannot be read.
        """
        owner = {"QueueOwnerAWSAccountId": account} if account else {}
        url = send(
            "sqs:GetQueueUrl",
            lambda: client.get_queue_url(QueueName=name, **owner),
            f"queue {in_quotes(name)}",
        )
        return cls(client, url["QueueUrl"], _attributes(client, url["QueueUrl"]))

    @classmethod
    def of_arn(cls, client: Any, arn: str) -> Queue:  # noqa: ANN401
        """Find a queue by its ARN; see :meth:`of_name`."""
        account, name = arn.split(":")[4:6]
        return cls.of_name(client, name, account)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.attributes["QueueArn"]

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition(":")[2]

    @property
    def dead_letter_arn(self) -> str | None:
        """The ARN of its dead-letter queue; None if it has none."""
        found = self._redrive_policy().get("deadLetterTargetArn")
        return found if isinstance(found, str) else None

    @property
    def max_receive_count(self) -> int | None:
        """The deliveries of a message before it goes to the dead-letter queue."""
        found = self._redrive_policy().get("maxReceiveCount")
        return None if found is None else int(found)

    @property
    def depth(self) -> Depth:
        """The numbers of messages when the attributes were read."""
        counts = [self.attributes[f"ApproximateNumberOfMessages{name}"] for name in _COUNTED]
        return Depth(*map(int, counts))

    def _redrive_policy(self) -> dict[str, Any]:
        try:
            policy = json.loads(self.attributes.get("RedrivePolicy") or "{}")
        except ValueError:
            return {}
        return policy if isinstance(policy, dict) else {}


def _attributes(client: Any, url: str) -> dict[str, str]:  # noqa: ANN401
    action = "sqs:GetQueueAttributes"
    response = send(
        action,
        lambda: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]),
    )
    attributes: dict[str, str] = response["Attributes"]
    counts = (f"ApproximateNumberOfMessages{name}" for name in _COUNTED)
    for name in ("QueueArn", *counts):
        if name not in attributes:
            raise AwsRequestError(action, Cause.FAILED, f"its response has no {name}")
    return attributes
