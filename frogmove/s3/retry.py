"""Retries, rate limit, and concurrency limit of all requests.

One table defines what is retried (:mod:`frogmove.s3.errors`). Every request goes through here, so
the move protocol sees only failures that remain after retries. It recognises when a retry finds a
copy or a delete already done because the first response was lost.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from frogmove.s3 import timeouts
from frogmove.s3.activity import Activity, ActivityCounter
from frogmove.s3.clock import Clock
from frogmove.s3.early_pages import EarlyPages
from frogmove.s3.errors import S3Error, not_started, out_of_time, unresponsive
from frogmove.s3.future import Future, LightFuture, error_of
from frogmove.s3.limits import ConcurrencyLimiter
from frogmove.s3.rate_limiter import RateLimiter
from frogmove.s3.retry_policy import RetryPolicy
from frogmove.s3.stall import StallTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from frogmove.s3.bucket_features import Feature
    from frogmove.s3.interface import S3
    from frogmove.s3.limits import Limits
    from frogmove.s3.models import (
        Annotation,
        Checksum,
        Copied,
        Copy,
        Deletion,
        Head,
        Page,
        Part,
        S3Object,
        UnfinishedUpload,
    )

T = TypeVar("T")

# Objects of a page, unless fewer are requested.
_FULL_PAGE = 1000


class _Request(NamedTuple):
    """A request and its retries; ``slow``: the response may take long, ``once``: never retried."""

    start: Callable[[], Future[Any]]
    future: LightFuture[Any]
    slow: bool
    once: bool


class RetryingS3:
    """Wraps an S3 client and applies the limits of a run.

    Args:
        s3: sends the requests.
        limits: the limits.
        clock: the clock; tests use their own.
        jitter: returns a random number between two others.
    """

    def __init__(
        self,
        s3: S3,
        limits: Limits,
        clock: Clock | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._s3 = s3
        self._clock = clock or Clock()
        self._rate_limiter = RateLimiter(self._clock, limits.rate)
        self._lock = threading.Lock()
        self._limiter = ConcurrencyLimiter(limits.concurrency)
        self._policy = RetryPolicy(limits, jitter)
        self._waiting: deque[Callable[[], None]] = deque()
        self._pending: set[LightFuture[Any]] = set()
        self._aborted = False
        self._stall = StallTimer()
        self._suspended_until = 0.0
        self._activity = ActivityCounter()
        self._early = EarlyPages()

    @property
    def activity(self) -> Activity:
        """The current activity; may be called from any thread."""
        return self._activity.now(self._limiter.in_flight)

    def abort_pending(self) -> None:
        """Fail all requests in flight and all further requests.

        Requests that have been sent may still take effect, under their conditions. This is for
        callers with a deadline, which cannot wait for a response that may never come.
        """
        with self._lock:
            self._aborted = True
            pending, self._pending = self._pending, set()
            self._waiting.clear()
            self._stall = StallTimer()
        for future in pending:
            future.set_exception(out_of_time())

    def cancel_rate_limited(self) -> None:
        """Fail all requests that wait for the rate limit, now and later."""
        waiting = self._rate_limiter.cancel()
        with self._lock:
            dropped = self._pending.intersection(waiting)
            self._pending -= dropped
        for future in dropped:
            future.set_exception(not_started())

    def set_limits(self, concurrency: int, rate: float | None) -> None:
        """Set new limits.

        Args:
            concurrency: maximum concurrent requests.
            rate: maximum copies started per second; None for no limit.
        """
        with self._lock:
            self._limiter.set_maximum(concurrency)
        self._rate_limiter.rate = rate

    def set_retry_quota(self, quota: int) -> None:
        """Set how many retries may be used; those that were used stay used."""
        with self._lock:
            self._policy.set_quota(quota)

    def stalled_seconds(self) -> float:
        """Return for how many seconds responses have been overdue."""
        with self._lock:
            return self._stall.unexpected_seconds(self._clock.now())

    def list_page(
        self,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = _FULL_PAGE,
        *,
        start_after: str = "",
        delimiter: str = "",
    ) -> Future[Page]:
        """See :class:`frogmove.s3.interface.S3`."""
        is_first = token is None and limit == _FULL_PAGE and not (start_after or delimiter)
        page = self._early.take(bucket, prefix, self._clock.now()) if is_first else None
        if page is None:
            start = partial(self._s3.list_page, bucket, prefix, token, limit)
            page = self._send(partial(start, start_after=start_after, delimiter=delimiter))
        page.add_done_callback(self._activity.listed)
        return page

    def list_early(self, bucket: str, prefix: str) -> Future[Page]:
        """Request the first page of a listing that will begin soon; see :class:`EarlyPages`."""
        page = self._send(partial(self._s3.list_page, bucket, prefix))
        self._early.put(bucket, prefix, page, self._clock.now())
        return page

    def forget_early(self) -> None:
        """Forget the pages of :meth:`list_early`: other checks begin."""
        self._early.clear()

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.head, bucket, key, version_id, part=part))

    def copy(self, copy: Copy) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`; waits for the rate limit."""
        slow = timeouts.of_copy(copy.source.size) > timeouts.QUICK
        return self._send(partial(self._s3.copy, copy), slow=slow, has_rate=True)

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.delete, bucket, deletion), once=deletion.is_blind)

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.delete_many, bucket, deletions))

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.tags, bucket, key, version_id))

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.has_feature, bucket, feature))

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.read_lock, bucket, key, version_id, operation))

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.read_grants, bucket, key, version_id))

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.list_annotations, bucket, key, version_id))

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.read_annotation, bucket, key, version_id, name))

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.put_annotation, bucket, key, etag, name, payload))

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """See :class:`frogmove.s3.interface.S3`; waits for the rate limit."""
        start = partial(self._s3.create_upload, copy, source, tags, checksum)
        return self._send(start, has_rate=True)

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """See :class:`frogmove.s3.interface.S3`."""
        start = partial(self._s3.copy_part, copy, upload_id, number, first, last)
        part = self._send(start, slow=True)
        part.add_done_callback(partial(self._activity.part_copied, upload_id, last - first + 1))
        return part

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""
        start = partial(self._s3.complete_upload, copy, upload_id, parts, checksum)
        copied = self._send(start, slow=True)
        copied.add_done_callback(lambda _: self._activity.upload_ended(upload_id))
        return copied

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""
        self._activity.upload_ended(upload_id)
        return self._send(partial(self._s3.abort_upload, bucket, key, upload_id))

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.list_parts, bucket, key, upload_id))

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.list_uploads, bucket, prefix))

    def list_versions(self, bucket: str, key: str) -> Future[Sequence[S3Object]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.list_versions, bucket, key))

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.read, bucket, item, first, last))

    def read_md5(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.read_md5, bucket, item, first, last), slow=True)

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._send(partial(self._s3.put, bucket, key, body))

    def _send(
        self,
        start: Callable[[], Future[T]],
        *,
        slow: bool = False,
        once: bool = False,
        has_rate: bool = False,
    ) -> Future[T]:
        future: LightFuture[T] = LightFuture()
        with self._lock:
            refusal = out_of_time() if self._aborted else None
            if self._clock.now() < self._suspended_until:
                refusal = unresponsive(
                    "the server has not responded for too long; the request was not sent"
                )
            if refusal is None:
                self._pending.add(future)
        if refusal is not None:
            future.set_exception(refusal)
            return future
        begin = partial(self._attempt, _Request(start, future, slow, once), 1)
        if not has_rate or self._rate_limiter.rate is None:
            self._enqueue(begin)
        elif not self._rate_limiter.start(future, partial(self._start_limited, future, begin)):
            with self._lock:
                self._pending.discard(future)
            future.set_exception(not_started())
        return future

    def _start_limited(self, future: LightFuture[Any], begin: Callable[[], None]) -> None:
        with self._lock:
            # The server may have been given up meanwhile.
            is_awaited = future in self._pending
        if is_awaited:
            self._enqueue(begin)

    def _enqueue(self, begin: Callable[[], None]) -> None:
        with self._lock:
            if self._aborted:
                return
            self._waiting.append(begin)
        self._start_waiting()

    def _start_waiting(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or not self._limiter.has_room():
                    return
                self._limiter.begin()
                begin = self._waiting.popleft()
            begin()

    def _attempt(self, request: _Request, attempt: int) -> None:
        if attempt == 1:
            with self._lock:
                self._stall.request_started(self._clock.now(), slow=request.slow)
        try:
            sent = request.start()
        except Exception as problem:
            # Otherwise the caller would wait forever.
            sent = LightFuture()
            sent.set_exception(problem)
        sent.add_done_callback(partial(self._ended, request, attempt))

    def _ended(self, request: _Request, attempt: int, sent: Future[Any]) -> None:
        future = request.future
        error = error_of(sent)
        delay = None
        abandoned: set[LightFuture[Any]] = set()
        with self._lock:
            self._limiter.end(error)
            if error is None:
                self._policy.succeeded()
            elif not request.once:
                delay = self._policy.delay(error, attempt)
            stalled_seconds = self._record_response(error)
            is_awaited = future in self._pending
            if is_awaited and delay is not None and stalled_seconds >= timeouts.STALLED:
                delay = None
                error = unresponsive(
                    f"{getattr(error, 'message', error)}, for {stalled_seconds:.0f} s"
                )
                abandoned = self._suspend() - {future}
            elif is_awaited and delay is None:
                self._pending.discard(future)
                self._stall.request_ended(slow=request.slow)
            else:
                self._activity.retries += delay is not None
        for other in abandoned:
            other.set_exception(error)
        if not is_awaited:
            return
        if error is None:
            future.set_result(sent.result())
        elif delay is None:
            if isinstance(error, S3Error):
                error.resent |= attempt > 1
            future.set_exception(error)
        else:
            again = partial(self._attempt, request, attempt + 1)
            self._clock.call_later(delay, partial(self._enqueue, again))
        self._start_waiting()

    def _record_response(self, error: BaseException | None) -> float:
        """Record a response; return the seconds without one."""
        now = self._clock.now()
        if error is None or (isinstance(error, S3Error) and error.status is not None):
            self._stall.response_received(now)
            self._suspended_until = 0.0
        return self._stall.seconds(now)

    def _suspend(self) -> set[LightFuture[Any]]:
        """Send nothing for a while; return all waiting requests."""
        pending, self._pending = self._pending, set()
        self._waiting.clear()
        self._stall = StallTimer()
        self._suspended_until = self._clock.now() + timeouts.STALLED
        return pending
