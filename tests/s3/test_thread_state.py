"""The state that Python has of awscrt's thread."""

from __future__ import annotations

import ctypes
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from frogmove.s3.models import Copy
from frogmove.s3.thread_state import keep_while_open
from tests.canned_server import XML, canned_server
from tests.factories import an_object, md5
from tests.s3.test_crt import speaking_to

if TYPE_CHECKING:
    from frogmove.s3.crt import CrtS3

COPIED = f'{XML}<CopyObjectResult><ETag>"{md5(b"x")}"</ETag></CopyObjectResult>'


def _states_of_callbacks(s3: CrtS3, number: int) -> list[int]:
    """Return how many responses the state of the thread has seen, after each response."""
    of_thread = threading.local()
    seen: list[int] = []
    for _ in range(number):
        ended = threading.Event()

        def count(_: object, ended: threading.Event = ended) -> None:
            of_thread.number = getattr(of_thread, "number", 0) + 1
            seen.append(of_thread.number)
            ended.set()

        copied = s3.copy(Copy("external", an_object("a"), "internal", "a"))
        copied.add_done_callback(count)
        assert ended.wait(10)
    return seen


@pytest.mark.usefixtures("credentials")
def test_state_is_kept_from_one_response_to_the_next() -> None:
    with canned_server((200, COPIED)) as script, speaking_to(script.endpoint_url) as s3:
        assert _states_of_callbacks(s3, 4) == [1, 2, 3, 4]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("missing", ["module", "interface"])
def test_state_is_not_needed_where_it_cannot_be_kept(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "module":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    else:
        monkeypatch.setattr(ctypes, "pythonapi", object())
    with canned_server((200, COPIED)) as script, speaking_to(script.endpoint_url) as s3:
        assert _states_of_callbacks(s3, 3) == [1, 1, 1]


@pytest.mark.usefixtures("credentials")
def test_state_is_deleted_with_the_last_connection() -> None:
    deleted, kept = threading.Event(), threading.Event()
    of_thread = threading.local()

    class Kept:
        def __del__(self) -> None:
            deleted.set()

    def keep(_: object) -> None:
        of_thread.kept = Kept()
        kept.set()

    with canned_server((200, COPIED)) as script, speaking_to(script.endpoint_url) as s3:
        s3.copy(Copy("external", an_object("a"), "internal", "a")).add_done_callback(keep)
        assert kept.wait(10)
        assert not deleted.is_set()
    assert deleted.wait(10)


def _opened() -> Future[Any]:
    """Return a future with a connection."""
    connecting: Future[Any] = Future()
    connecting.set_result(Mock(shutdown_future=Future()))
    return connecting


def test_state_of_a_thread_of_python_is_deleted_as_before() -> None:
    deleted = threading.Event()

    class Kept:
        def __del__(self) -> None:
            deleted.set()

    of_thread = threading.local()
    connecting = _opened()

    def work() -> None:
        keep_while_open(connecting)
        of_thread.kept = Kept()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert deleted.wait(10)
    # The thread that reports the end is another one, whose state is not to be touched.
    connecting.result().shutdown_future.set_result(None)


def test_state_is_not_kept_for_a_connection_that_failed() -> None:
    connecting: Future[Any] = Future()
    connecting.set_exception(OSError())
    keep_while_open(connecting)
