"""Finds free keys of the destination from one listing."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Keys per page: the maximum of one request.
_PAGE = 1000

# How many past keys are remembered, because plans are only nearly in key order.
_MAX_REMEMBERED = 4 * _PAGE

# At most this many pages are read, plus one per requested key. Beyond that, HEAD requests are
# cheaper: the destination holds many more keys than are to be moved.
_SPARE_PAGES = 10


class FreeKeys:
    """Reads a listing as far as needed; memory does not depend on its length.

    Args:
        keys: the keys of the destination, in the order of the listing.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys: Iterator[str] = iter(keys)
        self._ahead: deque[str] = deque()
        self._seen: dict[str, None] = {}
        self._floor = ""
        self._last = ""
        self._pages = 0
        self._calls = 0
        self._is_read = False
        self._is_useful = True

    def is_free(self, key: str) -> bool:
        """Tell whether a key is free; False if that is not known.

        Args:
            key: a key of the destination; calls must be nearly in key order.

        Raises:
            S3Error: when the destination cannot be listed, unless listing is denied.
        """
        self._calls += 1
        while self._is_useful and not self._is_read and self._last < key:
            self._advance()
        return self._is_useful and key > self._floor and key not in self._seen

    def _advance(self) -> None:
        if not self._ahead and not self._read_page():
            return
        self._last = self._ahead.popleft()
        self._seen[self._last] = None
        if len(self._seen) > _MAX_REMEMBERED:
            self._floor = next(iter(self._seen))
            del self._seen[self._floor]

    def _read_page(self) -> bool:
        """Read a page of keys; return False if there is none, or it is not in key order."""
        if self._pages > self._calls + _SPARE_PAGES:
            self._is_useful = False
            return False
        try:
            page = list(islice(self._keys, _PAGE))
        except S3Error as error:
            if error.kind is not Kind.DENIED:
                raise
            self._is_useful = False
            return False
        # Some servers list in other orders.
        if page != sorted(page) or (page and page[0] <= self._last):
            self._is_useful = False
            return False
        self._pages += 1
        self._ahead.extend(page)
        self._is_read = not page
        return bool(page)
