"""Deletes in batches: one request for up to 1,000 keys, each with its own condition."""

import time
from collections.abc import Callable
from functools import partial

from frogmove.core.scheduler import BatchedFuture
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.future import Future
from frogmove.s3.interface import S3
from frogmove.s3.models import MAX_BATCH_DELETES, Deletion

# Seconds that a delete waits at the most for its batch to fill.
MAX_WAIT_SECONDS = 0.5


class BatchDeleter:
    """Collects deletes and sends them together.

    Some servers do not support DeleteObjects: Google Cloud Storage returns 501, others 405 or 404.
    Then each key is deleted by its own request.

    Args:
        s3: the client.
        bucket: the bucket to delete from.
        before: called before each request is sent.
        batched: whether the server honours a condition per key in one request; if not, each key is
            deleted by its own request.
    """

    def __init__(self, s3: S3, bucket: str, before: Callable[[], None], *, batched: bool) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._before = before
        self._most = MAX_BATCH_DELETES if batched else 1
        self._waiting: dict[str, tuple[Deletion, BatchedFuture[S3Error | None]]] = {}
        self._since = 0.0

    def add(self, deletion: Deletion) -> Future[S3Error | None]:
        """Add one delete.

        Returns:
            a future that is resolved when the key is deleted, or fails with the reason.
        """
        future: BatchedFuture[S3Error | None] = BatchedFuture()
        if self._most == 1 or not fits_xml(deletion.key):
            self._send([(deletion, future)])
            return future
        if deletion.key in self._waiting:
            self.flush()
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting[deletion.key] = (deletion, future)
        if len(self._waiting) == self._most:
            self.flush()
        return future

    def flush_overdue(self) -> None:
        """Send what has been collected, if the first of it has waited for MAX_WAIT_SECONDS."""
        if self._waiting and time.monotonic() - self._since >= MAX_WAIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the collected deletes."""
        if self._waiting:
            waiting, self._waiting = list(self._waiting.values()), {}
            self._send(waiting)

    def _send(self, waiting: list[tuple[Deletion, BatchedFuture[S3Error | None]]]) -> None:
        self._before()
        if len(waiting) == 1:
            ((deletion, future),) = waiting
            self._send_one(deletion, future)
        else:
            deletions = [deletion for deletion, _ in waiting]
            sent = self._s3.delete_many(self._bucket, deletions)
            sent.add_done_callback(partial(self._resolve_each, waiting))

    def _resolve_each(
        self,
        waiting: list[tuple[Deletion, BatchedFuture[S3Error | None]]],
        done: Future[dict[str, S3Error | None]],
    ) -> None:
        error = done.exception()
        has_no_batches = _is(error, Kind.REFUSED, Kind.MISSING)
        if has_no_batches:
            self._most = 1
        for deletion, future in waiting:
            own = done.result()[deletion.key] if error is None else error
            # It was not deleted; a single request may succeed.
            if has_no_batches or _is(own, Kind.REFUSED):
                self._send_one(deletion, future)
            else:
                _resolve(future, own)

    def _send_one(self, deletion: Deletion, future: BatchedFuture[S3Error | None]) -> None:
        self._s3.delete(self._bucket, deletion).add_done_callback(partial(_resolve_one, future))


def _resolve_one(future: BatchedFuture[S3Error | None], done: Future[None]) -> None:
    _resolve(future, done.exception())


def _is(error: BaseException | None, *kinds: Kind) -> bool:
    return isinstance(error, S3Error) and error.kind in kinds


def _resolve(future: BatchedFuture[S3Error | None], error: BaseException | None) -> None:
    if error is None or isinstance(error, S3Error):
        future.set_result(error)
    else:
        future.set_exception(error)


def fits_xml(key: str) -> bool:
    """Tell whether a key can be sent in the XML of DeleteObjects.

    XML 1.0 has no control characters, and parsers turn a carriage return into a line feed: another
    key would be deleted, or the response would name another key.
    https://www.w3.org/TR/xml/#charsets, https://www.w3.org/TR/xml/#sec-line-ends
    """
    # Fast path: nearly every key is printable.
    return key.isprintable() or all(
        (" " <= char <= "\ud7ff" and not "\x7f" <= char <= "\x9f")
        or "\ue000" <= char <= "\ufffd"
        or char >= "\U00010000"
        for char in key
    )
