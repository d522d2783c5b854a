"""Tells from one listing of the destination which keys it has nothing at."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Keys of a page: as many as one request lists.
_PAGE = 1000

# Plans are nearly in key order: so many keys are remembered after they were passed.
_REMEMBERED = 4 * _PAGE

# So many pages are read, and one more for each key that is asked for. After that, a HEAD request
# for each key is cheaper: the destination holds many more keys than are to be moved.
_SPARE_PAGES = 10


class FreeKeys:
    """Reads a listing as far as needed; memory does not depend on its length.

    Args:
        keys: the keys of the destination, in the order of the listing.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys: Iterator[str] = iter(keys)
        self._ahead: deque[str] = deque()
        self._passed: dict[str, None] = {}
        self._floor = ""
        self._last = ""
        self._pages = 0
        self._asked = 0
        self._is_read = False
        self._is_useful = True

    def is_free(self, key: str) -> bool:
        """Tell whether nothing is at a key; False if that is not known.

        Args:
            key: a key of the destination; nearly in the order of the keys asked for.

        Raises:
            S3Error: when the destination cannot be listed, unless listing is denied.
        """
        self._asked += 1
        while self._is_useful and not self._is_read and self._last < key:
            self._pass_next()
        return self._is_useful and key > self._floor and key not in self._passed

    def _pass_next(self) -> None:
        if not self._ahead and not self._read_page():
            return
        self._last = self._ahead.popleft()
        self._passed[self._last] = None
        if len(self._passed) > _REMEMBERED:
            self._floor = next(iter(self._passed))
            del self._passed[self._floor]

    def _read_page(self) -> bool:
        """Read a page of keys; return False if there is none, or none that can be used."""
        if self._pages > self._asked + _SPARE_PAGES:
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
