"""Plans: streams of actions, made from listed objects.

Memory use does not depend on the number of keys: one object of each side is held.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from frogmove.core.key_mapping import SAME_KEYS, KeyMapping, UnmappableError
from frogmove.core.merge_join import merge_join
from frogmove.core.models import Action, Route, Verb
from frogmove.core.verify import CompareBy, same_etag
from frogmove.s3.models import S3Object
from frogmove.s3.uri import MAX_KEY_BYTES


def plan_move(
    objects: Iterable[S3Object], route: Route, mapping: KeyMapping = SAME_KEYS
) -> Iterator[Action]:
    """Plan to move every object."""
    map_key = key_mapper(route, mapping)
    for item in objects:
        key = map_key(item)
        yield key if isinstance(key, Action) else Action(Verb.MOVE, item, key)


def plan_copy(
    objects: Iterable[S3Object], route: Route, mapping: KeyMapping = SAME_KEYS
) -> Iterator[Action]:
    """Plan to copy every object."""
    for action in plan_move(objects, route, mapping):
        yield replace(action, verb=Verb.COPY) if action.verb is Verb.MOVE else action


def plan_sync(
    sources: Iterable[S3Object],
    destinations: Iterable[S3Object],
    route: Route,
    compare: CompareBy = CompareBy.AUTO,
    mapping: KeyMapping = SAME_KEYS,
) -> Iterator[Action]:
    """Plan to copy objects that are missing or different at the destination.

    Args:
        sources: the source's objects in key order.
        destinations: the destination's objects in the same order.
        route: source and destination.
        compare: how to compare objects.
        mapping: which keys the copies get; must keep the order of keys.

    Yields:
        one action per source object; COMPARE if the listings do not show whether the two are equal,
        so that HEAD or the bytes must be compared.

    Raises:
        RunError: when a listing is not in key order: merging it would overwrite and miss keys.
    """
    for item, key, there in merge_join(sources, destinations, key_mapper(route, mapping)):
        if isinstance(key, Action):
            yield key
        elif item is not None:
            yield _sync_action(item, key, there, compare)


def _sync_action(item: S3Object, key: str, there: S3Object | None, compare: CompareBy) -> Action:
    if there is None:
        return Action(Verb.COPY, item, key, "not at the destination")
    if there.size != item.size:
        return Action(Verb.COPY, item, key, "the sizes differ", replaces=there.etag)
    if compare is CompareBy.SIZE:
        return Action(Verb.SKIP, item, key, "already there, same size")
    if compare is not CompareBy.CONTENT and same_etag(item.etag, there.etag):
        return Action(Verb.SKIP, item, key, "already there, same ETag")
    return Action(Verb.COMPARE, item, key, "the ETags are inconclusive", replaces=there.etag)


# Characters; one has at most four bytes in UTF-8.
_SAFE_LENGTH = MAX_KEY_BYTES // 4


def key_mapper(route: Route, mapping: KeyMapping) -> Callable[[S3Object], str | Action]:
    """Return a function from an object to its destination key, or to an action if it has none."""
    mapped = mapping.mapper(route)

    def map_key(item: S3Object) -> str | Action:
        if item.size == 0 and item.key == route.source.prefix:
            key = route.destination.prefix
            return Action(Verb.SKIP, item, key, "the marker of the source folder itself")
        try:
            key = mapped(item)
        except UnmappableError as error:
            return Action(Verb.REFUSE, item, "", str(error))
        if 0 < len(key) <= _SAFE_LENGTH:
            return key
        reason = _invalid_reason(key)
        return Action(Verb.REFUSE, item, key, reason) if reason else key

    return map_key


def _invalid_reason(key: str) -> str:
    """Return why a destination key is not valid; empty if it is."""
    if not key:
        return (
            "it has data, but its key is the source prefix itself, so its destination key would be "
            "empty"
        )
    if len(key.encode()) > MAX_KEY_BYTES:
        return f"the destination key would be longer than {MAX_KEY_BYTES:,} bytes"
    return ""
