"""Limits on requests to S3, and a concurrency that is reduced when S3 throttles."""

from dataclasses import dataclass

from frogmove.s3.errors import Kind, S3Error

# Upper bound for the concurrency option.
MAX_CONCURRENCY = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on requests to S3.

    Attributes:
        concurrency: maximum concurrent requests; fewer while S3 throttles.
        rate: maximum copies started per second; None for no limit.
        attempts: maximum attempts per request.
        first_delay: maximum seconds before the first retry; doubled for each further one.
        max_delay: maximum seconds before any retry.
        retry_quota: retries that a run may use; each success gives part of one back.
    """

    concurrency: int = 32
    rate: float | None = None
    attempts: int = 8
    first_delay: float = 0.1
    max_delay: float = 20.0
    retry_quota: int = 200


class ConcurrencyLimiter:
    """The number of concurrent requests: halved on SlowDown, increased with every success.

    Additive increase, multiplicative decrease, like TCP; halved once for all requests that were in
    flight at the first SlowDown.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = self._limit = float(maximum)
        self._in_flight = 0
        self._ignored_throttles = 0

    def set_maximum(self, maximum: int) -> None:
        """Set a new maximum; the limit stays as far below it, in proportion, as it was."""
        self._limit = max(1.0, self._limit * maximum / self._maximum)
        self._maximum = float(maximum)

    @property
    def in_flight(self) -> int:
        """The current number of requests in flight."""
        return self._in_flight

    @property
    def limit(self) -> int:
        """The current limit of requests in flight."""
        return int(self._limit)

    def has_room(self) -> bool:
        """Tell whether another request may start."""
        return self._in_flight < self.limit

    def begin(self) -> None:
        """Count the start of a request."""
        self._in_flight += 1

    def end(self, error: BaseException | None) -> None:
        """Count the end of a request, and adjust the limit."""
        self._in_flight -= 1
        throttled = isinstance(error, S3Error) and error.kind is Kind.THROTTLED
        if throttled and self._ignored_throttles == 0:
            self._limit = max(1.0, self._limit / 2)
            self._ignored_throttles = self._in_flight
            return
        self._ignored_throttles = max(0, self._ignored_throttles - 1)
        if error is None:
            self._limit = min(self._maximum, self._limit + 1 / self._limit)
