"""How hard S3 is pressed: how many requests at once, and which failed ones again. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from frogmove.s3.failure import MALFORMED, Kind, S3Error


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of S3, and for how long.

    Attributes:
        concurrency: the most requests under way at once; fewer while S3 says SlowDown.
        rate: the most copies begun a second; None for no limit.
        attempts: how often one request is sent at the most.
        first_delay: seconds; the longest wait before a first retry, doubled for each further one.
        longest_delay: seconds; the longest wait before any retry.
        budget: how many retries a run may have outstanding; every success gives part of one back.
    """

    concurrency: int = 32
    rate: float | None = None
    attempts: int = 8
    first_delay: float = 0.1
    longest_delay: float = 20.0
    budget: int = 200


# What awscrt and botocore call a TLS handshake that failed. awscrt takes 10 to 30 seconds to say
# so, on purpose, lest the time tell anything (https://github.com/aws/s2n-tls/issues/4508).
_NOT_TRUSTED = frozenset({"AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", "SSLError"})


class Pressure:
    """How many requests may be under way: halved on SlowDown, growing again with every success.

    Additive increase, multiplicative decrease, as TCP does; one halving for all the requests
    that were under way when S3 first complained.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = float(most)
        self._under_way = 0
        self._deaf = 0

    @property
    def limit(self) -> int:
        """The number of requests that may be under way now."""
        return int(self._limit)

    def has_room(self) -> bool:
        """Tell whether another request may begin."""
        return self._under_way < self.limit

    def begin(self) -> None:
        """Count a request in."""
        self._under_way += 1

    def end(self, error: BaseException | None) -> None:
        """Count a request out, and learn from how it ended."""
        self._under_way -= 1
        throttled = isinstance(error, S3Error) and error.kind is Kind.THROTTLED
        if throttled and self._deaf == 0:
            self._limit = max(1.0, self._limit / 2)
            self._deaf = self._under_way
            return
        self._deaf = max(0, self._deaf - 1)
        if error is None:
            self._limit = min(self._most, self._limit + 1 / self._limit)


class Patience:
    """When a failed request may be sent again: full jitter, and a budget for the whole run.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(self, limits: Limits, draw: Callable[[float, float], float]) -> None:
        self._limits = limits
        self._draw = draw
        self._budget = float(limits.budget)
        self._answered = False

    def succeeded(self) -> None:
        """Give part of a retry back."""
        self._answered = True
        self._budget = min(float(self._limits.budget), self._budget + 0.2)

    def delay(self, error: BaseException, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt; None when there is to be none.

        Args:
            error: how the attempt failed.
            attempt: how many there have been.
        """
        limits = self._limits
        if not isinstance(error, S3Error) or not error.retrying_helps:
            return None
        # A server that has never answered is more likely to be misspelt than to be busy, and one
        # that was never trusted will not be the next time.
        never = 1 if error.code in _NOT_TRUSTED else 3
        # Nor will one that writes its answers wrongly write them rightly.
        is_known = self._answered and error.code != MALFORMED
        attempts = limits.attempts if is_known else min(limits.attempts, never)
        if attempt >= attempts or self._budget < 1:
            return None
        self._budget -= 1
        longest = min(limits.longest_delay, limits.first_delay * 2 ** (attempt - 1))
        return self._draw(0, longest)
