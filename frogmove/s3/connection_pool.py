"""A pool of persistent HTTP connections to one server."""

from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from frogmove.s3.in_flight import InFlight, NoConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from awscrt.http import HttpClientConnection  # type: ignore[import-untyped]

    from frogmove.s3.future import Future

# Maximum idle seconds. S3 closes idle connections a little later, and a connection that a firewall
# has dropped is noticed only when a request on it times out.
IDLE = 15.0

# After this many connections in a row that the server had closed silently, none is kept any more:
# it seems to close each one after its response.
MOST_CLOSED = 8

# Methods that may be sent again on another connection without asking the caller. They are
# conditional, so they take effect only once. A DELETE might delete a new object.
# https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
_SENT_AGAIN = frozenset({"GET", "HEAD", "PUT"})


class ConnectionPool:
    """The connections to one server: one per request in flight, up to a maximum."""

    def __init__(self, connect: Callable[[], Future[HttpClientConnection]], most: int) -> None:
        self._new_connection = connect
        self._most = most
        self._open = 0
        self._idle: list[tuple[HttpClientConnection, float]] = []
        self._waiting: deque[InFlight] = deque()
        # How many connections in a row the server had closed; see MOST_CLOSED.
        self._closed = 0
        self._lock = threading.Lock()
        self.in_flight: set[InFlight] = set()

    def send(self, in_flight: InFlight) -> None:
        """Send a request as soon as a connection is free."""
        self.in_flight.add(in_flight)
        with self._lock:
            connection = self._take_idle()
            if connection is None:
                if self._open >= self._most:
                    self._waiting.append(in_flight)
                    return
                self._open += 1
        if connection is not None:
            self._start(in_flight, connection, kept=True)
        else:
            self._connect(in_flight)

    def close(self) -> None:
        """End the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def _take_idle(self) -> HttpClientConnection | None:
        while self._idle:
            # The one used last, so that connections that are not needed become idle and expire.
            connection, since = self._idle.pop()
            if connection.is_open() and time.monotonic() - since < IDLE:
                return connection
            connection.close()
            self._open -= 1
        return None

    def expire_overdue(self) -> None:
        """Fail the requests whose response is overdue."""
        now = time.monotonic()
        for in_flight in list(self.in_flight):
            if not 0 < in_flight.seen < now - in_flight.allowed_seconds():
                continue
            if in_flight.connection is not None:
                in_flight.overdue = True
                # The stream then ends with an error.
                in_flight.connection.close()
            else:
                self._end(in_flight, None, NoConnectionError("no connection in time"))

    def _connect(self, in_flight: InFlight) -> None:
        in_flight.seen = time.monotonic()
        try:
            coming = self._new_connection()
        except Exception as error:
            self._end(in_flight, None, error)
        else:
            coming.add_done_callback(partial(self._connected, in_flight))

    def _connected(self, in_flight: InFlight, coming: Future[HttpClientConnection]) -> None:
        error = coming.exception()
        if error is not None:
            self._end(in_flight, None, error)
        elif in_flight.over:
            coming.result().close()
        else:
            self._start(in_flight, coming.result())

    def _start(
        self, in_flight: InFlight, connection: HttpClientConnection, *, kept: bool = False
    ) -> None:
        in_flight.connection = connection
        in_flight.kept = kept
        in_flight.seen = time.monotonic()
        try:
            stream = connection.request(in_flight.request, in_flight.on_response, in_flight.on_body)
            in_flight.stream = stream
            stream.completion_future.add_done_callback(
                partial(self._responded, in_flight, connection)
            )
            stream.activate()
        except Exception as error:
            connection.close()
            self._end(in_flight, None, error)

    def _responded(
        self, in_flight: InFlight, connection: HttpClientConnection, done: Future[int]
    ) -> None:
        self._end(in_flight, connection, done.exception())

    def _end(
        self,
        in_flight: InFlight,
        connection: HttpClientConnection | None,
        error: BaseException | None,
    ) -> None:
        if error is not None and in_flight.met_a_closed_connection():
            self._closed += 1
            if in_flight.request.method in _SENT_AGAIN and not in_flight.again:
                in_flight.again = True
                self._connect(in_flight)
                return
        elif in_flight.kept:
            self._closed = 0
        reusable = connection is not None and error is None and connection.is_open()
        reusable = reusable and self._closed <= MOST_CLOSED
        following: InFlight | None = None
        with self._lock:
            if in_flight.over:
                return
            in_flight.over = True
            if self._waiting:
                following = self._waiting.popleft()
            elif reusable and connection is not None:
                self._idle.append((connection, time.monotonic()))
            if not reusable and following is None:
                self._open -= 1
        if following is not None:
            if reusable and connection is not None:
                self._start(following, connection, kept=True)
            else:
                self._connect(following)
        self.in_flight.discard(in_flight)
        in_flight.end(error)
