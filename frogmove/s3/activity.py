"""What a client is doing at the moment, for a progress display."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.s3.future import Future
    from frogmove.s3.models import Part


class Activity(NamedTuple):
    """The current activity.

    Attributes:
        in_flight: how many requests are waiting for a response.
        retries: how many requests have been retried so far.
        part_bytes: bytes copied so far of incomplete multipart copies.
    """

    in_flight: int = 0
    retries: int = 0
    part_bytes: int = 0

    @classmethod
    def total(cls, several: Iterable[Activity]) -> Activity:
        """Add up the activity of several clients."""
        return cls(*map(sum, zip(cls(), *several, strict=True)))


class UnfinishedParts:
    """Counts the bytes of the parts of incomplete uploads."""

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}

    @property
    def total(self) -> int:
        """The bytes of all of them."""
        return sum(self._bytes.copy().values())

    def ended(self, upload_id: str, size: int, part: Future[Part]) -> None:
        """Count a part, if it has been copied."""
        if part.exception() is None:
            self._bytes[upload_id] = self._bytes.get(upload_id, 0) + size

    def end(self, upload_id: str) -> None:
        """Forget an upload that was completed or aborted."""
        self._bytes.pop(upload_id, None)
