"""Reports that a command is waiting for a server that does not respond."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.client import Client
    from frogmove.ops.clients import Services

# Seconds without a response before a message, and between two checks.
NOTICE_SECONDS = 5.0
CHECK_SECONDS = 0.5


class WaitingNotice:
    """Prints one message for each period without a response.

    Args:
        console: the output.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._client: Client | None = None
        self._services: Services | None = None
        self._needs_credentials = True
        self._ended = Event()
        self._thread = Thread(target=self._check, name="waiting", daemon=True)

    def __enter__(self) -> WaitingNotice:
        # Without a thread there is no message.
        with suppress(RuntimeError):
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def watch(self, client: Client) -> None:
        """Watch this client from now on; before, the command waits for credentials."""
        self._client = client
        self._needs_credentials = False

    def watch_services(self, services: Services) -> None:
        """Watch the clients of further services from now on."""
        self._services = services
        self._needs_credentials = False

    def _check(self) -> None:
        before = 0.0
        waited = 0.0
        while not self._ended.wait(CHECK_SECONDS):
            waited += CHECK_SECONDS
            name, now = self._longest(waited)
            if before < NOTICE_SECONDS <= now:
                self._console.warn(f"Waiting for {name} for {now:.0f} s.")
            before = now

    def _longest(self, waited: float) -> tuple[str, float]:
        """Return what the command waits for, and for how many seconds."""
        if self._needs_credentials:
            return "credentials", waited
        found = [("", 0.0)]
        if self._client is not None:
            found.append((self._client.endpoint_url, self._client.s3.stalled_seconds()))
        if self._services is not None:
            found.append(self._services.pending.longest())
        return max(found, key=lambda each: each[1])
