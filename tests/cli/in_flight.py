"""Commands with copies in flight, or with a request that is never answered, for signals."""

from __future__ import annotations

import socket
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from tests.blocking_proxy import BlockingProxy, blocking_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.cli_runner import FrogmoveRunner


KEYS = [f"{number:03}" for number in range(50)]
HELD = 8


@contextmanager
def in_flight(
    runner: FrogmoveRunner, *arguments: str, **more: Any
) -> Iterator[tuple[BlockingProxy, subprocess.Popen[bytes]]]:
    """Run a command up to the point where copies are in flight."""
    with blocking_proxy(runner.buckets.server) as door:
        process = runner.process(
            *arguments,
            env={"FROGMOVE_ENDPOINT_URL": door.endpoint_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )
        with process:
            try:
                door.wait_for_copies(HELD)
                yield door, process
            finally:
                process.kill()


def lines(stream: IO[bytes] | None) -> Iterator[str]:
    assert stream is not None
    yield from (line.decode() for line in stream)


@contextmanager
def waiting_for_an_answer(
    runner: FrogmoveRunner, *arguments: str, **more: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command up to its first request, which is never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = runner.process(
            *arguments,
            env={"FROGMOVE_ENDPOINT_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )
        with process:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1)
                    yield process
            finally:
                process.kill()
