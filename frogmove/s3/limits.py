"""How much is asked of S3: limits, and a concurrency that falls when S3 says SlowDown. Pure."""

from dataclasses import dataclass

from frogmove.s3.errors import Kind, S3Error

# The most requests in flight that anybody may ask for.
MOST_CONCURRENCY = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked of S3, and for how long.

    Attributes:
        concurrency: the most requests in flight at once; fewer while S3 says SlowDown.
        rate: the most copies begun a second; None for no limit.
        attempts: how often one request is sent at the most.
        first_delay: seconds; the longest wait before a first retry, doubled for each further one.
        longest_delay: seconds; the longest wait before any retry.
        retry_quota: how many retries a run may have outstanding; a success gives part of one back.
    """

    concurrency: int = 32
    rate: float | None = None
    attempts: int = 8
    first_delay: float = 0.1
    longest_delay: float = 20.0
    retry_quota: int = 200


class ConcurrencyLimiter:
    """How many requests may be in flight: halved on SlowDown, growing again with every success.

    Additive increase, multiplicative decrease, as TCP does; one halving for all the requests
    that were in flight when S3 first complained.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = float(most)
        self._in_flight = 0
        self._ignored_throttles = 0

    def set_most(self, most: int) -> None:
        """Allow more or fewer from now on."""
        self._most = float(most)
        self._limit = min(self._limit, self._most) if self._limit > self._most else self._most

    @property
    def in_flight(self) -> int:
        """The number of requests that are in flight now."""
        return self._in_flight

    @property
    def limit(self) -> int:
        """The number of requests that may be in flight now."""
        return int(self._limit)

    def has_room(self) -> bool:
        """Tell whether another request may begin."""
        return self._in_flight < self.limit

    def begin(self) -> None:
        """Count a request in."""
        self._in_flight += 1

    def end(self, error: BaseException | None) -> None:
        """Count a request out, and learn from how it ended."""
        self._in_flight -= 1
        throttled = isinstance(error, S3Error) and error.kind is Kind.THROTTLED
        if throttled and self._ignored_throttles == 0:
            self._limit = max(1.0, self._limit / 2)
            self._ignored_throttles = self._in_flight
            return
        self._ignored_throttles = max(0, self._ignored_throttles - 1)
        if error is None:
            self._limit = min(self._most, self._limit + 1 / self._limit)
