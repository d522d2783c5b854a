"""An invocation ends before its time is up, whatever S3 does."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event, active_count
from typing import TYPE_CHECKING

import pytest

from frogmove.errors import FrogmoveError
from frogmove.function.app import LambdaApp
from frogmove.function.deadline import Deadline
from tests.aws_events import batch, job, message, notification, task
from tests.buckets import Buckets
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, SILENCE, Fault, FaultProxy, Request
from tests.function.fake_lambda import ENDS, Clock

if TYPE_CHECKING:
    from tests.function.invoke import Invoke
    from tests.servers import Server


def test_deadline_without_a_clock_is_none() -> None:
    with Deadline(object(), 15, lambda: None) as deadline:
        assert not deadline.stop.wait(0.01)


def test_deadline_takes_no_more_work_first_and_awaits_no_answer_then() -> None:
    gave_up = Event()
    started = time.monotonic()
    with Deadline(Clock(300), 15, gave_up.set) as deadline:
        assert deadline.stop.wait(5)
        stopped = time.monotonic() - started
        assert gave_up.wait(5)
        given_up = time.monotonic() - started
    assert 0.15 < stopped < given_up


def test_deadline_of_an_invocation_that_ends_in_time_leaves_nothing_behind() -> None:
    before = active_count()
    given_up: list[bool] = []
    with Deadline(Clock(60_000), 15, lambda: given_up.append(True)) as deadline:
        pass
    assert (active_count(), given_up, deadline.stop.is_set()) == (before, [], False)


@pytest.mark.parametrize("left", [0, -5, 1])
def test_deadline_takes_hardly_any_time_for_none(left: int) -> None:
    gave_up = Event()
    with Deadline(Clock(left), 15, gave_up.set) as deadline:
        assert deadline.stop.wait(5)
        assert gave_up.wait(5)


# A server that does not answer.


@pytest.fixture
def behind(seaweedfs: Server, fault_proxy: FaultProxy) -> Buckets:
    """Two buckets that the function reaches through the proxy."""
    fault_proxy.reset()
    made = Buckets.make(seaweedfs)
    return replace(made, server=replace(seaweedfs, endpoint_url=fault_proxy.endpoint_url))


def silent(fault_proxy: FaultProxy, operation: str, key: str = "") -> None:
    """Let no request of an operation be answered."""

    def decide(request: Request) -> Fault:
        if request.is_probe or request.operation != operation or key not in request.target:
            return PASS
        return SILENCE

    fault_proxy.schedule = decide


@pytest.mark.parametrize("operation", ["HeadObject", "CopyObject"])
def test_request_that_hangs_costs_its_message_alone(
    behind: Buckets, fault_proxy: FaultProxy, invoke: Invoke, operation: str
) -> None:
    behind.put("a", "stuck", "z")
    silent(fault_proxy, operation, "stuck")
    event = batch(*(message(key, notification(behind.source, key)) for key in "az"))
    stuck = message("stuck", notification(behind.source, "stuck"))
    event["Records"].insert(1, stuck)
    started = time.monotonic()
    answer = invoke(behind, event, Clock(3000))
    assert time.monotonic() - started < SECONDS_TO_WAIT
    assert answer == {"batchItemFailures": [{"itemIdentifier": "stuck"}]}
    assert "stuck" in behind.here()
    assert {"a", "z"} <= set(behind.there())
    fault_proxy.schedule = lambda _: PASS
    assert invoke(behind, event) == {"batchItemFailures": []}
    assert (behind.here(), len(behind.there())) == ({}, 3)


@pytest.mark.usefixtures("whole_batches")
def test_batch_of_deletes_that_hangs_comes_again(
    behind: Buckets, fault_proxy: FaultProxy, invoke: Invoke
) -> None:
    behind.put("a", "b")
    silent(fault_proxy, "DeleteObjects")
    event = batch(*(message(key, notification(behind.source, key)) for key in "ab"))
    assert len(invoke(behind, event, Clock(2400))["batchItemFailures"]) == 2
    assert behind.here() == behind.there() == {"a": b"a", "b": b"b"}
    fault_proxy.schedule = lambda _: PASS
    assert invoke(behind, event) == {"batchItemFailures": []}
    assert (behind.here(), behind.there()) == ({}, {"a": b"a", "b": b"b"})


@pytest.mark.matrix
def test_server_that_never_answers_is_reported_in_time(
    behind: Buckets, fault_proxy: FaultProxy, invoke: Invoke
) -> None:
    behind.put("a")
    fault_proxy.schedule = lambda _: SILENCE
    started = time.monotonic()
    answer = invoke(behind, job(task(behind.source, "a")), Clock(600))
    assert [result["resultCode"] for result in answer["results"]] == ["TemporaryFailure"]
    queued = batch(message("1", notification(behind.source, "a")))
    assert invoke(behind, queued, Clock(600)) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    for event in (
        notification(behind.source, "a"),
        {"action": "move", "keys": ["a"]},
        {"action": "sweep", "age": 0},
        {"action": "sync"},
    ):
        with pytest.raises(FrogmoveError, match=r"OutOfTime|no time"):
            invoke(behind, event, Clock(600))
    # A read times out after two minutes.
    assert time.monotonic() - started < 20
    fault_proxy.schedule = lambda _: PASS
    assert list(behind.here()) == ["a"]


def test_sweep_that_hangs_has_done_the_rest(
    behind: Buckets, fault_proxy: FaultProxy, invoke: Invoke
) -> None:
    """Of awscrt too, nothing is left that keeps the process."""
    keys = [f"k{number}" for number in range(20)]
    behind.put("stuck", *keys)
    silent(fault_proxy, "CopyObject", "stuck")
    answer = invoke(behind, {"action": "sweep", "age": 0}, Clock(8000))
    assert answer["finished"] is False
    assert (answer["counts"]["moved"], answer["counts"]["failed"]) == (20, 1)
    assert (list(behind.here()), sorted(behind.there())) == (["stuck"], sorted(keys))


def test_process_that_gave_up_serves_the_next_invocation(
    behind: Buckets, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind.put("a")
    for name, value in behind.server.environment().items():
        monkeypatch.setenv(name, value)
    ends = {name: f"{uri}" for name, uri in ENDS.items()} | {
        "FROGMOVE_SOURCE": f"s3://{behind.source}",
        "FROGMOVE_DESTINATION": f"s3://{behind.destination}",
        "FROGMOVE_CONCURRENCY": "1",
    }
    process = LambdaApp(behind.server.environment() | ends)
    event = batch(message("1", notification(behind.source, "a")))
    silent(fault_proxy, "CopyObject")
    assert process.handle(event, Clock(1200))["batchItemFailures"]
    fault_proxy.schedule = lambda _: PASS
    assert process.handle(event, Clock(30_000)) == {"batchItemFailures": []}
    assert list(behind.there()) == ["a"]
