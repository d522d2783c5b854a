"""A proxy in front of a real server that lets requests and answers come to grief, as networks do.

For every request a schedule says what becomes of it: whether and when it reaches the server, and
what its sender gets to know of it. The Host header is passed on as it came, so signatures hold.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.canned_server import XML, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

SECONDS_TO_WAIT = 30.0

# What belongs to one connection and not to the message.
HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of one request.

    Attributes:
        name: in words.
        reaches: when the server gets it; ``later`` is when the test says so.
        answer: what its sender gets: the server's answer whole, whole and then a closed
            connection of which nothing was said, or in half; a closed connection at once;
            nothing at all for as long as the proxy lives, or an error of this status and code.
    """

    name: str
    reaches: Literal["now", "never", "later"] = "now"
    answer: Literal["whole", "last", "half", "none", "silence"] | tuple[int, str] = "whole"


PASS = Fault("pass")
CLOSE = Fault("close", "now", "last")
DROP_BEFORE = Fault("drop before", "never", "none")
DROP_AFTER = Fault("drop after", "now", "none")
TRUNCATE = Fault("truncate", "now", "half")
LATE = Fault("late", "later", "none")
SILENCE = Fault("silence", "never", "silence")
FAIL = Fault("500", "never", (500, "InternalError"))
FAIL_AFTER = Fault("500 after", "now", (500, "InternalError"))
SLOW_DOWN = Fault("503", "never", (503, "SlowDown"))
DENY = Fault("403", "never", (403, "AccessDenied"))
EXPIRED = Fault("expired", "never", (400, "ExpiredToken"))
# S3 may begin an answer with 200 before it knows how a copy ends.
ERROR_IN_200 = Fault("200 with an error", "never", (200, "InternalError"))
ERROR_IN_200_AFTER = Fault("200 with an error after", "now", (200, "InternalError"))


@dataclass(slots=True)
class Request:
    """One request as it went over the wire; the names of its headers are in lower case.

    Attributes:
        number: which it was, counted from 1.
        connection: the port that its sender called from, as connections are told apart.
        fault: what became of it.
        status: the server's own answer; None as long as there is none.
    """

    number: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    fault: Fault = PASS
    status: int | None = None

    @property
    def bucket(self) -> str:
        return urlsplit(self.target).path.split("/")[1]

    @property
    def key(self) -> str:
        """The key, as a person writes it."""
        return unquote(urlsplit(self.target).path).partition("/")[2].partition("/")[2]

    @property
    def query(self) -> dict[str, str]:
        found = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    @property
    def operation(self) -> str:
        """The operation of S3 that this is, as far as frogmove and its tests use them."""
        if not self.key:
            if self.method == "POST":
                return "DeleteObjects"
            return "ListObjectsV2" if "list-type" in self.query else f"{self.method} bucket"
        return _OPERATIONS.get(
            (
                self.method,
                _SUBRESOURCES.intersection(self.query),
                "x-amz-copy-source" in self.headers,
            ),
            f"{self.method} object",
        )

    @property
    def is_probe(self) -> bool:
        """Whether it only finds out what the server is like."""
        return "frogmove-probe" in self.target or b"frogmove-probe" in self.body


_NONE: frozenset[str] = frozenset()
_UPLOAD = frozenset({"uploadId"})
_SUBRESOURCES = frozenset({"uploadId", "uploads", "tagging"})
_OPERATIONS = {
    ("HEAD", _NONE, False): "HeadObject",
    ("GET", _NONE, False): "GetObject",
    ("GET", frozenset({"tagging"}), False): "GetObjectTagging",
    ("GET", _UPLOAD, False): "ListParts",
    ("PUT", _NONE, False): "PutObject",
    ("PUT", _NONE, True): "CopyObject",
    ("PUT", _UPLOAD, True): "UploadPartCopy",
    ("POST", frozenset({"uploads"}), False): "CreateMultipartUpload",
    ("POST", _UPLOAD, False): "CompleteMultipartUpload",
    ("DELETE", _UPLOAD, False): "AbortMultipartUpload",
    ("DELETE", _NONE, False): "DeleteObject",
}

Schedule = Callable[[Request], Fault]
Answer = tuple[int, list[tuple[str, str]], bytes]


def nothing_happens(_: Request) -> Fault:
    """The schedule of a network without faults."""
    return PASS


