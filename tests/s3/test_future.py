"""A light future keeps what a future keeps, and calls back once, whichever side comes first."""

from __future__ import annotations

import logging
from concurrent.futures import CancelledError, InvalidStateError, ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event, Thread

import pytest

from frogmove.s3.future import Future, LightFuture, pass_on


def test_future_that_is_resolved_has_a_result() -> None:
    future: LightFuture[int] = LightFuture()
    assert not future.done()
    future.set_result(7)
    assert future.done()
    assert future.result() == 7
    assert future.exception() is None


def test_future_that_failed_has_an_error() -> None:
    future: LightFuture[int] = LightFuture()
    future.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        future.result()


def test_future_can_be_shown_at_any_time() -> None:
    futures: list[LightFuture[int]] = [LightFuture(), LightFuture(), LightFuture()]
    futures[1].set_result(1)
    futures[2].set_exception(ValueError())
    assert list(map(repr, futures)) == [
        "<LightFuture pending>",
        "<LightFuture done>",
        "<LightFuture failed>",
    ]


def test_future_is_resolved_once() -> None:
    future: LightFuture[int] = LightFuture()
    future.set_result(1)
    with pytest.raises(InvalidStateError):
        future.set_result(2)
    assert future.result() == 1


def test_future_wakes_a_thread_that_waits() -> None:
    future: LightFuture[str] = LightFuture()
    resolver = Thread(target=future.set_result, args=("done",))
    resolver.start()
    assert future.result(timeout=10) == "done"
    resolver.join()


def test_future_waits_no_longer_than_its_timeout() -> None:
    with pytest.raises(TimeoutError):
        LightFuture[int]().result(timeout=0.001)


def test_callback_that_fails_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    future: LightFuture[int] = LightFuture()
    called: list[Future[int]] = []
    future.add_done_callback(lambda _: 1 // 0)
    future.add_done_callback(called.append)
    with caplog.at_level(logging.CRITICAL + 1, "frogmove.s3.future"):
        future.set_result(1)
    future.add_done_callback(called.append)
    assert called == [future, future]


def test_callbacks_are_called_once_with_two_threads() -> None:
    for _ in range(300):
        future: LightFuture[int] = LightFuture()
        called: list[Future[int]] = []
        both = Barrier(2)

        def keep(future: LightFuture[int] = future, both: Barrier = both) -> None:
            both.wait()
            future.set_result(1)

        resolver = Thread(target=keep)
        resolver.start()
        both.wait()
        for _ in range(20):
            future.add_done_callback(called.append)
        resolver.join()
        assert len(called) == 20


def test_pass_on_gives_what_became_of_either_kind() -> None:
    sources: list[LightFuture[int]] = [LightFuture(), LightFuture()]
    given = [LightFuture[int](), LightFuture[int]()]
    for source, future in zip(sources, given, strict=True):
        source.add_done_callback(partial(pass_on, future))
    sources[0].set_result(1)
    sources[1].set_exception(ValueError("no"))
    with ThreadPoolExecutor(1) as pool:
        given.append(LightFuture())
        pool.submit(int, "2").add_done_callback(partial(pass_on, given[2]))
    assert [future.exception() is None for future in given] == [True, False, True]
    assert (given[0].result(), given[2].result()) == (1, 2)


def test_pass_on_wakes_who_waits_for_what_an_executor_cancelled() -> None:
    begun, free = Event(), Event()
    future: LightFuture[bool] = LightFuture()
    pool = ThreadPoolExecutor(1)
    pool.submit(begun.set)
    pool.submit(free.wait, 10)
    begun.wait(10)
    pool.submit(bool).add_done_callback(partial(pass_on, future))
    pool.shutdown(wait=False, cancel_futures=True)
    assert isinstance(future.exception(timeout=0), CancelledError)
    free.set()
    pool.shutdown()
