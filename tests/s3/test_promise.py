"""Promises keep what a future keeps, and call back once, whichever side comes first."""

from __future__ import annotations

import logging
from concurrent.futures import Future, InvalidStateError
from threading import Barrier, Thread

import pytest

from frogmove.s3.promise import Promise


def test_a_kept_promise_has_a_result() -> None:
    promise: Promise[int] = Promise()
    assert not promise.done()
    assert promise.running()
    promise.set_result(7)
    assert promise.done()
    assert promise.result() == 7
    assert promise.exception() is None


def test_a_broken_one_has_an_error() -> None:
    promise: Promise[int] = Promise()
    promise.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        promise.result()


def test_it_can_be_shown_at_any_time() -> None:
    promises: list[Promise[int]] = [Promise(), Promise(), Promise()]
    promises[1].set_result(1)
    promises[2].set_exception(ValueError())
    assert list(map(repr, promises)) == ["<Promise open>", "<Promise kept>", "<Promise broken>"]


def test_it_is_kept_once_and_not_cancelled() -> None:
    promise: Promise[int] = Promise()
    assert not promise.cancel()
    promise.set_result(1)
    with pytest.raises(InvalidStateError):
        promise.set_result(2)
    assert promise.result() == 1
    assert not promise.cancelled()


def test_whoever_waits_is_woken() -> None:
    promise: Promise[str] = Promise()
    keeper = Thread(target=promise.set_result, args=("kept",))
    keeper.start()
    assert promise.result(timeout=10) == "kept"
    keeper.join()


def test_waiting_ends_in_time() -> None:
    with pytest.raises(TimeoutError):
        Promise[int]().result(timeout=0.001)


def test_a_callback_that_fails_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    promise: Promise[int] = Promise()
    called: list[Future[int]] = []
    promise.add_done_callback(lambda _: 1 // 0)
    promise.add_done_callback(called.append)
    with caplog.at_level(logging.CRITICAL + 1, "frogmove.s3.promise"):
        promise.set_result(1)
    promise.add_done_callback(called.append)
    assert called == [promise, promise]


def test_two_threads_call_each_callback_once() -> None:
    for _ in range(300):
        promise: Promise[int] = Promise()
        called: list[Future[int]] = []
        both = Barrier(2)

        def keep(promise: Promise[int] = promise, both: Barrier = both) -> None:
            both.wait()
            promise.set_result(1)

        keeper = Thread(target=keep)
        keeper.start()
        both.wait()
        for _ in range(20):
            promise.add_done_callback(called.append)
        keeper.join()
        assert len(called) == 20
