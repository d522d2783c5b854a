"""Divides the limits of a run between its processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frogmove.processes.messages import SetLimits

if TYPE_CHECKING:
    from frogmove.s3.limits import Limits
    from frogmove.s3.retry import RetryingS3


class SharedLimits:
    """The limits of a run.

    Args:
        s3: the client of the run's own process.
        limits: the limits of all processes together.
        count: the maximum number of processes.
    """

    def __init__(self, s3: RetryingS3, limits: Limits, count: int) -> None:
        self._s3 = s3
        self._limits = limits
        self._count = count

    def of_worker(self) -> Limits:
        """Return the limits of a worker that starts; reduce those of the run's own process."""
        quota = max(1, self._limits.retry_quota // self._count)
        self._s3.set_retry_quota(quota)
        return replace(self._limits, retry_quota=quota)

    def divide(self, working: int) -> SetLimits:
        """Divide concurrency and rate between the processes that are working.

        Args:
            working: how many of them; the run's own process gets its part now.

        Returns:
            the part of each.
        """
        parts = max(1, working)
        rate = None if self._limits.rate is None else self._limits.rate / parts
        concurrency = max(1, self._limits.concurrency // parts)
        self._s3.set_limits(concurrency, rate)
        return SetLimits(concurrency, rate)

    def restore(self) -> None:
        """Give the run's own process all of them: no worker is left."""
        self.divide(1)
        self._s3.set_retry_quota(self._limits.retry_quota)
