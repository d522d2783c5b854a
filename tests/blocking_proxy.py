"""A door in front of a server that holds copies back until it is opened."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

SECONDS_TO_WAIT = 30.0
HOPS = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class BlockingProxy:
    """The door.

    Attributes:
        endpoint_url: where to knock instead of at the server.
        arrived: the path of each copy that stands before the door or has passed it.
        opened: set once copies may pass.
    """

    endpoint_url: str
    arrived: SimpleQueue[str] = field(default_factory=SimpleQueue)
    opened: Event = field(default_factory=Event)

    def wait_for_copies(self, count: int) -> None:
        """Return once so many copies have arrived."""
        for _ in range(count):
            self.arrived.get(timeout=SECONDS_TO_WAIT)


@contextmanager
def blocking_proxy(server: Server) -> Iterator[BlockingProxy]:
    """Put a door in front of a server for as long as the context lasts."""
    address = urlsplit(server.endpoint_url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            # The throw-away keys that a server is found out by are let through.
            if "x-amz-copy-source" in self.headers and ".frogmove-probe" not in self.path:
                door.arrived.put(self.path)
                door.opened.wait(SECONDS_TO_WAIT)
            self.pass_on(body)

        def pass_on(self, body: bytes) -> None:
            connection = HTTPConnection(address, timeout=SECONDS_TO_WAIT)
            try:
                connection.putrequest(
                    self.command, self.path, skip_host=True, skip_accept_encoding=True
                )
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOPS | {"content-length"}:
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            finally:
                connection.close()

        def log_message(self, *args: Any) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

        def handle_error(self, *args: Any) -> None:
            """Say nothing: clients that are killed hang up."""

    with Listener(("127.0.0.1", 0), Handler) as listener:
        door = BlockingProxy(f"http://127.0.0.1:{listener.server_port}")
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield door
        finally:
            door.opened.set()
            listener.shutdown()
            thread.join()
