"""Decides whether and when a failed request is retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.s3.errors import MALFORMED, S3Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.s3.limits import Limits


class RetryPolicy:
    """Decides about retries, with full jitter and a quota for the whole run.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(self, limits: Limits, jitter: Callable[[float, float], float]) -> None:
        self._limits = limits
        self._jitter = jitter
        self._largest_quota = self._retry_quota = float(limits.retry_quota)
        self._has_responded = False

    def succeeded(self) -> None:
        """Give part of a retry back to the quota."""
        self._has_responded = True
        self._retry_quota = min(self._largest_quota, self._retry_quota + 0.2)

    def set_quota(self, quota: int) -> None:
        """Set the quota of retries."""
        self._largest_quota = float(quota)
        self._retry_quota = min(self._retry_quota, self._largest_quota)

    def delay(self, error: BaseException, attempt: int) -> float | None:
        """Return the seconds until the next attempt; None for no further attempt.

        Args:
            error: the error of the attempt.
            attempt: the number of attempts so far.
        """
        limits = self._limits
        if not isinstance(error, S3Error) or not error.retrying_helps:
            return None
        # A server that has never responded is probably misspelt rather than busy, and an untrusted
        # certificate stays untrusted.
        never = 1 if error.is_untrusted else 3
        # A server that sends malformed responses will send them again.
        is_known = self._has_responded and error.code != MALFORMED
        attempts = limits.attempts if is_known else min(limits.attempts, never)
        if attempt >= attempts or self._retry_quota < 1:
            return None
        self._retry_quota -= 1
        longest = min(limits.max_delay, limits.first_delay * 2 ** (attempt - 1))
        return self._jitter(0, longest)
