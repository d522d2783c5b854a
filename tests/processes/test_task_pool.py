"""A function applied by several processes: each result once and in order, whatever happens."""

from __future__ import annotations

import os
import sys
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from frogmove.processes import child, task_pool
from frogmove.processes.task_pool import TaskPool
from tests.processes.conftest import workers_of
from tests.processes.task_functions import Square

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = range(200)
SQUARES = [number * number for number in NUMBERS]


def squares(
    function: Square, numbers: Iterator[int] | range = NUMBERS, processes: int = 3
) -> tuple[list[int], set[int]]:
    """Return the squares in the order of the pool, and the processes that computed them."""
    with TaskPool(function, processes, lambda _: True) as pool:
        found = list(pool.results(numbers))
    assert workers_of(os.getpid()) == []
    return [square for square, _ in found], {process for _, process in found}


@pytest.mark.usefixtures("ready_workers")
def test_results_are_in_order_and_from_all_processes() -> None:
    found, processes = squares(Square(os.getpid()))
    assert (found, len(processes)) == (SQUARES, 3)


@pytest.mark.usefixtures("ready_workers")
@pytest.mark.parametrize("fault", ["killed", "unreadable"])
def test_items_of_a_worker_that_is_lost_are_repeated(fault: str) -> None:
    function = Square(os.getpid(), **{fault: task_pool.MIN_ITEMS - 1})
    found, processes = squares(function, processes=2)
    assert (found, processes) == (SQUARES, {os.getpid()})


@pytest.mark.usefixtures("ready_workers")
def test_worker_that_is_stopped_does_not_stop_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MAX_MISSED", 1)
    # Two of them fill a pipe, so the pool waits to send the third.
    large = [number << 1_000_000 for number in range(1, 21)]
    found, _ = squares(Square(os.getpid(), frozen=large[15]), iter(large), processes=2)
    assert found == [number * number for number in large]


@pytest.mark.usefixtures("ready_workers")
@pytest.mark.parametrize("number", [0, task_pool.MIN_ITEMS, NUMBERS[-1]])
def test_error_comes_after_all_earlier_results(number: int) -> None:
    with TaskPool(Square(os.getpid(), refused=number), 2, lambda _: True) as pool:
        results = pool.results(NUMBERS)
        found = [square for square, _ in islice(results, number)]
        with pytest.raises(ValueError, match=f"^{number}$"):
            next(results)
    assert found == SQUARES[:number]
    assert workers_of(os.getpid()) == []


@pytest.mark.usefixtures("ready_workers")
def test_items_that_end_in_an_error_are_all_done_before() -> None:
    def numbers() -> Iterator[int]:
        yield from NUMBERS
        raise ValueError("no more")

    with TaskPool(Square(os.getpid()), 2, lambda _: True) as pool:
        results = pool.results(numbers())
        assert [square for square, _ in islice(results, len(SQUARES))] == SQUARES
        with pytest.raises(ValueError, match="no more"):
            next(results)


@pytest.mark.usefixtures("ready_workers")
def test_pool_that_is_left_early_reads_no_more_than_it_may_hold() -> None:
    numbers = count()
    with TaskPool(Square(os.getpid()), 2, lambda _: True) as pool:
        assert len(list(islice(pool.results(numbers), 100))) == 100
    assert next(numbers) <= 100 + 2 * 6 + 1
    assert workers_of(os.getpid()) == []


def test_little_work_and_work_that_is_not_sent_start_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task_pool, "_Worker", None)
    assert squares(Square(os.getpid()), range(task_pool.MIN_ITEMS - 1))[0] == SQUARES[:15]
    with TaskPool(Square(os.getpid()), 2, lambda _: False) as pool:
        assert [square for square, _ in pool.results(NUMBERS)] == SQUARES
    assert squares(Square(os.getpid()), processes=1)[0] == SQUARES


@pytest.mark.parametrize(("name", "value"), [("executable", None), ("frozen", True)])
def test_process_alone_does_all_where_its_program_is_no_interpreter(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started again, the program of another project would do its own work once more."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a process was started")

    monkeypatch.setattr("frogmove.processes.child.subprocess.Popen", refuse)
    monkeypatch.setattr(sys, name, value, raising=False)
    with TaskPool(Square(os.getpid()), 3, lambda _: True) as pool:
        assert [square for square, _ in pool.results(NUMBERS)] == SQUARES


def test_process_alone_does_all_where_no_other_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("frogmove.processes.child.subprocess.Popen", refuse)
    with TaskPool(Square(os.getpid()), 3, lambda _: True) as pool:
        assert [square for square, _ in pool.results(NUMBERS)] == SQUARES
