"""An endpoint that answers as it is told, for what no server can be brought to answer."""

from __future__ import annotations

import socket
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

XML = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass
class CannedServer:
    """What is answered, in this order, and what was asked.

    Attributes:
        endpoint_url: where.
        answers: status and body of the answers still to be given; the last is given for ever.
        requests: method and path of each request so far.
    """

    endpoint_url: str
    answers: deque[tuple[int, str]]
    requests: list[tuple[str, str]] = field(default_factory=list)

    def next(self) -> tuple[int, str]:
        """Return the answer that is due."""
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


def error(code: str, message: str = "So it is.") -> str:
    """Return the body of a refusal."""
    return f"{XML}<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@contextmanager
def nobody_listening() -> Iterator[str]:
    """Hold a port on which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def canned_server(*answers: tuple[int, str]) -> Iterator[CannedServer]:
    """Serve answers on a port of its own for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.requests.append((self.command, self.path))
            status, body = script.next()
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        url = f"http://127.0.0.1:{server.server_port}"
        script = CannedServer(url, deque(answers))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
