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
            seen_there = await destinations.head(action.destination_key)
        except S3Error as error:
            if error.ends_the_run:
                raise
            reason = describe(error, "It could not be looked up, and was not changed")
            return Action(Verb.REFUSE, _unseen(key), "", reason)
        there = () if seen_there is None else (seen_there.object,)
        compare = spec.sync_options().compare
        (action,) = plan_sync((item,), there, route, compare, spec.mapping)
        return action

    actions = run_tasks((plan_one(key) for key in keys), size, stop)
    return (action for action in actions if action is not None)


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
