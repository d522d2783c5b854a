"""A listing of a range of keys, of which the end can be given away while it is read.

Whoever reads the range behind a cut lists its first key and leaves it to whoever reads the range
before: that key is read by both, so both know that the server listed on from one to the other.
Where it is not (a key that went meanwhile), ``is_broken`` says so, and what stands behind has to
be listed once more. A server with an order of its own is listed from page to page by one reader.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from frogmove.errors import RunError
from frogmove.s3.key_ranges import midpoint
from frogmove.s3.page_checks import CircleCheck, EncodingCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Page, S3Object

# Keys of a page that tell what keys are made of.
_SAMPLE = 16


class KeyRange(NamedTuple):
    """Keys behind ``after`` up to and including ``last``; None for no end.

    ``met`` says that ``last`` is a key, which the range behind began with.
    """

    after: str
    last: str | None
    met: bool = False


class RangeListing:
    """Lists a range, page by page, one page ahead.

    One thread takes the objects; any other may ask it to give a part away.

    Args:
        s3: where the bucket is.
        bucket: the bucket.
        prefix: what the keys begin with.
        keys: the range.
        offer: called, by the thread that takes the objects, with what was asked for by
            :meth:`ask_to_split`: the range given away, or None.
        wait: waits until :meth:`reach_to` may have been called; by default for another thread.

    Attributes:
        first: the first key of the range, once there is one.
        is_broken: whether the range behind did not follow on from this one.
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
        self._last, self._met = keys.last, keys.met
        self._offer = offer
        self._encoding = EncodingCheck(s3, bucket)
        self._circle = CircleCheck()
        self._in_order = True
        self._sample: list[str] = []
        self._reached = keys.after
        self._changed = Event()
        self._wait = wait or self._changed.wait
        self._wanted = False
        self._waits = False
        self.first: str | None = None
        self.is_broken = False

    def begin(self) -> str | None:
        """Ask for the first page.

        Returns:
            the range's first key; None where it has none.

        Raises:
            S3Error: when the page cannot be had.
            RunError: when the server does not begin behind the key that it was given.
        """
        self._coming = self._page(None)
        page = self._take(self._coming)
        objects = page.objects
        if objects:
            if objects[0].key <= self._after:
                raise RunError(
                    f"Asked for what stands behind {self._after!r}, the server listed "
                    f"{objects[0].key!r}.",
                    "Run it again with --processes 1.",
                )
            if self._last is None or objects[0].key <= self._last:
                self.first = objects[0].key
        return self.first

    def objects(self) -> Iterator[S3Object]:
        """Give the objects out, after :meth:`begin`.

        Raises:
            S3Error: when a page cannot be had.
        """
        page = self._coming.result()
        seen = ""
        while True:
            following = self._page(page.token) if page.token is not None else None
            self._sample = [item.key for item in page.objects[:: 1 + len(page.objects) // _SAMPLE]]
            for item in page.objects:
                if item.key <= self._reached and not self._may_go_on():
                    return
                if self._wanted:
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
        """Ask for a part of what is not listed yet; the answer goes to ``offer``."""
        self._wanted = True

    def close(self) -> None:
        """Answer what was asked for: there is nothing left to give away."""
        if self._wanted:
            self._wanted = False
            self._offer(None)

    def reach_to(self, last: str | None, *, met: bool) -> None:
        """Tell where the range ends, after a part was given away.

        Args:
            last: the first key of that part, or its end where it has none.
            met: whether it is that first key.
        """
        self._last, self._met = last, met
        self._waits = False
        self._changed.set()

    def _page(self, token: str | None) -> Future[Page]:
        if token is not None:
            return self._s3.list_page(self._bucket, self._prefix, token)
        return self._s3.list_page(self._bucket, self._prefix, start_after=self._after)

    def _take(self, coming: Future[Page]) -> Page:
        page = coming.result()
        self._encoding.check(page)
        self._circle.check(page.token)
        return page

    def _may_go_on(self) -> bool:
        """Tell whether a listing that is in no order can be read on: whoever reads all of it may.

        A part of it has to be listed once more, together with the others.
        """
        self._in_order = False
        is_all = not self._after and self._last is None
        self.is_broken = self.is_broken or not is_all
        return is_all

    def _split(self) -> None:
        self._wanted = False
        # What was given away last is still to be heard of.
        may_cut = self._in_order and not self._waits
        cut = midpoint(self._reached, self._last, self._sample) if may_cut else None
        if cut is None:
            self._offer(None)
            return
        given = KeyRange(cut, self._last, self._met)
        self._changed.clear()
        self._waits = True
        self._last, self._met = cut, False
        self._offer(given)

    def _ends_before(self, key: str | None, seen: str) -> bool:
        """Tell whether the range ends before a key; wait until that is known.

        Args:
            key: the key; None for what follows the very last one.
            seen: the last key that was given out.
        """
        while self._waits and self._is_behind(key):
            self._wait()
        if not self._is_behind(key):
            return False
        self.is_broken = self._met and self._last is not None and seen < self._last
        return True

    def _is_behind(self, key: str | None) -> bool:
        return self._last is not None and (key is None or key > self._last)
