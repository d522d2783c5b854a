"""The objects of a page of a listing, parsed only where they are needed.

A process that shares its work with others needs only the keys of most pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from frogmove.s3.models import S3Object

# Each object begins with it.
START = "<Contents>"

# Parses the objects of a text.
Parse = Callable[[str], Sequence[S3Object]]


class UnparsedObjects(Sequence[S3Object]):
    """Consecutive objects of a page; can be sent to another process.

    Args:
        text: the objects as the server sent them.
        parse: parses the text.
        keys: their keys.

    Attributes:
        keys: the keys.
    """

    def __init__(self, text: str, parse: Parse, keys: Sequence[str]) -> None:
        self._text = text
        self._parse = parse
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[S3Object]:
        """Parse the objects.

        Raises:
            S3Error: when they are malformed.
        """
        return iter(self._parse(self._text)) if self.keys else iter(())

    @overload
    def __getitem__(self, place: int) -> S3Object: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[S3Object]: ...

    def __getitem__(self, place: int | slice) -> S3Object | Sequence[S3Object]:
        if isinstance(place, int):
            return list(self)[place]
        texts = self._text.split(START)[1:][place]
        text = "".join(START + each for each in texts)
        return UnparsedObjects(text, self._parse, self.keys[place])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def keys_of(objects: Sequence[S3Object]) -> Sequence[str]:
    """Return the keys of some objects, without parsing the rest."""
    if isinstance(objects, UnparsedObjects):
        return objects.keys
    return [item.key for item in objects]
