"""Measures how long a server has not responded to any request."""

from frogmove.s3.timeouts import QUICK


class StallTimer:
    """Counts the waiting requests, and the seconds since the last response."""

    def __init__(self) -> None:
        self._quick = 0
        self._slow = 0
        self._since = 0.0

    def request_started(self, now: float, *, slow: bool) -> None:
        """Count the start of a request, at its first attempt."""
        if self._quick + self._slow == 0:
            self._since = now
        if slow:
            self._slow += 1
        else:
            self._quick += 1

    def request_ended(self, *, slow: bool) -> None:
        """Count the end of a request, after its last attempt."""
        if slow:
            self._slow -= 1
        else:
            self._quick -= 1

    def response_received(self, now: float) -> None:
        """Record a response."""
        self._since = now

    def seconds(self, now: float) -> float:
        """Return the seconds since the last response; 0 if no request waits."""
        return now - self._since if self._quick + self._slow else 0.0

    def unexpected_seconds(self, now: float) -> float:
        """Return the same, but only beyond the time that large copies may take."""
        return max(0.0, self.seconds(now) - (0.0 if self._quick else QUICK))
