"""Resolves the comparisons that a plan left open: HEAD on both sides, checksums first."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Event

from frogmove.core.models import Action, Route, Verb
from frogmove.core.plan import plan_sync
from frogmove.core.scheduler import Scheduler, wait_for
from frogmove.core.verify import Match, compare
from frogmove.errors import UsageError
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.listing import list_prefix
from frogmove.s3.models import Head
from frogmove.s3.uri import is_directory_bucket


def resolve_comparisons(
    actions: Iterable[Action], s3: S3, route: Route, size: int, stop: Event
) -> Iterator[Action]:
    """Turn each COMPARE into COPY or SKIP and pass every other action on.

    Args:
        actions: a plan.
        s3: where both buckets are.
        route: which buckets.
        size: how many objects may be looked at at once.
        stop: once set, no further action is taken.

    Yields:
        the actions, in the order in which they are settled.

    Raises:
        S3Error: when an object cannot be looked at.
    """

    async def one(action: Action) -> Action:
        if action.verb is not Verb.COMPARE:
            return action
        try:
            source = await wait_for(s3.head(route.source.bucket, action.object.key))
            there = await wait_for(s3.head(route.destination.bucket, action.destination_key))
        except S3Error as error:
            if error.kind is not Kind.MISSING:
                raise
            # One side went away since it was listed: the copy's own conditions will tell.
            return replace(action, verb=Verb.COPY, reason="changed since it was listed")
        comparison = compare(source, there)
        if comparison.match is Match.SAME:
            return replace(action, verb=Verb.SKIP, reason=f"already there, same {comparison.by}")
        if comparison.match is Match.UNKNOWN and _is_newer(there, source):
            reason = "up to date: same size, and newer than the source; the bytes were not compared"
            return replace(action, verb=Verb.SKIP, reason=reason)
        reason = (
            f"{comparison.by} differs"
            if comparison.match is Match.DIFFERENT
            else "same size, but nothing proves the same bytes, and not newer than the source"
        )
        return replace(action, verb=Verb.COPY, reason=reason)

    return Scheduler(size, size, lambda: None, stop).run(one(action) for action in actions)


def _is_newer(there: Head, source: Head) -> bool:
    # Without this, what has no comparable ETag would be copied by every sync.
    return there.object.last_modified > source.object.last_modified


def plan_resolved_sync(s3: S3, route: Route, size: int, stop: Event) -> Iterator[Action]:
    """Plan a sync of everything on a route, with nothing left to compare.

    Args:
        s3: where both buckets are.
        route: which buckets.
        size: how many objects may be looked at at once.
        stop: once set, no further action is taken.

    Yields:
        the actions, in the order in which they are settled.

    Raises:
        S3Error: when an object cannot be looked at, or a page of a listing cannot be had.
        RunError: when a listing is not in order.
        UsageError: when one of them cannot be in order.
    """
    source, destination = route.source, route.destination
    for end in (source, destination):
        if is_directory_bucket(end.bucket):
            raise UsageError(
                f"{end.bucket!r} is a directory bucket, whose listings have no order: "
                "it cannot be synced.",
                "Move keys from or to it with `frogmove move`.",
            )
    actions = plan_sync(
        list_prefix(s3, source.bucket, source.prefix),
        list_prefix(s3, destination.bucket, destination.prefix),
        route,
    )
    return resolve_comparisons(actions, s3, route, size, stop)
