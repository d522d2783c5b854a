"""A server that records the requests of both engines, to compare them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.canned_server import XML
from tests.factories import md5

if TYPE_CHECKING:
    from collections.abc import Iterator


ETAG = md5(b"frog")

# What says when a request was sent, by which connection and at which attempt.
INCIDENTAL = {
    "authorization",
    "x-amz-date",
    "user-agent",
    "connection",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
}


@dataclass
class Sent:
    """One request as it was received."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def same(self) -> tuple[object, ...]:
        """Return what both engines have to agree on."""
        headers = {name: value for name, value in self.headers.items() if name not in INCIDENTAL}
        # To a proxy, awscrt names the port even where it goes without saying.
        path, _, query = self.target.replace(".com:80/", ".com/").partition("?")
        return self.method, path, sorted(query.split("&")), headers, self.body


@dataclass
class Recorder:
    """A server that says yes to everything."""

    address: str
    sent: list[Sent] = field(default_factory=list)


ANSWERS = {
    "PUT": f'{XML}<CopyObjectResult><ETag>"{ETAG}"</ETag></CopyObjectResult>',
    "GET": f"{XML}<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
    "POST": f"{XML}<DeleteResult></DeleteResult>",
}


@contextmanager
def recording() -> Iterator[Recorder]:
    """Run such a server for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # Not self.path: that folds leading slashes.
            target = self.raw_requestline.decode().split(" ")[1]
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.sent.append(Sent(self.command, target, headers, body))
            content = ANSWERS.get(self.command, "").encode()
            self.send_response(200)
            self.send_header("ETag", f'"{ETAG}"')
            self.send_header("Last-Modified", "Mon, 12 Oct 2026 17:50:30 GMT")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = Recorder(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
