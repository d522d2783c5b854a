"""One HTTP request on its way, and what became of it."""

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
    """A request got no answer, or not a whole one.

    Args:
        name: awscrt's name of what happened, such as ``AWS_IO_SOCKET_TIMEOUT``.
        words: the same in words.
    """

    def __init__(self, name: str, words: str) -> None:
        super().__init__(name, words)
        self.name = name
        self.words = words


class NoConnectionError(Exception):
    """A connection was not made in time, so nothing was sent."""


class HttpResponse:
    """An answer as it came.

    Attributes:
        status: the HTTP status.
        headers: by their names in lower case.
        body: the content.
        resent: whether the request was sent twice, as no answer came over a kept connection.
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
    """One request on its way."""

    __slots__ = (
        "_done",
        "again",
        "chunks",
        "connection",
        "headers",
        "kept",
        "over",
        "overdue",
        "request",
        "seconds",
        "seen",
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
        self.seen = 0.0
        self.over = False
        # Whether it went over a connection of an earlier one, waited too long, was sent again.
        self.kept = False
        self.overdue = False
        self.again = False
        self.connection: HttpClientConnection | None = None
        self.stream: HttpClientStream | None = None

    def on_response(self, status_code: int, headers: list[tuple[str, str]], **_: object) -> None:
        """Take the head of the answer."""
        self.status = status_code
        self.headers = headers
        self.seen = time.monotonic()

    def on_body(self, chunk: bytes, **_: object) -> None:
        """Take a piece of the answer's content."""
        self.chunks.append(chunk)
        self.seen = time.monotonic()

    def allowed_seconds(self) -> float:
        """Return for how long nothing may be seen of it."""
        return self.seconds if self.connection is not None else timeouts.HANDSHAKE

    def met_a_closed_connection(self) -> bool:
        """Tell whether it failed as the server had closed a connection that was kept."""
        return self.kept and self.status == 0 and not self.overdue

    def end(self, error: BaseException | None) -> None:
        """Tell how it ended."""
        # Stream and flight know each other: left so, only the garbage collector would find them,
        # and it would be most of what a request costs.
        self.stream = self.connection = None
        if error is None:
            body = b"".join(self.chunks)
            self._done(HttpResponse(self.status, self.headers, body, resent=self.again))
        elif self.overdue:
            self._done(TransportError("ReadTimeoutError", f"nothing came for {self.seconds:.0f} s"))
        else:
            name = error.name if isinstance(error, AwsCrtError) else type(error).__name__
            words = error.message if isinstance(error, AwsCrtError) else str(error)
            self._done(TransportError(name, words.rstrip(".")))