@dataclass
class FaultProxy:
    """The proxy, while it runs.

    Attributes:
        endpoint_url: where to call it.
        upstream: host and port of the server.
        schedule: decides about each request; one that waits delays it.
        passed: told of each request that the server has answered; what waits here delays the
            answer.
        rewrite: what is made of the server's answers, by status, headers and content.
        requests: what was asked so far.
        broken: what went wrong with the proxy itself.
    """

    endpoint_url: str
    upstream: str
    schedule: Schedule = nothing_happens
    passed: Callable[[Request], object] = lambda _: None
    rewrite: Callable[[Request, Answer], Answer] = lambda _, answer: answer
    requests: list[Request] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)
    _late: deque[Request] = field(default_factory=deque)
    _counting: Lock = field(default_factory=Lock)
    _changed: Condition = field(default_factory=Condition)
    closing: Event = field(default_factory=Event)

    def of(self, *operations: str) -> list[Request]:
        """Return the requests of some operations so far; those that only probe are left out."""
        return [
            each for each in self.requests if each.operation in operations and not each.is_probe
        ]

    def reset(self, schedule: Schedule = nothing_happens) -> None:
        """Begin anew, with another schedule."""
        with self._counting:
            self.requests = []
            self.schedule, self.passed = schedule, lambda _: None
            self.rewrite = lambda _, answer: answer
            self._late.clear()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return once something holds that can change with a request or an answer."""
        with self._changed:
            assert self._changed.wait_for(condition, SECONDS_TO_WAIT), "it never came to that"

    def deliver_late(self) -> list[Request]:
        """Let the late requests reach the server now; returns them with its answers."""
        delivered = []
        while self._late:
            request = self._late.popleft()
            with _upstream(self) as connection:
                request.status, _, _ = _ask(connection, request)
            delivered.append(request)
        return delivered

    def receive(
        self, method: str, target: str, headers: dict[str, str], body: bytes, connection: int
    ) -> Request:
        """Record a request and have its fault decided."""
        with self._counting:
            number = len(self.requests) + 1
            request = Request(number, method, target, headers, body, connection)
            self.requests.append(request)
        self.changed()
        request.fault = self.schedule(request)
        if request.fault.reaches == "later":
            self._late.append(request)
        return request

    def changed(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Handler(BaseHTTPRequestHandler):
    """One connection of a client, and one to the server that goes with it."""

    protocol_version = "HTTP/1.1"
    proxy: FaultProxy
    _connection: HTTPConnection | None = None

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        # As it came: the library folds the slashes at its beginning.
        target = self.requestline.split(" ")[1]
        try:
            request = self.proxy.receive(
                self.command, target, headers, body, self.client_address[1]
            )
            self._serve(request)
        except OSError:
            # The client has closed the connection: it was killed, or its timeout is over.
            self.close_connection = True
        except Exception as problem:
            self.proxy.broken.append(problem)
            self._hang_up()

    def _serve(self, request: Request) -> None:
        answer: Answer | None = None
        if request.fault.reaches == "now":
            answer = self.proxy.rewrite(request, self._pass_on(request))
            request.status = answer[0]
            self.proxy.passed(request)
            self.proxy.changed()
        kind = request.fault.answer
        if kind == "silence":
            self.proxy.closing.wait(SECONDS_TO_WAIT)
        if kind in {"none", "silence"}:
            self._hang_up()
        elif isinstance(kind, tuple):
            status, content = _refusal(request, *kind)
            self._answer(request, status, [("Content-Type", "application/xml")], content)
        elif answer is not None:
            self._answer(request, *answer, half=kind == "half")
            if kind == "last":
                self._hang_up()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _pass_on(self, request: Request) -> Answer:
        if self._connection is not None:
            try:
                return _ask(self._connection, request)
            except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # It has been idle for too long.
                self._connection.close()
        self._connection = HTTPConnection(self.proxy.upstream, timeout=SECONDS_TO_WAIT)
        try:
            return _ask(self._connection, request)
        except OSError as problem:
            # Not to be taken for a client that hung up.
            raise HTTPException(f"the server: {problem!r}") from problem

    def _answer(
        self,
        request: Request,
        status: int,
        headers: list[tuple[str, str]],
        content: bytes,
        *,
        half: bool = False,
    ) -> None:
        """Send an answer in one piece: in two, the second would wait for the first's receipt."""
        bodiless = request.method == "HEAD" or status in {204, 304}
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        length = lengths[0] if bodiless and lengths else str(len(content))
        kept = [(name, value) for name, value in headers if name.lower() not in HOPS]
        if status != 204:
            kept.append(("Content-Length", length))
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in kept]
        head = "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1")
        body = b"" if bodiless else content
        if half:
            cut = len(head) + len(body) // 2 if body else len(head) // 2
            self.wfile.write((head + body)[:cut])
            self._hang_up()
        else:
            self.wfile.write(head + body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        if self._connection is not None:
            self._connection.close()
        with suppress(OSError):
            super().finish()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *args: Any) -> None:
        """Say nothing: clients that are killed hang up."""


def _ask(connection: HTTPConnection, request: Request) -> Answer:
    """Send a request to the server and read all of its answer."""
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        if name not in HOPS:
            connection.putheader(name, value)
    if request.body or "content-length" in request.headers:
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body or None)
    response = connection.getresponse()
    return response.status, response.getheaders(), response.read()


def _refusal(request: Request, status: int, code: str) -> tuple[int, bytes]:
    """Return status and body of an error; one that comes with 200 is worded as S3 does."""
    if status == 200 and request.operation == "DeleteObjects":
        keys = re.findall(r"<Key>(.*?)</Key>", request.body.decode(), re.DOTALL)
        error_fields = "<Code>InternalError</Code><Message>So it is.</Message>"
        errors = "".join(f"<Error><Key>{key}</Key>{error_fields}</Error>" for key in keys)
        return 200, f"{XML}<DeleteResult>{errors}</DeleteResult>".encode()
    late_to_know = {"CopyObject", "UploadPartCopy", "CompleteMultipartUpload"}
    if status == 200 and request.operation not in late_to_know:
        status = 500
    return status, error(escape(code)).encode()


@contextmanager
def _upstream(proxy: FaultProxy) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(proxy.upstream, timeout=SECONDS_TO_WAIT)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def proxied(server: Server, schedule: Schedule = nothing_happens) -> Iterator[FaultProxy]:
    """Put a proxy in front of a server for as long as the context lasts."""
    with Listener(("127.0.0.1", 0), Handler) as listener:
        url = f"http://127.0.0.1:{listener.server_port}"
        proxy = FaultProxy(url, urlsplit(server.endpoint_url).netloc, schedule)
        listener.RequestHandlerClass = type("Bound", (Handler,), {"proxy": proxy})
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.closing.set()
            listener.shutdown()
            thread.join()
    assert not proxy.broken, proxy.broken
