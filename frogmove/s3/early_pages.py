"""Pages that are requested before their listing begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.s3.future import Future
    from frogmove.s3.models import Page

# A listing that begins later requests its first page again: it must not miss newer objects.
MAX_AGE_SECONDS = 5.0


class EarlyPages:
    """Keeps first pages until their listings begin: a run's checks need one anyway."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], tuple[Future[Page], float]] = {}

    def put(self, bucket: str, prefix: str, page: Future[Page], now: float) -> None:
        """Keep the first page of a listing.

        Args:
            bucket: the bucket.
            prefix: the prefix of the listing.
            page: the page that was requested.
            now: seconds of a clock.
        """
        self._pages[bucket, prefix] = page, now

    def clear(self) -> None:
        """Forget the pages of an earlier run's checks, whose listing did not begin."""
        self._pages.clear()

    def take(self, bucket: str, prefix: str, now: float) -> Future[Page] | None:
        """Return a page that was kept, once; None if it is too old or could not be listed.

        Args:
            bucket: the bucket.
            prefix: the prefix of the listing.
            now: seconds of the same clock.
        """
        page, since = self._pages.pop((bucket, prefix), (None, now))
        if page is None or now - since > MAX_AGE_SECONDS:
            return None
        return None if page.done() and page.exception() is not None else page
