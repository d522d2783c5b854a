"""How long a server has said nothing to anybody while it was asked. Pure."""

from frogmove.s3.timeouts import QUICK


class Silence:
    """Counts the requests that wait for an answer, and the seconds since the last one came."""

    def __init__(self) -> None:
        self._quick = 0
        self._slow = 0
        self._since = 0.0

    def asked(self, now: float, *, slow: bool) -> None:
        """Count a request in, with its first attempt."""
        if self._quick + self._slow == 0:
            self._since = now
        if slow:
            self._slow += 1
        else:
            self._quick += 1

    def ended(self, *, slow: bool) -> None:
        """Count a request out, with its last attempt."""
        if slow:
            self._slow -= 1
        else:
            self._quick -= 1

    def heard(self, now: float) -> None:
        """Note that the server lives."""
        self._since = now

    def seconds(self, now: float) -> float:
        """Return for how long those who wait have heard nothing; 0 where nobody waits."""
        return now - self._since if self._quick + self._slow else 0.0

    def unusual(self, now: float) -> float:
        """Return the same, beginning where large copies, which answer late, are overdue too."""
        return max(0.0, self.seconds(now) - (0.0 if self._quick else QUICK))
