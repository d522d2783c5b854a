import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.s3.errors import S3Error
from frogmove.s3.limits import ConcurrencyLimiter, Limits
from frogmove.s3.retry_policy import RetryPolicy

SLOW_DOWN = S3Error("CopyObject", "SlowDown", 503, "Reduce your request rate")
TIMEOUT = S3Error("CopyObject", "ReadTimeoutError", None, "no answer")
DENIED = S3Error("CopyObject", "AccessDenied", 403, "no")


def longest(low: float, high: float) -> float:
    return high


def retry_policy(limits: Limits) -> RetryPolicy:
    policy = RetryPolicy(limits, longest)
    policy.succeeded()
    return policy


def test_slow_down_halves_what_may_be_in_flight_once_for_all_that_get_it() -> None:
    pressure = ConcurrencyLimiter(16)
    for _ in range(16):
        pressure.begin()
    for _ in range(16):
        pressure.end(SLOW_DOWN)
    assert pressure.limit == 8
    pressure.begin()
    pressure.end(SLOW_DOWN)
    assert pressure.limit == 4


def test_concurrency_limit_rises_with_success_to_what_was_asked_for() -> None:
    pressure = ConcurrencyLimiter(8)
    pressure.begin()
    pressure.end(SLOW_DOWN)
    assert pressure.limit == 4
    for _ in range(100):
        pressure.begin()
        pressure.end(None)
    assert pressure.limit == 8


def test_new_maximum_of_the_concurrency_does_not_forget_that_s3_throttles() -> None:
    pressure = ConcurrencyLimiter(16)
    pressure.begin()
    pressure.end(SLOW_DOWN)
    pressure.set_maximum(8)
    assert pressure.limit == 4
    pressure.set_maximum(16)
    assert pressure.limit == 8


@given(st.lists(st.sampled_from([SLOW_DOWN, TIMEOUT, None])))
def test_concurrency_limit_always_allows_one_request(ends: list[S3Error | None]) -> None:
    pressure = ConcurrencyLimiter(4)
    for end in ends:
        pressure.begin()
        pressure.end(end)
    assert 1 <= pressure.limit <= 4
    assert pressure.has_room()


def test_retry_delay_doubles_up_to_its_longest() -> None:
    policy = retry_policy(Limits(attempts=9, first_delay=0.1, max_delay=1.0))
    delays = [policy.delay(TIMEOUT, attempt) for attempt in range(1, 9)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0])


def test_retry_delay_is_drawn_from_nothing_to_its_longest() -> None:
    drawn: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        drawn.append((low, high))
        return 0.05

    policy = RetryPolicy(Limits(first_delay=0.1), jitter)
    assert policy.delay(TIMEOUT, 1) == 0.05
    assert drawn == [(0, 0.1)]


def test_retry_policy_gives_no_delay_after_the_last_attempt() -> None:
    policy = retry_policy(Limits(attempts=3))
    assert policy.delay(TIMEOUT, 2) is not None
    assert policy.delay(TIMEOUT, 3) is None


def test_retry_policy_does_not_retry_what_waiting_does_not_cure() -> None:
    assert retry_policy(Limits()).delay(DENIED, 1) is None


def test_retry_policy_gives_up_soon_a_server_that_never_answered() -> None:
    policy = RetryPolicy(Limits(attempts=8), longest)
    assert policy.delay(TIMEOUT, 2) is not None
    assert policy.delay(TIMEOUT, 3) is None


@pytest.mark.parametrize("code", ["AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", "SSLError"])
def test_retry_policy_does_not_ask_a_server_again_that_was_never_trusted(code: str) -> None:
    untrusted = S3Error("CopyObject", code, None, "certificate verify failed")
    assert RetryPolicy(Limits(attempts=8), longest).delay(untrusted, 1) is None
    assert retry_policy(Limits(attempts=8)).delay(untrusted, 1) is not None


def test_retry_quota_of_a_run_ends_retries_and_success_refills_it() -> None:
    policy = retry_policy(Limits(retry_quota=2))
    assert policy.delay(TIMEOUT, 1) is not None
    assert policy.delay(TIMEOUT, 1) is not None
    assert policy.delay(TIMEOUT, 1) is None
    for _ in range(5):
        policy.succeeded()
    assert policy.delay(TIMEOUT, 1) is not None
