"""Looks right before deletes, for servers that hold no delete to a condition.

The answer to a delete can be lost after it took place, and somebody may upload the key again
before the next attempt: each attempt needs a look of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.future import Future, LightFuture, pass_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.s3.models import Head


def check_seen(seen: str, found: str) -> None:
    """Hold a delete to what a look found.

    Args:
        seen: the ETag that was to be found.
        found: the one that was.

    Raises:
        S3Error: when it is another; worded as S3 words a condition that does not hold.
    """
    if not etags_match(found, seen):
        raise S3Error("DeleteObject", "PreconditionFailed", 412, "It changed meanwhile")


def delete_as_seen(
    looked: Future[Head], seen: str, delete: Callable[[], Future[None]]
) -> Future[None]:
    """Delete as soon as a look has found what was seen.

    The delete is sent by whoever brings the answer, so that nothing can come in between.

    Args:
        looked: the look.
        seen: the ETag that it has to find.
        delete: sends the delete.
    """
    answer: LightFuture[None] = LightFuture()
    looked.add_done_callback(partial(_delete_if_seen, seen, delete, answer))
    return answer


def _delete_if_seen(
    seen: str, delete: Callable[[], Future[None]], answer: LightFuture[None], looked: Future[Head]
) -> None:
    try:
        check_seen(seen, looked.result().object.etag)
        sent = delete()
    except Exception as problem:
        # Whoever waits for the answer would wait for ever.
        answer.set_exception(problem)
    else:
        sent.add_done_callback(partial(pass_on, answer))
