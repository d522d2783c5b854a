"""Finds the key at which the rest of a listing is best split in two."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from frogmove.s3.future import error_of

if TYPE_CHECKING:
    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Page

# Maximum levels of folders that are looked at, with one request each.
MAX_LEVELS = 6


class SplitSearch:
    """Looks for folders that a listing has not reached, from the top level down.

    What precedes a key says little about how many follow it: keys that share a folder of this year
    look alike, and half of what they could be is in no folder at all. So S3 is asked. The first
    level that has further folders is split in their middle.

    Args:
        s3: the client.
        bucket: the bucket.
        prefix: the prefix of the listing.
        reached: the last key that it has listed.
        last: its end; None for none.

    Attributes:
        key: the rest begins after this; None as long as it is not known, or if no level has further
            folders.
    """

    def __init__(self, s3: S3, bucket: str, prefix: str, reached: str, last: str | None) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._reached = reached
        self._last = last
        inside = reached.removeprefix(prefix).split("/")[:-1]
        names = [prefix, *(f"{name}/" for name in inside)]
        levels = ("".join(names[: count + 1]) for count in range(len(names)))
        self._levels = deque(list(levels)[:MAX_LEVELS])
        self.key: str | None = None
        self._coming = self._list_next()

    def is_done(self) -> bool:
        """Tell whether it has ended; does not wait for responses."""
        while self._coming is not None and self._coming.done():
            page = None if error_of(self._coming) else self._coming.result()
            further = (
                [] if page is None else [each for each in page.prefixes if self._is_left(each)]
            )
            if further:
                self.key = further[len(further) // 2]
            self._coming = None if further or page is None else self._list_next()
        return self._coming is None

    def _list_next(self) -> Future[Page] | None:
        if not self._levels:
            return None
        level = self._levels.popleft()
        return self._s3.list_page(self._bucket, level, start_after=self._reached, delimiter="/")

    def _is_left(self, folder: str) -> bool:
        return self._reached < folder and (self._last is None or folder < self._last)
