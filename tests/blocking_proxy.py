"""A fault proxy that holds copies back until the test opens it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Semaphore
from time import monotonic
from typing import TYPE_CHECKING

from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server


@dataclass
class BlockingProxy:
    """The proxy.

    Attributes:
        endpoint_url: where to call it instead of the server.
        arrived: the path of each copy that waits or has passed.
        opened: set once copies may pass.
    """

    endpoint_url: str = ""
    arrived: SimpleQueue[str] = field(default_factory=SimpleQueue)
    opened: Event = field(default_factory=Event)
    _passes: Semaphore = field(default_factory=lambda: Semaphore(0))

    def let_pass(self, count: int = 1) -> None:
        """Let so many of the copies that wait pass."""
        self._passes.release(count)

    def wait_for_copies(self, count: int) -> None:
        """Return once so many copies have arrived."""
        for _ in range(count):
            self.arrived.get(timeout=SECONDS_TO_WAIT)

    def hold(self, request: Request) -> Fault:
        """Let a request pass, a copy once the proxy is open."""
        if "x-amz-copy-source" in request.headers and not request.is_probe:
            self.arrived.put(request.target)
            late = monotonic() + SECONDS_TO_WAIT
            while not self.opened.wait(0.01) and monotonic() < late:
                if self._passes.acquire(blocking=False):
                    break
        return PASS


@contextmanager
def blocking_proxy(server: Server) -> Iterator[BlockingProxy]:
    """Put such a proxy in front of a server for as long as the context lasts."""
    blocking = BlockingProxy()
    with proxied(server, blocking.hold) as proxy:
        blocking.endpoint_url = proxy.endpoint_url
        try:
            yield blocking
        finally:
            blocking.opened.set()
