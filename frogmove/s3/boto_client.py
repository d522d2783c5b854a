"""One boto3 client with its thread pool: sends requests and maps their failures."""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from threading import Lock, local
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.parsers import ResponseParserError

from frogmove import cpu_scheduling
from frogmove.errors import FrogmoveError, no_threads
from frogmove.s3 import annotation_requests, boto_shapes, timeouts
from frogmove.s3.boto_errors import check_roots, failed
from frogmove.s3.errors import EXPIRED_TOKEN, MALFORMED, SIGN_IN, Kind, S3Error
from frogmove.s3.fallbacks import Fallbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

    from frogmove.s3.future import Future

T = TypeVar("T")


# Bytes of address space that must be left after a thread is started: with less, its requests, or
# those of other threads, could not be sent.
_RESERVE = 64 << 20


class _Threads(ThreadPoolExecutor):
    """A pool of as many threads as requested, or as the system's threads and memory allow."""

    def _adjust_thread_count(self) -> None:
        if len(self._threads) == self._max_workers:
            return
        # The work is already in the queue: if there is no further thread, existing ones do it.
        if self._threads:
            with (
                suppress(RuntimeError, OSError),
                mmap.mmap(-1, _RESERVE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
            ):
                super()._adjust_thread_count()
            return
        try:
            super()._adjust_thread_count()
        except RuntimeError as error:
            raise no_threads() from error


class BotoClient:
    """Sends requests through one boto3 client, which may be shared: boto3 clients are thread-safe.

    Args:
        client: the boto3 client; its connection pool should hold ``concurrency`` connections.
        concurrency: maximum concurrent requests.
        renew: makes a new client with new credentials after the old ones have expired; None if
            there cannot be new ones.

    Attributes:
        fallbacks: optional parameters that the server refuses.
        server_time: the time of the last response by the server's clock; None without one.
    """

    def __init__(
        self,
        client: S3Client,
        concurrency: int,
        renew: Callable[[], S3Client] | None = None,
    ) -> None:
        self._client = client
        self._renew = renew
        self._renewing = Lock()
        self._thread = local()
        self.fallbacks = Fallbacks()
        self.server_time: datetime | None = None
        self._attach(client)
        self._pool = _Threads(
            concurrency, thread_name_prefix="s3", initializer=cpu_scheduling.use_all_cores
        )

    @property
    def client(self) -> S3Client:
        """The current client; replaced when its credentials expire."""
        return self._client

    @property
    def endpoint_url(self) -> str:
        """The address of the server."""
        return self._client.meta.endpoint_url

    @property
    def bundle(self) -> str | None:
        """The CA bundle that is configured; None for the default one."""
        return _bundle(self._client)

    def close(self) -> None:
        """Wait for the requests in flight and end the threads and the connections."""
        self._pool.shutdown(cancel_futures=True)
        self.fallbacks.detach(self._client)
        self._client.close()

    def _submit(
        self, operation: str, request: Callable[[], T], seconds: float | None = None
    ) -> Future[T]:
        def attempt() -> T:
            client = self._client
            self._thread.seconds = seconds
            try:
                return self._request(operation, request)
            except S3Error as error:
                if not _may_have_expired(error) or not self._renewed(client):
                    raise
            return self._request(operation, request)

        return self._pool.submit(attempt)

    def _request(self, operation: str, request: Callable[[], T]) -> T:
        """Send a request; if refused, retry without parameters that the server may not know."""
        known = self.fallbacks.version
        try:
            return self._send(operation, request)
        except S3Error as error:
            if not self.fallbacks.may_help(error, known):
                raise
            refusal = error
        for names in self.fallbacks.trials(operation):
            try:
                with self.fallbacks.leaving_out(names):
                    response = self._send(operation, request)
            except S3Error as error:
                if self.fallbacks.may_help(error, known):
                    continue
                if error.kind in {Kind.CHANGED, Kind.MISSING}:
                    # The new error is about the request itself.
                    self.fallbacks.learn(operation, names)
                raise
            self.fallbacks.learn(operation, names)
            return response
        if self.fallbacks.version != known:
            return self._request(operation, request)
        raise refusal

    def _send(self, operation: str, request: Callable[[], T]) -> T:
        try:
            return request()
        except S3Error:
            raise
        except (KeyError, ValueError, TypeError, ResponseParserError) as error:
            raise S3Error(operation, MALFORMED, 500, boto_shapes.problem(error)) from error
        except Exception as error:
            raise failed(operation, error, self.bundle) from error

    def _renewed(self, client: S3Client) -> bool:
        """Replace a client whose credentials have expired, once for all threads."""
        if self._renew is None:
            return False
        with self._renewing:
            if self._client is client:
                try:
                    self._client = self._renew()
                except FrogmoveError as error:
                    raise S3Error(SIGN_IN, "", 400, error.message) from error
                self._attach(self._client)
        return True

    def _attach(self, client: S3Client) -> None:
        self.fallbacks.attach(client)
        annotation_requests.guard_listing(client)
        check_roots(client)
        client.meta.events.register("before-call.s3", self._limit)
        client.meta.events.register("after-call.s3", self._read_time)

    def _limit(self, params: dict[str, Any], **_: object) -> None:
        """Set the read timeout of a request; older botocores do not support that."""
        seconds = getattr(self._thread, "seconds", None)
        params["context"]["read_timeout"] = seconds or timeouts.QUICK
        if getattr(self._thread, "once", False):
            # Disables redirects, because they would send the request again.
            params["context"]["s3_redirect"]["redirected"] = True

    def _read_time(self, http_response: Any, **_: object) -> None:  # noqa: ANN401
        # Some servers send no date, or one that is not valid.
        with suppress(ValueError, OverflowError):
            told = parsedate_to_datetime(http_response.headers.get("Date") or "")
            has_zone = told.tzinfo is not None
            self.server_time = told.astimezone(UTC) if has_zone else told.replace(tzinfo=UTC)

    @contextmanager
    def _sent_once(self) -> Iterator[None]:
        """Make botocore send this thread's requests only once."""
        self._thread.once = True
        try:
            yield
        finally:
            self._thread.once = False


def _bundle(client: Any) -> str | None:  # noqa: ANN401
    """Return the CA bundle of a client; None if unknown."""
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    trusted = getattr(session, "_verify", None)
    return trusted if isinstance(trusted, str) else None


def _may_have_expired(error: S3Error) -> bool:
    """Tell whether credentials may have expired; the error response of a HEAD has no body."""
    return error.code in EXPIRED_TOKEN or (error.operation == "HeadObject" and error.status == 400)
