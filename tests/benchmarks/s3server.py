"""Serves :mod:`tests.benchmarks.store` over HTTP: ``python -m tests.benchmarks.s3server PORT``.

One thread, one asyncio protocol, no framework. It counts requests and holds answers back for as
long as it is told to, so that neither takes a proxy, which would cost more than the server.
Paths that begin with ``/-/`` are for the benchmarks' own process.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote

from tests.benchmarks.store import Store
from tests.fault_proxy import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOST = "127.0.0.1"
CONTROL = "/-/"

_REASONS = {100: "Continue", 200: "OK", 204: "No Content", 404: "Not Found", 412: "Failed"}


class S3Server:
    """The server: the buckets, and how long an answer is held back.

    Attributes:
        store: the buckets.
        latency: seconds between a request and its answer.
        watched: the requests since they are watched; None while they are not.
    """

    def __init__(self) -> None:
        self.store = Store()
        self.latency = 0.0
        self.watched: list[Request] | None = None

    def control(self, command: str, options: Mapping[str, str]) -> Any:
        """Do what the benchmarks' own process asks for."""
        match command:
            case "fill":
                place = options["bucket"], options["prefix"]
                return self.store.fill(*place, int(options["count"]), int(options["size"]))
            case "count":
                return self.store.count(options["bucket"], options["prefix"])
            case "empty":
                return self.store.empty(options["bucket"], options["prefix"])
            case "latency":
                self.latency = float(options["seconds"])
            case "watch":
                self.watched = []
            case "watched":
                watched, self.watched = self.watched or [], None
                return Counter(request.operation for request in watched)
            case _:
                raise ValueError(f"There is no command {command!r}.")
        return None


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, as all clients here send them."""

    def __init__(self, server: S3Server, later: Callable[..., object]) -> None:
        self._server = server
        self._later = later
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection's other end; see :class:`asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and answer each request that they complete."""
        self._received += data
        while True:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            lines = self._received[:end].decode("latin-1").split("\r\n")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", 0))
            if len(self._received) < end + 4 + length:
                if headers.pop("expect", None) and len(self._received) == end + 4:
                    self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._answer(lines[0], headers, body)

    def _answer(self, line: str, headers: dict[str, str], body: bytes) -> None:
        method, target, _ = line.split(" ", 2)
        raw_path, _, query = target.partition("?")
        if raw_path.startswith(CONTROL):
            told = self._server.control(raw_path[len(CONTROL) :], dict(parse_qsl(query)))
            status, content = 200, json.dumps(told).encode()
            fields: dict[str, str] = {}
        else:
            path = unquote(raw_path)
            if self._server.watched is not None:
                self._server.watched.append(Request(0, method, target, headers, b"", 0))
            status, fields, content = self._server.store.answer(method, path, query, headers, body)
        if method != "HEAD" and status != 204:
            fields["Content-Length"] = str(len(content))
        sent = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Other')}\r\n{sent}\r\n"
        if self._server.latency and not raw_path.startswith(CONTROL):
            self._later(self._server.latency, self._write, head.encode() + content)
        else:
            self._write(head.encode() + content)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = S3Server()
    listening = await loop.create_server(
        lambda: Connection(server, loop.call_later), HOST, port, backlog=1024
    )
    loop.add_reader(sys.stdin.fileno(), listening.close)
    # What lives, lives until the end, and to look through a million objects takes a second.
    gc.disable()
    with suppress(asyncio.CancelledError):
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
