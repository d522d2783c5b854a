from collections.abc import Callable
from typing import TypeVar

import pytest

from frogmove.s3.clock import Clock
from frogmove.s3.errors import NOT_STARTED, Kind, S3Error
from frogmove.s3.future import Future, LightFuture
from frogmove.s3.limits import Limits
from frogmove.s3.models import Copy, Deletion, Head
from frogmove.s3.retry import RetryingS3
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

T = TypeVar("T")


class ManualClock(Clock):
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append((self.time + seconds, call))

    def advance(self, seconds: float) -> None:
        self.time += seconds
        due = [entry for entry in self.waiting if entry[0] <= self.time]
        self.waiting = [entry for entry in self.waiting if entry[0] > self.time]
        for _, call in sorted(due, key=lambda entry: entry[0]):
            call()


class Faults:
    """A gate that answers the next requests with these errors, and then lets all through."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.requests = 0

    def __call__(self, operation: str, request: Callable[[], T]) -> T:
        self.requests += 1
        if self.codes:
            raise S3Error(operation, self.codes.pop(0), 500, "as the test says")
        return request()


@pytest.fixture
def state() -> FakeS3State:
    state = FakeS3State({"a": {}, "b": {}})
    for number in range(5):
        state.put("a", f"k{number}", b"bytes")
    return state


def patient(state: FakeS3State, interceptor: Faults, clock: Clock, **limits: float) -> RetryingS3:
    bounds = Limits(**limits)  # type: ignore[arg-type]
    return RetryingS3(FakeS3(state, interceptor), bounds, clock, lambda low, high: high)


def copy(state: FakeS3State, key: str) -> Copy:
    source = FakeS3(state).head("a", key).result().object
    return Copy("a", source, "b", key)


def test_retry_sends_again_after_a_wait_what_may_pass(state: FakeS3State) -> None:
    clock = ManualClock()
    s3 = patient(state, Faults("InternalError", "SlowDown"), clock)
    answer = s3.copy(copy(state, "k0"))
    assert not answer.done()
    clock.advance(60)
    assert not answer.done()
    clock.advance(60)
    assert answer.result().etag == state.buckets["b"]["k0"].etag


def test_retry_answers_at_once_what_does_not_pass(state: FakeS3State) -> None:
    interceptor = Faults("AccessDenied")
    answer = patient(state, interceptor, ManualClock()).head("a", "k0")
    assert isinstance(answer.exception(), S3Error)
    assert interceptor.requests == 1


def test_delete_of_whatever_is_there_is_not_sent_again(state: FakeS3State) -> None:
    clock = ManualClock()
    answer = patient(state, Faults("InternalError"), clock).delete("a", Deletion("k0", None))
    clock.advance(60)
    assert isinstance(answer.exception(), S3Error)
    assert "k0" in state.buckets["a"]


def test_delete_of_what_a_look_has_to_find_is_looked_at_again(state: FakeS3State) -> None:
    clock = ManualClock()
    seen = state.buckets["a"]["k0"].etag
    s3 = patient(state, Faults("InternalError"), clock)
    answer = s3.delete("a", Deletion("k0", None, seen=seen))
    state.put("a", "k0", b"newer")
    clock.advance(60)
    error = answer.exception()
    assert isinstance(error, S3Error)
    assert error.kind is Kind.CHANGED
    assert state.bodies("a")["k0"] == b"newer"


def test_attempts_come_to_an_end(state: FakeS3State) -> None:
    clock = ManualClock()
    interceptor = Faults(*["InternalError"] * 10)
    s3 = patient(state, interceptor, clock, attempts=3)
    answer = s3.head("a", "k0")
    while clock.waiting:
        clock.advance(60)
    assert isinstance(answer.exception(), S3Error)
    assert interceptor.requests == 3


def test_requests_in_flight_are_no_more_than_allowed(state: FakeS3State) -> None:
    held: list[LightFuture[None]] = []

    class Holding(FakeS3):
        def delete(self, bucket: str, deletion: object) -> Future[None]:
            held.append(LightFuture())
            return held[-1]

    s3 = RetryingS3(Holding(state), Limits(concurrency=2), ManualClock())
    answers = [s3.delete("a", Deletion("k0", None)) for _ in range(5)]
    assert len(held) == 2
    held[0].set_result(None)
    assert len(held) == 3
    for future in held[1:3]:
        future.set_result(None)
    assert len(held) == 5
    for future in held[3:]:
        future.set_result(None)
    assert all(answer.done() for answer in answers)


def test_copies_keep_to_the_rate(state: FakeS3State) -> None:
    clock = ManualClock()
    s3 = patient(state, Faults(), clock, rate=2.0)
    answers = [s3.copy(copy(state, f"k{number}")) for number in range(5)]
    counts = []
    for _ in range(5):
        counts.append(sum(answer.done() for answer in answers))
        clock.advance(0.5)
    assert counts == [1, 2, 3, 4, 5]


def test_new_rate_is_that_of_copies_that_wait_already(state: FakeS3State) -> None:
    clock = ManualClock()
    s3 = patient(state, Faults(), clock, rate=4.0)
    answers = [s3.copy(copy(state, f"k{number}")) for number in range(5)]
    s3.set_limits(8, 1.0)
    counts = []
    for _ in range(6):
        counts.append(sum(answer.done() for answer in answers))
        clock.advance(0.5)
    # The one whose turn had come keeps it.
    assert counts == [1, 2, 2, 3, 3, 4]


def test_rate_is_kept_after_a_pause_of_the_process(state: FakeS3State) -> None:
    clock = ManualClock()
    s3 = patient(state, Faults(), clock, rate=2.0)
    answers = [s3.copy(copy(state, f"k{number}")) for number in range(5)]
    clock.advance(60)
    assert sum(answer.done() for answer in answers) == 2


def test_rate_does_not_hold_up_other_requests(state: FakeS3State) -> None:
    s3 = patient(state, Faults(), ManualClock(), rate=0.01)
    assert all(s3.head("a", f"k{number}").done() for number in range(5))


def test_copies_that_wait_for_the_rate_can_be_cancelled(state: FakeS3State) -> None:
    clock = ManualClock()
    faults = Faults("SlowDown")
    s3 = patient(state, faults, clock, rate=2.0)
    answers = [s3.copy(copy(state, f"k{number}")) for number in range(3)]
    s3.cancel_rate_limited()
    s3.cancel_rate_limited()
    later = s3.copy(copy(state, "k3"))
    dropped = [answer.exception(0) for answer in (*answers[1:], later)]
    assert [getattr(error, "code", "") for error in dropped] == [NOT_STARTED] * 3
    # What has been begun comes to its end.
    clock.advance(60)
    assert answers[0].result(0).etag == state.buckets["b"]["k0"].etag
    assert state.bodies("b") == {"k0": b"bytes"}
    assert faults.requests == 2
    assert s3.head("a", "k0").done()


# No time left.


class Unanswering(FakeS3):
    """Never answers a HEAD, until the test does."""

    def __init__(self, state: FakeS3State) -> None:
        super().__init__(state)
        self.asked: list[LightFuture[Head]] = []

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        self.asked.append(LightFuture())
        return self.asked[-1]


def test_abort_pending_fails_at_once_what_is_in_flight(state: FakeS3State) -> None:
    silent = Unanswering(state)
    s3 = RetryingS3(silent, Limits(2))
    answers = [s3.head("a", f"k{number}") for number in range(5)]
    assert len(silent.asked) == 2
    s3.abort_pending()
    errors = [answer.exception(timeout=0) for answer in [*answers, s3.head("a", "k0")]]
    for error in [*errors, s3.list_page("a", "").exception(timeout=0)]:
        assert isinstance(error, S3Error)
        assert (error.code, error.retrying_helps) == ("OutOfTime", True)
    assert len(silent.asked) == 2


def test_abort_pending_ignores_an_answer_that_comes_after_all(state: FakeS3State) -> None:
    silent = Unanswering(state)
    s3 = RetryingS3(silent, Limits(2))
    answers = [s3.head("a", "k0"), s3.head("a", "k1")]
    s3.abort_pending()
    silent.asked[0].set_result(FakeS3(state).head("a", "k0").result())
    silent.asked[1].set_exception(S3Error("HeadObject", "SlowDown", 503, "late"))
    assert all(isinstance(answer.exception(timeout=0), S3Error) for answer in answers)


def test_abort_pending_drops_what_waits_to_be_retried(state: FakeS3State) -> None:
    clock, interceptor = ManualClock(), Faults("SlowDown")
    s3 = patient(state, interceptor, clock)
    answer = s3.head("a", "k0")
    assert (answer.done(), interceptor.requests) == (False, 1)
    s3.abort_pending()
    clock.advance(100)
    assert answer.exception(timeout=0) is not None
    assert interceptor.requests == 1
