"""Cuts the listings of both sides of a route into sections that can be compared separately."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from frogmove.s3.listing import folder_pages
from frogmove.s3.unparsed_objects import UnparsedObjects, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from frogmove.core.key_mapping import Place
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


class Section(NamedTuple):
    """All objects of both sides in a range of keys: at most one page of each side.

    Attributes:
        folder: the folder of the selection that contains the source's objects.
        sources: the source's objects.
        destinations: the destination's objects.
        after: the last keys of both sides before the section.
    """

    folder: str
    sources: Sequence[S3Object]
    destinations: Sequence[S3Object]
    after: tuple[str, str]

    @property
    def is_unparsed(self) -> bool:
        """Whether another process can parse it; to send parsed objects takes longer."""
        return any(isinstance(each, UnparsedObjects) for each in (self.sources, self.destinations))


def folder_sections(s3: S3, spec: RunSpec, folder: str) -> Iterator[Section]:
    """List a folder and the folder of its copies, and cut both at the same places.

    Args:
        s3: the client for both buckets.
        spec: route, selection and mapping.
        folder: one of the selection's folders.

    Raises:
        S3Error: when a page cannot be listed.
    """
    route, mapping = spec.route(), spec.mapping
    there = mapping.destination_prefix(folder, route)
    pages = folder_pages(s3, route.source.bucket, folder)
    other_pages = folder_pages(s3, route.destination.bucket, there)
    source = _Side(pages, lambda key: mapping.place(key, route))
    destination = _Side(other_pages, mapping.place_there)
    while source.part or destination.part:
        after = source.last, destination.last
        end = min(side.end for side in (source, destination) if side.part)
        yield Section(folder, source.take(end), destination.take(end), after)


class _Side:
    """The listing of one side.

    Args:
        pages: the objects of each page.
        place: tells where a key is in the order of the destination's keys.

    Attributes:
        part: the objects of a page that are not taken yet; empty at the end.
        last: the last key that was taken; empty if there is none.
    """

    def __init__(self, pages: Iterator[Sequence[S3Object]], place: Callable[[str], Place]) -> None:
        self._pages = pages
        self._place = place
        self.part = self._next()
        self.last = ""

    @property
    def end(self) -> Place:
        """Where the last object of the part is."""
        return self._place(keys_of(self.part)[-1])

    def take(self, end: Place) -> Sequence[S3Object]:
        """Return the objects of the part up to a place."""
        if not self.part:
            return ()
        taken = self.part
        keys = keys_of(taken)
        # In a listing that is not in key order, bisect_right might find none of them.
        count = len(keys)
        if self.end > end:
            count = bisect_right(keys, end, key=self._place)
            taken = taken[:count]
        self.part = self.part[count:] if count < len(keys) else self._next()
        if count:
            self.last = keys[count - 1]
        return taken

    def _next(self) -> Sequence[S3Object]:
        """Return the next page that is not empty."""
        return next(filter(None, self._pages), ())
