"""A plan: a stream of actions, made of objects as they were listed. Pure.

Nothing here holds more than one object of each side, whatever the number of keys.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from frogmove.core.key_mapping import SAME_KEYS, KeyMapping, UnmappableError
from frogmove.core.models import Action, Route, Verb
from frogmove.core.verify import CompareBy, same_etag
from frogmove.errors import RunError
from frogmove.s3.models import S3Object
from frogmove.s3.uri import LONGEST_KEY


def plan_move(
    objects: Iterable[S3Object], route: Route, mapping: KeyMapping = SAME_KEYS
) -> Iterator[Action]:
    """Plan to move every object to its place in the destination."""
    place = _placer(route, mapping)
    for item in objects:
        key = place(item)
        yield key if isinstance(key, Action) else Action(Verb.MOVE, item, key)


def plan_copy(
    objects: Iterable[S3Object], route: Route, mapping: KeyMapping = SAME_KEYS
) -> Iterator[Action]:
    """Plan to copy every object to its place in the destination."""
    for action in plan_move(objects, route, mapping):
        yield replace(action, verb=Verb.COPY) if action.verb is Verb.MOVE else action


def plan_sync(
    sources: Iterable[S3Object],
    destinations: Iterable[S3Object],
    route: Route,
    compare: CompareBy = CompareBy.AUTO,
    mapping: KeyMapping = SAME_KEYS,
) -> Iterator[Action]:
    """Plan to copy what the destination lacks or holds differently.

    Args:
        sources: the source's objects in S3's order of keys.
        destinations: the destination's objects in the same order.
        route: which key becomes which.
        compare: what tells that the destination has an object already.
        mapping: keeps the order of keys.

    Yields:
        one action for each source object. COMPARE where what the listings show does not tell
        whether the two are alike: HEAD or the bytes have to.

    Raises:
        RunError: when a listing is not in order, as a merge of it would overwrite and miss keys.
    """
    place = _placer(route, mapping)
    others = in_order(destinations)
    other = next(others, None)
    for item in in_order(sources):
        key = place(item)
        if isinstance(key, Action):
            yield key
            continue
        while other is not None and other.key.encode() < key.encode():
            other = next(others, None)
        twin = other if other is not None and other.key == key else None
        yield _sync_action(item, key, twin, compare)


def in_order(objects: Iterable[S3Object]) -> Iterator[S3Object]:
    """Pass objects on, in the order of their keys' UTF-8 bytes.

    Raises:
        RunError: at the first that is out of order; some S3-compatible servers list so.
    """
    last = b""
    for item in objects:
        key = item.key.encode()
        if last and key <= last:
            raise RunError(
                f"The server listed {item.key!r} after a key that S3 orders behind it.",
                "Syncing needs ordered listings, which this server does not give.",
            )
        last = key
        yield item


def _sync_action(item: S3Object, key: str, twin: S3Object | None, compare: CompareBy) -> Action:
    if twin is None:
        return Action(Verb.COPY, item, key, "not at the destination")
    if twin.size != item.size:
        return Action(Verb.COPY, item, key, "the sizes differ", replaces=twin.etag)
    if compare is CompareBy.SIZE:
        return Action(Verb.SKIP, item, key, "already there, same size")
    if compare is not CompareBy.CONTENT and same_etag(item.etag, twin.etag):
        return Action(Verb.SKIP, item, key, "already there, same ETag")
    return Action(Verb.COMPARE, item, key, "the ETags do not tell", replaces=twin.etag)


def _placer(route: Route, mapping: KeyMapping) -> Callable[[S3Object], str | Action]:
    """Return what tells an object's destination key; an action where it cannot be carried."""
    mapped = mapping.mapper(route)

    def place(item: S3Object) -> str | Action:
        if item.key == route.source.prefix and item.size == 0:
            key = route.destination.prefix
            return Action(Verb.SKIP, item, key, "the marker of the source folder itself")
        try:
            key = mapped(item)
        except UnmappableError as error:
            return Action(Verb.REFUSE, item, "", str(error))
        reason = _obstacle(key)
        return Action(Verb.REFUSE, item, key, reason) if reason else key

    return place


def _obstacle(key: str) -> str:
    """Return why no object can have a destination key; nothing where one can."""
    if not key:
        return (
            "it has data and is named like the source folder itself, so at the destination it "
            "would have no name"
        )
    if len(key.encode()) > LONGEST_KEY:
        return f"the destination key would have over {LONGEST_KEY:,} bytes"
    return ""
