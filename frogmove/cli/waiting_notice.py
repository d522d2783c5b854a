"""Reports that a command is waiting for a server that does not respond."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.client import Client

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

    def _check(self) -> None:
        before = 0.0
        waited = 0.0
        while not self._ended.wait(CHECK_SECONDS):
            waited += CHECK_SECONDS
            now = waited if self._client is None else self._client.s3.stalled_seconds()
            if before < NOTICE_SECONDS <= now:
                self._console.warn(f"Waiting for {self._name()} for {now:.0f} s.")
            before = now

    def _name(self) -> str:
        return "credentials" if self._client is None else self._client.endpoint_url
