"""Joins the listings of both sides by key. Memory holds one object of each side."""

from collections.abc import Callable, Iterable, Iterator

from frogmove.core.models import Action
from frogmove.errors import RunError
from frogmove.quoting import in_quotes
from frogmove.s3.models import S3Object

# A source object, its destination key (or why it has none), and the object at that key. Without a
# source object: an object that only the destination has.
Pair = tuple[S3Object | None, str | Action, S3Object | None]


def merge_join(
    sources: Iterable[S3Object],
    destinations: Iterable[S3Object],
    map_key: Callable[[S3Object], str | Action],
    *,
    extras: bool = False,
    after: tuple[str, str] = ("", ""),
) -> Iterator[Pair]:
    """Pair the objects of both sides.

    Args:
        sources: the source's objects in key order.
        destinations: the destination's objects in the same order.
        map_key: returns the destination key of a source object, or an action if it has none; must
            keep the order of keys.
        extras: whether to yield the objects that only the destination has. If not, the destination
            is read only as far as needed.
        after: keys that all keys of the source, and of the destination, must follow.

    Raises:
        RunError: when a listing is not in key order: merging it would miss keys.
    """
    others = in_order(destinations, after[1])
    other = next(others, None)
    for item in in_order(sources, after[0]):
        key = map_key(item)
        if isinstance(key, Action):
            yield item, key, None
            continue
        encoded = key.encode()
        while other is not None and other.key.encode() < encoded:
            if extras:
                yield None, other.key, other
            other = next(others, None)
        if other is not None and other.key == key:
            there, other = other, next(others, None)
            yield item, key, there
        else:
            yield item, key, None
    while extras and other is not None:
        yield None, other.key, other
        other = next(others, None)


def in_order(objects: Iterable[S3Object], after: str = "") -> Iterator[S3Object]:
    """Yield the objects, and check that their keys are in the order of their UTF-8 bytes.

    Args:
        objects: the objects.
        after: a key that all must follow.

    Raises:
        RunError: at the first that is not; some S3-compatible servers list in other orders.
    """
    last = after.encode()
    for item in objects:
        key = item.key.encode()
        if last and key <= last:
            raise RunError(
                f"The server listed {in_quotes(item.key)} after a key that must follow it.",
                "Comparing both sides needs listings in key order, which this server does not "
                "support.",
            )
        last = key
        yield item
