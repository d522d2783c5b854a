"""The objects of a page of a listing, parsed only where they are needed.

A process that shares its work with others needs only the keys of most pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from frogmove.s3.models import S3Object

# Parses all objects of a page.
Parse = Callable[[str], Sequence[S3Object]]


class UnparsedObjects(Sequence[S3Object]):
    """Consecutive objects of a page; can be sent to another process.

    Args:
        text: the page, as the server sent it.
        parse: parses the text.
        keys: the keys of these objects.
        start: the number of the first one in the page.

    Attributes:
        keys: the keys.
    """

    def __init__(self, text: str, parse: Parse, keys: Sequence[str], start: int = 0) -> None:
        self._text = text
        self._parse = parse
        self.keys = keys
        self._start = start

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[S3Object]:
        """Parse the objects.

        Raises:
            S3Error: when they are malformed.
        """
        return iter(self._parse(self._text)[self._start : self._start + len(self.keys)])

    @overload
    def __getitem__(self, place: int) -> S3Object: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[S3Object]: ...

    def __getitem__(self, place: int | slice) -> S3Object | Sequence[S3Object]:
        if isinstance(place, int):
            return list(self)[place]
        start, _, step = place.indices(len(self.keys))
        if step != 1:
            return list(self)[place]
        return UnparsedObjects(self._text, self._parse, self.keys[place], self._start + start)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def keys_of(objects: Sequence[S3Object]) -> Sequence[str]:
    """Return the keys of some objects, without parsing the rest."""
    if isinstance(objects, UnparsedObjects):
        return objects.keys
    return [item.key for item in objects]
