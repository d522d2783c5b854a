"""A listing of a range of keys whose end can be split off while it is read.

After a split, the reader of the second part lists its first key but leaves it to the reader of
the first part. Both see that key, which proves that no key between the two parts was missed. If
the first reader does not see it (the key was deleted meanwhile), ``gap`` is what must be listed
again. A server that does not list in key order is listed by one reader; if it was split before that
was known, ``is_broken`` is set and the whole source must be listed again.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from frogmove.errors import RunError
from frogmove.quoting import in_quotes
from frogmove.s3.key_ranges import midpoint, sample_keys
from frogmove.s3.page_checks import CycleCheck, EncodingCheck
from frogmove.s3.split_search import SplitSearch
from frogmove.s3.unparsed_objects import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Page, S3Object


class KeyRange(NamedTuple):
    """Keys after ``after`` up to and including ``last``; None for no end.

    ``ends_at_key`` says that ``last`` is an existing key: the first one of the next range.
    """

    after: str
    last: str | None
    ends_at_key: bool = False


class RangeListing:
    """Lists a range, page by page, one page ahead.

    One thread iterates over the objects; any other thread may ask for a split.

    Args:
        s3: the client.
        bucket: the bucket.
        prefix: the prefix of the keys.
        keys: the range.
        offer: called by the iterating thread after :meth:`ask_to_split`, with the range that was
            split off, or None if it cannot be split.
        wait: waits until :meth:`extend_to` may have been called; by default, until another
            thread has called it.

    Attributes:
        first: the first key of the range, once known.
        gap: what must be listed again, as this range did not end at the first key of the next one.
        has_more: whether there is a further page.
        is_broken: whether the rest of this range was not listed, as it is not in key order.
    """

    def __init__(
        self,
        s3: S3,
        bucket: str,
        prefix: str,
        keys: KeyRange,
        offer: Callable[[KeyRange | None], None] = lambda _: None,
        wait: Callable[[], object] | None = None,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix
        self._after = keys.after
        self._last, self._ends_at_key = keys.last, keys.ends_at_key
        self._offer = offer
        self._encoding = EncodingCheck(s3, bucket)
        self._cycle = CycleCheck()
        self._in_order = True
        self._sample: Sequence[str] = ()
        self._reached = keys.after
        self._changed = Event()
        self._wait = wait or self._changed.wait
        self._split_requested = False
        self._search: SplitSearch | None = None
        self._end_pending = False
        self._is_stopped = False
        self.first: str | None = None
        self.gap: KeyRange | None = None
        self.has_more = False
        self.is_broken = False

    def begin(self) -> str | None:
        """Request the first page, and the next one as long as they are empty.

        Returns:
            the range's first key; None if the range is empty.

        Raises:
            S3Error: when the page cannot be listed.
            RunError: when the server ignores the key after which it was asked to list.
        """
        self._coming = self._page(None)
        page = self._take(self._coming)
        # Some servers send empty pages where many keys were deleted.
        while not page.objects and page.token is not None:
            self._coming = self._page(page.token)
            page = self._take(self._coming)
        keys = keys_of(page.objects)
        if keys:
            if keys[0] <= self._after:
                raise RunError(
                    f"The server was asked to list the keys after {in_quotes(self._after)}, but "
                    f"it listed {in_quotes(keys[0])}.",
                    "Rerun with --processes 1.",
                )
            if self._last is None or keys[0] <= self._last:
                self.first = keys[0]
        return self.first

    def objects(self) -> Iterator[S3Object]:
        """Yield the objects, after :meth:`begin`.

        Raises:
            S3Error: when a page cannot be listed.
        """
        page = self._coming.result()
        seen = ""
        while True:
            self.has_more = page.token is not None
            following = self._page(page.token) if page.token is not None else None
            self._sample = sample_keys(keys_of(page.objects))
            for item in page.objects:
                if item.key <= self._reached and not self._can_continue():
                    return
                if self._split_requested:
                    self._split()
                if self._ends_before(item.key, seen):
                    return
                self._reached = seen = item.key
                yield item
            if following is None:
                break
            page = self._take(following)
        self._ends_before(None, seen)

    def ask_to_split(self) -> None:
        """Ask to split off a part of what is not listed yet; the part goes to ``offer``."""
        self._split_requested = True

    @property
    def is_end_known(self) -> bool:
        """Whether it is known where the range ends, as nothing was split off just now."""
        return not self._end_pending

    def close(self) -> None:
        """Decline a pending request to split: nothing is left to split off."""
        if self._split_requested:
            self._split_requested = False
            self._offer(None)

    def extend_to(self, last: str | None, *, ends_at_key: bool) -> None:
        """Set where the range ends, after a part was split off.

        Args:
            last: the first key of that part, or its end if it is empty.
            ends_at_key: whether ``last`` is that first key.
        """
        self._last, self._ends_at_key = last, ends_at_key
        self._end_pending = False
        self._changed.set()

    def stop(self) -> None:
        """Stop waiting: the run was stopped, and takes no further object."""
        self._is_stopped = True
        self._changed.set()

    def _page(self, token: str | None) -> Future[Page]:
        if token is not None:
            return self._s3.list_page(self._bucket, self._prefix, token)
        return self._s3.list_page(self._bucket, self._prefix, start_after=self._after)

    def _take(self, coming: Future[Page]) -> Page:
        page = coming.result()
        self._encoding.check(page)
        self._cycle.check(page.token)
        return page

    def _can_continue(self) -> bool:
        """Tell whether a listing that is not in key order can be continued.

        It can if this reader lists the whole bucket. Otherwise the source is listed again.
        """
        self._in_order = False
        is_all = not self._after and self._last is None
        self.is_broken = self.is_broken or not is_all
        return is_all

    def _split(self) -> None:
        """Split off a part, as soon as it is known where the folders are."""
        key = None
        # The first key of the last part that was split off must be known first.
        if self._in_order and not self._end_pending:
            if self._search is None:
                self._search = SplitSearch(
                    self._s3, self._bucket, self._prefix, self._reached, self._last
                )
            if not self._search.is_done():
                return
            key = self._search.key
            if key is None or key <= self._reached:
                key = midpoint(self._reached, self._last, self._sample)
        self._split_requested, self._search = False, None
        if key is None:
            self._offer(None)
            return
        given = KeyRange(key, self._last, self._ends_at_key)
        self._changed.clear()
        self._end_pending = True
        self._last, self._ends_at_key = key, False
        self._offer(given)

    def _ends_before(self, key: str | None, seen: str) -> bool:
        """Tell whether the range ends before a key; wait until that is known.

        Args:
            key: the key; None after the last key of the bucket.
            seen: the last key that was yielded.
        """
        while self._end_pending and self._is_beyond(key) and not self._is_stopped:
            self._wait()
        if not self._is_beyond(key):
            return False
        if self._ends_at_key and self._last is not None and seen < self._last:
            self.gap = KeyRange(seen or self._after, self._last)
        return True

    def _is_beyond(self, key: str | None) -> bool:
        return self._last is not None and (key is None or key > self._last)
