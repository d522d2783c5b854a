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
MAX_IDLE_SECONDS = 15.0

# After this many connections in a row that the server had closed silently, none is reused any more:
# it seems to close each one after its response.
MAX_CLOSED_IN_A_ROW = 8

# Methods that may be sent again on another connection without asking the caller. They are
# conditional, so they take effect only once. A DELETE might delete a new object.
# https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
_RESENDABLE = frozenset({"GET", "HEAD", "PUT"})


class ConnectionPool:
    """The connections to one server: one per request in flight, up to a maximum."""

    def __init__(self, connect: Callable[[], Future[HttpClientConnection]], maximum: int) -> None:
        self._new_connection = connect
        self._maximum = maximum
        self._open = 0
        self._idle: list[tuple[HttpClientConnection, float]] = []
        self._waiting: deque[InFlight] = deque()
        # How many connections in a row the server had closed; see MAX_CLOSED_IN_A_ROW.
        self._closed = 0
        self._lock = threading.Lock()
        self.in_flight: set[InFlight] = set()

    def send(self, in_flight: InFlight) -> None:
        """Send a request as soon as a connection is free."""
        self.in_flight.add(in_flight)
        with self._lock:
            connection = self._take_idle()
            if connection is None:
                if self._open >= self._maximum:
                    self._waiting.append(in_flight)
                    return
                self._open += 1
        if connection is not None:
            self._start(in_flight, connection, reused=True)
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
            if connection.is_open() and time.monotonic() - since < MAX_IDLE_SECONDS:
                return connection
            connection.close()
            self._open -= 1
        return None

    def expire_overdue(self) -> None:
        """Fail the requests whose response is overdue."""
        now = time.monotonic()
        for in_flight in list(self.in_flight):
            if not 0 < in_flight.last_activity < now - in_flight.allowed_seconds():
                continue
            if in_flight.connection is not None:
                in_flight.overdue = True
                # The stream then ends with an error.
                in_flight.connection.close()
            else:
                self._end(in_flight, None, NoConnectionError("no connection in time"))

    def _connect(self, in_flight: InFlight) -> None:
        in_flight.last_activity = time.monotonic()
        try:
            connecting = self._new_connection()
        except Exception as error:
            self._end(in_flight, None, error)
        else:
            connecting.add_done_callback(partial(self._connected, in_flight))

    def _connected(self, in_flight: InFlight, connecting: Future[HttpClientConnection]) -> None:
        error = connecting.exception()
        if error is not None:
            self._end(in_flight, None, error)
        elif in_flight.ended:
            connecting.result().close()
        else:
            self._start(in_flight, connecting.result())

    def _start(
        self, in_flight: InFlight, connection: HttpClientConnection, *, reused: bool = False
    ) -> None:
        in_flight.connection = connection
        in_flight.reused = reused
        in_flight.last_activity = time.monotonic()
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
        if error is not None and in_flight.hit_closed_connection():
            self._closed += 1
            if in_flight.request.method in _RESENDABLE and not in_flight.resent:
                in_flight.resent = True
                self._connect(in_flight)
                return
        elif in_flight.reused:
            self._closed = 0
        reusable = connection is not None and error is None and connection.is_open()
        reusable = reusable and self._closed <= MAX_CLOSED_IN_A_ROW
        next_request: InFlight | None = None
        with self._lock:
            if in_flight.ended:
                return
            in_flight.ended = True
            if self._waiting:
                next_request = self._waiting.popleft()
            elif reusable and connection is not None:
                self._idle.append((connection, time.monotonic()))
            if not reusable and next_request is None:
                self._open -= 1
        if next_request is not None:
            if reusable and connection is not None:
                self._start(next_request, connection, reused=True)
            else:
                self._connect(next_request)
        self.in_flight.discard(in_flight)
        in_flight.end(error)
