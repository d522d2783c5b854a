"""One HTTP request in flight, and its response."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from awscrt.exceptions import AwsCrtError  # type: ignore[import-untyped]

from frogmove.s3 import timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from awscrt.http import (  # type: ignore[import-untyped]
        HttpClientConnection,
        HttpClientStream,
        HttpRequest,
    )


class TransportError(Exception):
    """A request got no response, or an incomplete one.

    Args:
        name: awscrt's error name, such as ``AWS_IO_SOCKET_TIMEOUT``.
        words: the error in words.
    """

    def __init__(self, name: str, words: str) -> None:
        super().__init__(name, words)
        self.name = name
        self.words = words


class NoConnectionError(Exception):
    """A connection was not established in time, so nothing was sent."""


class HttpResponse:
    """An HTTP response.

    Attributes:
        status: the HTTP status.
        headers: by names in lower case.
        body: the body.
        resent: whether the request was sent twice, because a reused connection was closed.
    """

    __slots__ = ("body", "headers", "resent", "status")

    def __init__(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, resent: bool = False
    ) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body
        self.resent = resent


class InFlight:
    """One request in flight."""

    __slots__ = (
        "_done",
        "chunks",
        "connection",
        "ended",
        "headers",
        "last_activity",
        "overdue",
        "request",
        "resent",
        "reused",
        "seconds",
        "status",
        "stream",
    )

    def __init__(
        self,
        request: HttpRequest,
        done: Callable[[HttpResponse | TransportError], None],
        seconds: float,
    ) -> None:
        self.request = request
        self.seconds = seconds
        self._done = done
        self.chunks: list[bytes] = []
        self.headers: list[tuple[str, str]] = []
        self.status = 0
        self.last_activity = 0.0
        self.ended = False
        # Whether it used a reused connection, timed out, was sent again.
        self.reused = False
        self.overdue = False
        self.resent = False
        self.connection: HttpClientConnection | None = None
        self.stream: HttpClientStream | None = None

    def on_response(self, status_code: int, headers: list[tuple[str, str]], **_: object) -> None:
        """Receive status and headers."""
        self.status = status_code
        self.headers = headers
        self.last_activity = time.monotonic()

    def on_body(self, chunk: bytes, **_: object) -> None:
        """Receive a part of the body."""
        self.chunks.append(chunk)
        self.last_activity = time.monotonic()

    def allowed_seconds(self) -> float:
        """Return the current timeout in seconds."""
        return self.seconds if self.connection is not None else timeouts.HANDSHAKE

    def hit_closed_connection(self) -> bool:
        """Tell whether it failed because the server had closed a reused connection."""
        return self.reused and self.status == 0 and not self.overdue

    def end(self, error: BaseException | None) -> None:
        """Report the result."""
        # Break the reference cycle between stream and request; otherwise the garbage collector
        # would take most of a request's CPU time.
        self.stream = self.connection = None
        if error is None:
            body = b"".join(self.chunks)
            self._done(HttpResponse(self.status, self.headers, body, resent=self.resent))
        elif self.overdue:
            self._done(TransportError("ReadTimeoutError", f"no response for {self.seconds:.0f} s"))
        else:
            name = error.name if isinstance(error, AwsCrtError) else type(error).__name__
            words = error.message if isinstance(error, AwsCrtError) else str(error)
            self._done(TransportError(name, words.rstrip(".")))
