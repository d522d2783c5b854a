"""The limits of a run are those of all its processes together."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from frogmove import Limits, Outcome
from frogmove.core.run_spec import Command
from tests.fault_proxy import PASS, SLOW_DOWN, Fault, FaultProxy, Request
from tests.processes.conftest import KEYS, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove import Run
    from tests.buckets import Buckets


def test_retries_of_all_processes_are_within_one_quota(
    start: Callable[..., Run], buckets: Buckets, through: FaultProxy
) -> None:
    buckets.put(*KEYS)
    quota = 90

    def throttle(request: Request) -> Fault:
        # The first copies are made before all processes have something to do.
        is_copy = request.operation == "CopyObject" and not request.is_probe
        return SLOW_DOWN if is_copy and len(through.of("CopyObject")) > len(KEYS) // 2 else PASS

    through.reset(throttle)
    limits = Limits(6, first_delay=0, max_delay=0, retry_quota=quota)
    results = list(start(Command.COPY, through, limits=limits))
    failed = sum(result.outcome is Outcome.FAILED for result in results)
    assert failed > len(KEYS) // 3
    assert len(results) == len(KEYS)
    first = next(request.number for request in through.requests if request.fault is SLOW_DOWN)
    successes = sum(request.fault is PASS for request in through.requests[first:])
    retries = len(through.of("CopyObject")) - len(KEYS)
    # Each success gives a fifth of a retry back.
    assert 0 < retries <= quota + successes / 5


def test_copies_of_all_processes_are_no_more_than_the_concurrency(
    start: Callable[..., Run], buckets: Buckets, through: FaultProxy
) -> None:
    buckets.put(*KEYS)
    lock = Lock()
    in_flight: set[int] = set()
    largest = 0

    def begin(request: Request) -> Fault:
        nonlocal largest
        if request.operation == "CopyObject" and not request.is_probe:
            with lock:
                in_flight.add(request.number)
                largest = max(largest, len(in_flight))
        return PASS

    def end(request: Request) -> None:
        with lock:
            in_flight.discard(request.number)

    through.reset(begin)
    through.passed = end
    results = list(start(Command.COPY, through, limits=Limits(1)))
    assert outcomes(results) == dict.fromkeys(KEYS, Outcome.COPIED)
    assert largest == 1
