"""Deletes with a HEAD request before each attempt, for servers without conditional deletes.

The response to a delete can be lost after it took effect, and the key may be uploaded again before
the next attempt. So each attempt needs its own HEAD request.
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
    """Check that an object has not changed before it is deleted.

    Args:
        seen: the expected ETag.
        found: the ETag of the HEAD response.

    Raises:
        S3Error: when they differ; the same error as for a failed condition.
    """
    if not etags_match(found, seen):
        raise S3Error("DeleteObject", "PreconditionFailed", 412, "It changed meanwhile")


def delete_as_seen(
    head: Future[Head], seen: str, delete: Callable[[], Future[None]]
) -> Future[None]:
    """Delete as soon as a HEAD request has confirmed the ETag.

    The delete is sent by the thread that receives the response, to keep the interval short.

    Args:
        head: the HEAD request.
        seen: the expected ETag.
        delete: sends the delete.
    """
    deleted: LightFuture[None] = LightFuture()
    head.add_done_callback(partial(_delete_if_seen, seen, delete, deleted))
    return deleted


def _delete_if_seen(
    seen: str, delete: Callable[[], Future[None]], deleted: LightFuture[None], head: Future[Head]
) -> None:
    try:
        check_seen(seen, head.result().object.etag)
        sent = delete()
    except Exception as problem:
        # Otherwise the caller would wait forever.
        deleted.set_exception(problem)
    else:
        sent.add_done_callback(partial(pass_on, deleted))
