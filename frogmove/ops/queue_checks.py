"""The check of the dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.ops.check import Check, State, named_check
from frogmove.plural import counted

if TYPE_CHECKING:
    from frogmove.ops.deployment import Deployment


@named_check("dead letters")
def check_dead_letters(name: str, deployment: Deployment) -> Check:
    """Check that no upload has failed too often."""
    queue = deployment.dead_letters
    count = queue.depth.total
    facts = {"queue": queue.arn, "messages": count}
    if not count:
        return Check(name, State.OK, f"none in {queue.name}", facts=facts)
    message = (
        f"{messages(count)} in {queue.name} failed too often; the objects are still at the source"
    )
    remedy = "frogmove dlq ls says why; after the cause is fixed: frogmove dlq redrive --all"
    return Check(name, State.BROKEN, message, remedy, facts)


def messages(count: int) -> str:
    """Format a number of messages."""
    return counted(count, "message", "messages")
