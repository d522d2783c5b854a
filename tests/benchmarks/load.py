"""A bare load generator: sends prepared requests and reads nothing of an answer but its end.

One thread on epoll, one request at a time on each connection: the least work that a client
without pipelining can do. So its rate is what the server gives at the most, and it fills buckets
quickly, too.
"""

from __future__ import annotations

import re
import select
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.benchmarks.servers import Server

CONNECTIONS = 64
SECONDS_OF_SILENCE = 120.0

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class LoadError(Exception):
    """The server answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Load:
    """What it took to have all requests answered."""

    requests: int
    wall: float
    cpu: float


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    answer: bytearray = field(default_factory=bytearray)
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))


def send(server: Server, requests: Iterable[bytes], connections: int = CONNECTIONS) -> Load:
    """Send requests, in no order, and wait for all answers.

    Raises:
        LoadError: at the first answer that is not a 2xx, or when none comes any more.
    """
    generator = _Generator(server, iter(requests))
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        count = generator.run(connections)
    finally:
        generator.close()
    return Load(count, time.perf_counter() - wall, time.process_time() - cpu)


class _Generator:
    def __init__(self, server: Server, requests: Iterator[bytes]) -> None:
        self._address = (server.host, server.port)
        self._requests = requests
        self._epoll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._answered = 0

    def run(self, connections: int) -> int:
        for _ in range(connections):
            request = next(self._requests, None)
            if request is None:
                break
            self._begin(request)
        while self._open:
            events = self._epoll.poll(SECONDS_OF_SILENCE)
            if not events:
                raise LoadError(f"No answer for {SECONDS_OF_SILENCE:.0f} s from {self._address}.")
            for number, event in events:
                connection = self._open[number]
                if event & ~select.EPOLLOUT:
                    self._receive(connection)
                elif event & select.EPOLLOUT:
                    self._send(connection)
        return self._answered

    def close(self) -> None:
        for connection in self._open.values():
            connection.socket.close()
        self._epoll.close()

    def _begin(self, request: bytes) -> None:
        made = socket.create_connection(self._address)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(False)
        connection = _Connection(made, unsent=memoryview(request))
        self._open[made.fileno()] = connection
        self._epoll.register(made.fileno(), select.EPOLLIN)
        self._send(connection)

    def _send(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.unsent)
        except BlockingIOError:
            sent = 0
        was_whole = sent == len(connection.unsent)
        connection.unsent = connection.unsent[sent:]
        events = select.EPOLLIN if was_whole else select.EPOLLIN | select.EPOLLOUT
        self._epoll.modify(connection.socket.fileno(), events)

    def _receive(self, connection: _Connection) -> None:
        data = connection.socket.recv(1 << 20)
        if not data:
            raise LoadError(f"{self._address} closed a connection in the middle of an answer.")
        connection.answer += data
        if not _is_whole(connection.answer):
            return
        _check(connection.answer)
        connection.answer.clear()
        self._answered += 1
        request = next(self._requests, None)
        if request is not None:
            connection.unsent = memoryview(request)
            self._send(connection)
            return
        number = connection.socket.fileno()
        self._epoll.unregister(number)
        connection.socket.close()
        del self._open[number]


def _is_whole(answer: bytearray) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    if _CHUNKED.search(answer, 0, end):
        return answer.endswith(b"\r\n0\r\n\r\n")
    length = _LENGTH.search(answer, 0, end)
    return len(answer) >= end + 4 + (int(length[1]) if length else 0)


def _check(answer: bytearray) -> None:
    """Raise what the server complains of; an error may come in a 200 answer, too."""
    if not answer.startswith(b"HTTP/1.1 2") or b"<Error>" in answer:
        raise LoadError(f"The server answered: {bytes(answer[:2000]).decode(errors='replace')}")
