"""Headers that no S3 should give: both engines read the same object, or refuse it alike."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.client import Client
from frogmove.config import Config
from frogmove.engine import Engine
from frogmove.s3.errors import MALFORMED, S3Error
from frogmove.s3.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {
    "Content-Length": b"1",
    "ETag": b'"abc"',
    "Last-Modified": b"Fri, 02 Jan 2026 03:04:05 GMT",
}
TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

# What differs, and what is read of it: ETag, time and metadata, or the code of the refusal.
HEADS: dict[str, tuple[dict[str, bytes | None], Any]] = {
    "plain": ({}, ("abc", TIME, {})),
    "weak": ({"ETag": b'W/"abc"'}, ('W/"abc"', TIME, {})),
    "unquoted": ({"ETag": b"abc"}, ("abc", TIME, {})),
    "space-around": ({"ETag": b'  "abc" '}, ("abc", TIME, {})),
    "iso-8601": ({"Last-Modified": b"2026-01-02T03:04:05Z"}, ("abc", TIME, {})),
    "no-zone": ({"Last-Modified": b"2026-01-02T03:04:05"}, ("abc", TIME, {})),
    "rfc-850": ({"Last-Modified": b"Friday, 02-Jan-26 03:04:05 GMT"}, ("abc", TIME, {})),
    "asctime": ({"Last-Modified": b"Fri Jan  2 03:04:05 2026"}, ("abc", TIME, {})),
    "latin-1": ({"x-amz-meta-a": b"caf\xe9"}, ("abc", TIME, {"a": "café"})),
    "no-etag": ({"ETag": None}, MALFORMED),
    "empty-etag": ({"ETag": b'""'}, MALFORMED),
    "no-time": ({"Last-Modified": None}, MALFORMED),
    "yesterday": ({"Last-Modified": b"yesterday"}, MALFORMED),
    "no-size": ({"Content-Length": None}, MALFORMED),
    "size-in-words": ({"Content-Length": b"one"}, MALFORMED),
    "less-than-nothing": ({"Content-Length": b"-1"}, MALFORMED),
}


@contextmanager
def answering(changes: dict[str, bytes | None]) -> Iterator[str]:
    """Answer every request with these headers, byte by byte as they are."""
    lines = [
        name.encode() + b": " + value
        for name, value in {**HEADERS, **changes}.items()
        if value is not None
    ]
    answer = b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                connection.sendall(answer)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("engine", ["boto3", "crt"])
@pytest.mark.parametrize("name", HEADS)
def test_head_is_read_alike_or_refused(
    engine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    changes, expected = HEADS[name]
    with answering(changes) as endpoint_url:
        client = Client(Config(endpoint_url=endpoint_url), Limits(attempts=1), Engine(engine))
        try:
            head = client.s3.head("bucket", "key").result()
            seen = head.object
            found: Any = (seen.etag, seen.last_modified, head.metadata)
            assert seen.last_modified.tzinfo is not None
        except S3Error as error:
            found = error.code
        finally:
            client.close()
    assert found == expected
