"""What a client is doing at the moment, for a progress display."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.s3.future import Future
    from frogmove.s3.models import Page, Part


class Activity(NamedTuple):
    """The current activity.

    Attributes:
        in_flight: how many requests are waiting for a response.
        retries: how many requests have been retried so far.
        part_bytes: bytes copied so far of incomplete multipart copies.
        listed: how many objects have been listed so far, on both sides.
    """

    in_flight: int = 0
    retries: int = 0
    part_bytes: int = 0
    listed: int = 0

    @classmethod
    def total(cls, several: Iterable[Activity]) -> Activity:
        """Add up the activity of several clients."""
        return cls(*map(sum, zip(cls(), *several, strict=True)))

    def since(self, earlier: Activity) -> Activity:
        """Return it without what had been retried and listed earlier."""
        return self._replace(
            retries=self.retries - earlier.retries, listed=self.listed - earlier.listed
        )


class ActivityCounter:
    """Counts for :class:`Activity`; each thread that receives a response calls its methods."""

    def __init__(self) -> None:
        self.retries = 0
        self._listed = 0
        self._parts: dict[str, int] = {}

    def now(self, in_flight: int) -> Activity:
        """Return the current activity."""
        part_bytes = sum(self._parts.copy().values())
        return Activity(in_flight, self.retries, part_bytes, self._listed)

    def listed(self, page: Future[Page]) -> None:
        """Count the objects of a page, if it could be listed."""
        if page.exception() is None:
            self._listed += len(page.result().objects)

    def part_copied(self, upload_id: str, size: int, part: Future[Part]) -> None:
        """Count the bytes of a part, if it has been copied."""
        if part.exception() is None:
            self._parts[upload_id] = self._parts.get(upload_id, 0) + size

    def upload_ended(self, upload_id: str) -> None:
        """Forget an upload that was completed or aborted."""
        self._parts.pop(upload_id, None)
