import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from frogmove.core import scheduler
from frogmove.core.scheduler import (
    MAX_GROUP,
    SLOW_START,
    BatchedFuture,
    Finished,
    Scheduler,
    Task,
    group_commit,
    run_one,
    wait_for,
)


def window(size: int = 3, parked: int = 100, stop: Event | None = None) -> Scheduler:
    return Scheduler(size, parked, lambda: None, stop or Event())


def done(value: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(value)
    return future


async def add_one(future: Future[int]) -> int:
    return await wait_for(future) + 1


def test_run_one_returns_the_result_of_a_task() -> None:
    assert run_one(add_one(done(1))) == 2


def test_scheduler_yields_finished_results_at_their_place() -> None:
    tasks: Iterator[Task[int] | Finished[int]] = iter([Finished(1), add_one(done(1)), Finished(3)])
    assert list(window().run(tasks)) == [1, 2, 3]


def test_wait_for_raises_a_failed_answer() -> None:
    async def careful() -> str:
        future: Future[int] = Future()
        future.set_exception(KeyError("lost"))
        try:
            await wait_for(future)
        except KeyError:
            return "handled"
        return "unseen"

    assert run_one(careful()) == "handled"


def test_scheduler_ends_every_task_whatever_the_order_of_the_answers() -> None:
    with ThreadPoolExecutor(4) as pool:
        tasks = (add_one(pool.submit(int, number)) for number in range(200))
        assert sorted(window().run(iter(tasks))) == list(range(1, 201))


def test_scheduler_takes_no_more_tasks_than_it_has_room_for() -> None:
    futures = [Future[int]() for _ in range(10)]
    taken: list[int] = []

    def tasks() -> Iterator[Task[int]]:
        for number, future in enumerate(futures):
            taken.append(number)
            if number == 2:
                futures[1].set_result(1)
            yield add_one(future)

    results = window(size=3).run(tasks())
    assert next(results) == 2
    assert taken == [0, 1, 2]
    for number in (0, *range(2, 10)):
        futures[number].set_result(number)
    assert len(list(results)) == 9


def test_scheduler_gives_the_slot_of_a_task_that_waits_for_a_batch_to_another() -> None:
    waiting: list[BatchedFuture[int]] = []

    async def join() -> int:
        waiting.append(BatchedFuture())
        return await wait_for(waiting[-1])

    def flush() -> None:
        for place, future in enumerate(waiting):
            if not future.done():
                future.set_result(place)

    results = Scheduler(2, 100, flush, Event()).run(join() for _ in range(10))
    assert sorted(results) == list(range(10))


def test_scheduler_limits_the_tasks_that_wait_for_a_batch() -> None:
    waiting: list[BatchedFuture[None]] = []
    most = 0

    async def join() -> None:
        nonlocal most
        future: BatchedFuture[None] = BatchedFuture()
        waiting.append(future)
        most = max(most, len(waiting))
        await wait_for(future)

    def flush() -> None:
        while waiting:
            waiting.pop().set_result(None)

    assert len(list(Scheduler(2, 5, flush, Event()).run(join() for _ in range(20)))) == 20
    assert most == 5


def test_scheduler_that_is_stopped_takes_no_task_and_finishes_those_in_flight() -> None:
    stop = Event()
    futures = [Future[int]() for _ in range(10)]
    results = window(size=2, stop=stop).run(add_one(future) for future in futures)
    futures[0].set_result(0)
    assert next(results) == 1
    stop.set()
    for future in futures[1:]:
        future.set_result(0)
    assert len(list(results)) <= 2


def test_scheduler_finishes_tasks_in_flight_before_it_raises_an_error_of_the_iterator() -> None:
    future: Future[int] = Future()

    def tasks() -> Iterator[Task[int]]:
        yield add_one(future)
        future.set_result(1)
        raise OSError("the listing broke")

    results = window().run(tasks())
    assert next(results) == 2
    with pytest.raises(OSError, match="the listing broke"):
        next(results)


class Log:
    """A file that tasks write to; only what is written through is on record."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.written: list[list[int]] = []

    def write(self) -> None:
        self.written.append(self.waiting)
        self.waiting = []

    async def record(self, number: int) -> int:
        self.waiting.append(number)
        await group_commit(self.write)
        assert any(number in each for each in self.written)
        return number


def test_group_commit_of_tasks_in_one_turn_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "SLOW_START", math.inf)
    log = Log()
    assert sorted(window(size=8).run(map(log.record, range(20)))) == list(range(20))
    assert log.written == [[*range(8)], [*range(8, 16)], [*range(16, 20)]]


def test_group_commit_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "SLOW_START", math.inf)
    log = Log()
    assert len(list(window(size=256).run(map(log.record, range(100))))) == 100
    assert max(map(len, log.written)) == MAX_GROUP


def test_group_commit_does_not_wait_for_tasks_that_are_slow_to_come() -> None:
    log = Log()

    def tasks() -> Iterator[Task[int]]:
        for number in range(3):
            assert log.waiting == []
            time.sleep(2 * SLOW_START)
            yield log.record(number)

    assert list(window().run(tasks())) == [0, 1, 2]


def test_group_commit_that_fails_ends_the_tasks() -> None:
    def write() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        run_one(group_commit(write))


def test_scheduler_raises_what_a_task_raises() -> None:
    async def broken() -> int:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        list(window().run(iter([broken()])))
