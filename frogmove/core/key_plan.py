"""Plans runs of single keys: each is looked up, for a sync also at the destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, Verb
from frogmove.core.plan import plan_copy, plan_move, plan_sync
from frogmove.core.run_spec import Command
from frogmove.core.scheduler import run_tasks
from frogmove.s3.errors import S3Error
from frogmove.s3.models import NO_TIME, S3Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Event

    from frogmove.core.models import Route
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3


def plan_keys(
    keys: Iterable[str], s3: S3, spec: RunSpec, size: int, stop: Event, *, resumes: bool
) -> Iterator[Action]:
    """Plan a run of keys.

    Args:
        keys: complete keys, read lazily.
        s3: the client for both buckets.
        spec: the run; its filters apply.
        size: maximum concurrent lookups.
        stop: once set, no further key is planned.
        resumes: whether missing keys are omitted, because an earlier run moved them.

    Yields:
        the actions, in the order in which lookups finish. NOT_FOUND if the key does not exist,
        REFUSE if the lookup failed, COMPARE as in :func:`plan_sync`.

    Raises:
        S3Error: when every further lookup would fail.
    """
    route, selection = spec.route(), spec.selection
    is_selected = selection.matcher()
    sources, destinations = Lookup(s3, route.source.bucket), Lookup(s3, route.destination.bucket)

    async def plan_one(key: str) -> Action | None:
        try:
            seen = await sources.head(key, selection.version_id)
            if seen is None:
                return None if resumes else Action(Verb.NOT_FOUND, _unseen(key), "", _MISSING)
            item = seen.object
            if is_selected is not None and not is_selected(item):
                return None
            (action,) = (plan_move if spec.command is Command.MOVE else plan_copy)(
                (item,), route, spec.mapping
            )
            if spec.command is not Command.SYNC or action.verb is not Verb.COPY:
                return action
            return await _compared(action, destinations, spec)
        except S3Error as error:
            return _not_looked_up(error, _unseen(key))

    actions = run_tasks((plan_one(key) for key in keys), size, stop)
    return (action for action in actions if action is not None)


def plan_copies_as_sync(
    copies: Iterable[Action], s3: S3, spec: RunSpec, size: int, stop: Event
) -> Iterator[Action]:
    """Turn a plan of copies into that of a sync: look up each destination key.

    Args:
        copies: the plan, read lazily; other actions are yielded unchanged.
        s3: the client for both buckets.
        spec: the sync.
        size: maximum concurrent lookups.
        stop: once set, no further action is planned.

    Yields:
        the actions, in the order in which lookups finish. REFUSE if the lookup failed, COMPARE as
        in :func:`plan_sync`.

    Raises:
        S3Error: when every further lookup would fail.
    """
    destinations = Lookup(s3, spec.route().destination.bucket)

    async def plan_one(action: Action) -> Action:
        if action.verb is not Verb.COPY:
            return action
        try:
            return await _compared(action, destinations, spec)
        except S3Error as error:
            return _not_looked_up(error, action.object)

    return run_tasks((plan_one(action) for action in copies), size, stop)


async def _compared(copy: Action, destinations: Lookup, spec: RunSpec) -> Action:
    """Return what a sync does instead of a copy, by what its destination key holds."""
    seen = await destinations.head(copy.destination_key)
    there = () if seen is None else (seen.object,)
    compare = spec.sync_options().compare
    (action,) = plan_sync((copy.object,), there, spec.route(), compare, spec.mapping)
    return action


def _not_looked_up(error: S3Error, item: S3Object) -> Action:
    if error.ends_the_run:
        raise error
    reason = describe(error, "It could not be looked up, and was not changed")
    return Action(Verb.REFUSE, item, "", reason)


def remaining_actions(
    actions: Iterable[Action], s3: S3, route: Route, size: int, stop: Event
) -> Iterator[Action]:
    """Leave out moves and deletes of objects that no longer exist: an earlier run did them.

    Args:
        actions: a plan.
        s3: the client for both buckets.
        route: the route.
        size: maximum concurrent HEAD requests.
        stop: once set, no further object is looked at.

    Raises:
        S3Error: when an error affects every object.
    """
    sources, others = Lookup(s3, route.source.bucket), Lookup(s3, route.destination.bucket)

    async def one(action: Action) -> Action | None:
        try:
            if action.verb is Verb.MOVE:
                seen = await sources.head(action.object.key, action.object.version_id)
            elif action.verb is Verb.DELETE:
                seen = await others.head(action.destination_key)
            else:
                return action
        except S3Error as error:
            if error.ends_the_run:
                raise
            # The action itself will fail, too, and say so.
            return action
        return None if seen is None else action

    left = run_tasks((one(action) for action in actions), size, stop)
    return (action for action in left if action is not None)


_MISSING = "the key does not exist at the source"


def _unseen(key: str) -> S3Object:
    return S3Object(key, 0, "", NO_TIME)
