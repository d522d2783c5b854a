"""Follows the requests of botocore's clients, for a word about a server that does not respond."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class UnresponsiveError(HTTPClientError):
    """A request was not sent, because an earlier one to the same host had no response."""

    fmt = "{host} did not respond to an earlier request"


class PendingRequests:
    """The requests without a response so far.

    Attributes:
        gives_up: whether further requests to a host fail at once after one without a response. So
            many checks of one service do not wait as many times.
    """

    def __init__(self) -> None:
        self.gives_up = False
        # By thread: the host, and when the request was sent.
        self._pending: dict[int, tuple[str, float]] = {}
        self._unresponsive: set[str] = set()

    def follow(self, client: Any) -> None:  # noqa: ANN401 - each service has its own class
        """Follow the requests of a client."""
        host = urlsplit(client.meta.endpoint_url).netloc
        service = client.meta.service_model.service_id.hyphenize()
        handlers: dict[str, Callable[..., None]] = {
            "before-call": lambda **_: self._begin(host),
            "after-call": lambda **_: self._end(),
            "after-call-error": lambda exception, **_: self._fail(host, exception),
        }
        for event, handler in handlers.items():
            client.meta.events.register(f"{event}.{service}", handler)

    def _begin(self, host: str) -> None:
        if self.gives_up and host in self._unresponsive:
            raise UnresponsiveError(host=host)
        self._pending[threading.get_ident()] = host, time.monotonic()

    def _end(self) -> None:
        self._pending.pop(threading.get_ident(), None)

    def _fail(self, host: str, error: Exception) -> None:
        self._end()
        if isinstance(error, (NoConnectionError, HTTPClientError)):
            self._unresponsive.add(host)

    def longest(self) -> tuple[str, float]:
        """Return the host that has not responded for the longest time, and the seconds."""
        pending = list(self._pending.values())
        if not pending:
            return "", 0.0
        host, since = min(pending, key=lambda each: each[1])
        return host, time.monotonic() - since
