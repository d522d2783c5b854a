"""Resolves the comparisons of a sync plan by HEAD requests or by reading both sides."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from threading import Event

from frogmove.core.advice import describe
from frogmove.core.content import ContentComparer
from frogmove.core.key_mapping import SAME_KEYS, KeyMapping
from frogmove.core.models import Action, Route, Verb
from frogmove.core.options import SyncOptions
from frogmove.core.plan import plan_sync
from frogmove.core.scheduler import Finished, run_tasks, wait_for
from frogmove.core.selection import Selection, matching
from frogmove.core.verify import CompareBy, Comparison, Match, compare
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.listing import list_folder
from frogmove.s3.models import Head
from frogmove.s3.uri import is_directory_bucket

DEFAULTS = SyncOptions()


def resolve_comparisons(
    actions: Iterable[Action],
    s3: S3,
    route: Route,
    size: int,
    stop: Event,
    options: SyncOptions = DEFAULTS,
) -> Iterator[Action]:
    """Turn each COMPARE into COPY, SKIP or REFUSE; yield other actions unchanged.

    Args:
        actions: a plan.
        s3: the client for both buckets.
        route: the route.
        size: maximum concurrent comparisons.
        stop: once set, no further action is started.
        options: how to compare.

    Yields:
        the actions, in the order in which they are resolved.

    Raises:
        S3Error: when every further request fails.
    """
    content = ContentComparer(s3, options.max_compare_size)

    async def one(action: Action) -> Action:
        try:
            seen = await head_both(s3, route, action.object.key, action.destination_key)
            comparison = compare(*seen)
            if options.compare is CompareBy.CONTENT:
                comparison = await compare_contents(content, route, seen, comparison)
        except S3Error as error:
            if error.ends_the_run:
                raise
            return _unread(action, error)
        if options.compare is not CompareBy.CONTENT:
            return _decide(action, comparison, _is_newer(*seen), options.compare)
        if comparison.match is Match.UNKNOWN:
            return _too_large(action, options.max_compare_size)
        return _decide(action, comparison, False, options.compare)

    tasks = (one(each) if each.verb is Verb.COMPARE else Finished(each) for each in actions)
    return run_tasks(tasks, size, stop)


async def head_both(s3: S3, route: Route, key: str, destination_key: str) -> tuple[Head, Head]:
    """Send a HEAD request for a source object and for the object at its destination key.

    Raises:
        S3Error: when one fails, or one of the objects is missing.
    """
    source = s3.head(route.source.bucket, key)
    there = s3.head(route.destination.bucket, destination_key)
    return await wait_for(source), await wait_for(there)


async def compare_contents(
    content: ContentComparer, route: Route, seen: tuple[Head, Head], comparison: Comparison
) -> Comparison:
    """Compare the bytes of two objects, unless it is known that they differ.

    Args:
        content: reads them.
        route: the route.
        seen: the source's object and the destination's.
        comparison: the result of comparing their ETags and checksums.

    Returns:
        the comparison of the bytes; the given one if the objects are too large to read.

    Raises:
        S3Error: when one cannot be read or has changed.
    """
    if comparison.match is Match.DIFFERENT:
        return comparison
    one, other = (head.object for head in seen)
    match = await content.compare((route.source.bucket, one), (route.destination.bucket, other))
    return comparison if match is Match.UNKNOWN else Comparison(match, "content")


def _decide(action: Action, comparison: Comparison, newer: bool, by: CompareBy) -> Action:
    """Decide by a comparison whether to copy or to skip."""
    if comparison.match is Match.SAME:
        return replace(action, verb=Verb.SKIP, reason=f"already there, same {comparison.by}")
    if comparison.match is Match.DIFFERENT:
        return replace(action, verb=Verb.COPY, reason=f"{comparison.by} differs")
    reason = "same size, but no ETag or checksum proves the same bytes"
    if by is CompareBy.CHECKSUM:
        return replace(action, verb=Verb.COPY, reason=reason)
    # Otherwise every sync would copy objects without comparable ETags again.
    if newer:
        reason = "up to date: same size, and newer than the source; the bytes were not compared"
        return replace(action, verb=Verb.SKIP, reason=reason)
    return replace(action, verb=Verb.COPY, reason=f"{reason}, and not newer than the source")


def _changed(action: Action) -> Action:
    # The conditions of the copy decide.
    return replace(action, verb=Verb.COPY, reason="changed since it was listed")


def _unread(action: Action, error: S3Error) -> Action:
    """Return the action for objects that could not be read."""
    if error.kind in {Kind.MISSING, Kind.CHANGED}:
        return _changed(action)
    reason = describe(error, "It could not be compared, and nothing was copied")
    return replace(action, verb=Verb.REFUSE, reason=reason)


def _too_large(action: Action, largest: int) -> Action:
    return replace(action, verb=Verb.COPY, reason=f"too large to compare (over {largest:,} bytes)")


def _is_newer(source: Head, there: Head) -> bool:
    return there.object.last_modified > source.object.last_modified


def plan_resolved_sync(
    s3: S3,
    route: Route,
    size: int,
    stop: Event,
    options: SyncOptions = DEFAULTS,
    *,
    selection: Selection,
    mapping: KeyMapping = SAME_KEYS,
    hold_back: Callable[[Iterable[Action]], Iterable[Action]] | None = None,
) -> Iterator[Action]:
    """Plan a sync of a selection, with all comparisons resolved.

    Args:
        s3: the client for both buckets.
        route: the route.
        size: maximum concurrent comparisons.
        stop: once set, no further action is started.
        options: how to compare.
        selection: folders of the source.
        mapping: which keys the copies get; must keep the order of keys.
        hold_back: turns actions whose objects must not be read into others, before any comparison.

    Yields:
        the actions, in the order in which they are resolved.

    Raises:
        S3Error: when a request fails.
        RunError: when a listing is not in key order.
        UsageError: when a bucket never lists in key order.
    """
    check_listing_order(route)
    source, destination = route.source, route.destination

    def planned(folder: str) -> Iterator[Action]:
        twins = mapping.destination_prefix(folder, route)
        return plan_sync(
            matching(list_folder(s3, source.bucket, folder), selection.matcher(folder)),
            list_folder(s3, destination.bucket, twins),
            route,
            options.compare,
            mapping,
        )

    actions: Iterable[Action] = chain.from_iterable(map(planned, selection.folders))
    if hold_back is not None:
        actions = hold_back(actions)
    return resolve_comparisons(actions, s3, route, size, stop, options)


def check_listing_order(route: Route) -> None:
    """Refuse buckets that never list in key order.

    Raises:
        UsageError: when one end of the route is such a bucket.
    """
    for end in (route.source, route.destination):
        if is_directory_bucket(end.bucket):
            raise UsageError(
                f"{in_quotes(end.bucket)} is a directory bucket. Both sides cannot be compared, "
                "because it "
                "does not list in key order.",
                "Use `frogmove move` or `frogmove copy`.",
            )
