"""Predicts for a dry run what a run would do, from the destination's objects; writes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.annotations import has_other_annotations
from frogmove.core.backup import obstacle
from frogmove.core.conflict import resolve_conflict, under_policy
from frogmove.core.copy import ATTEMPTS
from frogmove.core.destination_check import (
    OTHER_ANNOTATIONS,
    DestinationCheck,
    Occupied,
    may_be_itself,
)
from frogmove.core.models import (
    Action,
    DeletedExtra,
    Effect,
    Forecast,
    Outcome,
    Result,
    Route,
    Verb,
)
from frogmove.core.restore import restore_obstacle
from frogmove.core.scheduler import run_in_order
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.models import Copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from frogmove.core.extra_delete import ExtraCheck

# Objects of other storage classes are never archived.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING"}

# The verbs for outcomes without a transfer.
_VERBS = {
    Outcome.CONFLICT: (Verb.CONFLICT, Effect.CONFLICT),
    Outcome.FAILED: (Verb.REFUSE, Effect.REFUSE),
    Outcome.SUPERSEDED: (Verb.SKIP, Effect.SUPERSEDED),
    Outcome.GONE: (Verb.SKIP, Effect.GONE),
}


def forecast(
    actions: Iterable[Action],
    check: DestinationCheck,
    is_free: Callable[[Action], bool],
    size: int,
    stop: Event,
) -> Iterator[Action]:
    """Apply the conflict policy to the actions of a plan, as a run would.

    Args:
        actions: a plan.
        check: checks the destination.
        is_free: tells whether the destination key of an action is known to be free; called in the
            order of the actions.
        size: maximum concurrent checks.
        stop: once set, no further action is checked.

    Yields:
        the actions with their forecasts, in order; those without a transfer have another verb.

    Raises:
        S3Error: when an error affects every object.
    """

    async def one(action: Action) -> Action:
        return await _forecast(action, check, is_free=is_free(action))

    return run_in_order(one, actions, size, stop)


def forecast_deletes(
    actions: Iterable[Action], check: ExtraCheck, size: int, stop: Event
) -> Iterator[Action]:
    """Turn the deletes of a reviewed plan into skips where a run would not delete any more.

    Args:
        actions: deletes.
        check: looks at both sides.
        size: maximum concurrent checks.
        stop: once set, no further action is checked.

    Raises:
        S3Error: when an error affects every object.
    """
    return run_in_order(partial(_forecast_delete, check), actions, size, stop)


async def _forecast(action: Action, check: DestinationCheck, *, is_free: bool) -> Action:
    if action.verb is Verb.RESTORE:
        return await _forecast_restore(action, check)
    if action.verb not in {Verb.MOVE, Verb.COPY}:
        return action
    try:
        identified = await check.identify(action)
        if isinstance(identified, Result):
            return _without_transfer(action, identified)
        if not is_free:
            decided = await _decide(under_policy(identified, check.options), check)
        else:
            decided = _transfer(identified, identified.destination_key)
        if not decided.effect.is_transfer or decided.effect is Effect.ALREADY_THERE:
            return decided
        return await _unless_archived(decided, check)
    except S3Error as error:
        if error.ends_the_run:
            raise
        return _unknown(action, error)


async def _forecast_restore(action: Action, check: DestinationCheck) -> Action:
    try:
        result = await restore_obstacle(check, action)
        is_moved = not isinstance(action.undoes, DeletedExtra)
        if is_moved and (result is None or result.outcome is Outcome.FAILED):
            decided = await _decide(under_policy(action, check.options), check)
            if not decided.effect.is_transfer:
                return decided
    except S3Error as error:
        if error.ends_the_run:
            raise
        return _unknown(action, error)
    return action if result is None else _without_transfer(action, result)


def _unknown(action: Action, error: S3Error) -> Action:
    reason = describe(error, "The effect of a run is not known")
    return replace(action, verb=Verb.REFUSE, reason=reason, forecast=Forecast(Effect.UNKNOWN))


async def _decide(action: Action, check: DestinationCheck) -> Action:
    """Follow the same steps as a run: :meth:`frogmove.core.copy.ObjectCopier.copy`."""
    copy, found = await check.first_copy(action)
    kept = action.forecast if action.effect is Effect.KEEP_BOTH else None
    for _ in range(ATTEMPTS):
        seen = await check.look_up(action, copy)
        if isinstance(seen, Result):
            return _without_transfer(action, seen)
        if isinstance(seen, Copy):
            return _transfer(action, seen.to_key, kept)
        there = seen.there.object
        if copy.replaces is not None and etags_match(there.etag, copy.replaces):
            # In a plan that is applied, the reason of a move is only in its forecast.
            known = action.reason if action.forecast is None else action.forecast.cause
            return _replacement(action, seen, known, check)
        other = await check.difference(seen, found)
        if not other and await has_other_annotations(check.s3, seen.copy):
            other = OTHER_ANNOTATIONS
        if not other:
            return _already_there(action, seen)
        resolved = resolve_conflict(check.options, action, seen.copy, seen.there, other)
        if isinstance(resolved, Result):
            return _without_transfer(action, resolved, Forecast(Effect.CONFLICT, there, other))
        if resolved.replaces is not None:
            return _replacement(action, seen, other, check)
        copy, kept = resolved, Forecast(Effect.KEEP_BOTH, there, other)
    return replace(action, verb=Verb.CONFLICT, reason="the destination kept changing")


async def _forecast_delete(check: ExtraCheck, action: Action) -> Action:
    try:
        changed = await check.changed(action)
    except S3Error as error:
        if error.ends_the_run:
            raise
        return _unknown(action, error)
    return action if changed is None else _without_transfer(action, changed)


def _transfer(action: Action, key: str, kept: Forecast | None = None) -> Action:
    """Return an action whose destination key is free."""
    expected = kept or Forecast(Effect(action.verb.value), cause=action.reason)
    return replace(action, destination_key=key, replaces=None, forecast=expected)


def _replacement(action: Action, seen: Occupied, cause: str, check: DestinationCheck) -> Action:
    there, backup = seen.there.object, check.options.backup
    if backup is not None:
        reason = obstacle(Route(check.route.destination, backup), there.key)
        if reason:
            reason = f"nothing would be replaced, because it could not be backed up: {reason}"
            forecast = Forecast(Effect.REFUSE, there, reason)
            return replace(action, verb=Verb.REFUSE, reason=reason, forecast=forecast)
    forecast = Forecast(Effect.REPLACE, there, cause)
    return replace(action, replaces=there.etag, forecast=forecast)


def _already_there(action: Action, seen: Occupied) -> Action:
    there = seen.there.object
    cause = "the destination already holds the same bytes"
    if action.verb is Verb.MOVE:
        cause += ": only the source would be deleted"
    reason = cause
    if may_be_itself(seen.source.object, there):
        # A run checks that with a temporary key; a dry run writes nothing.
        reason = (
            f"{cause}, written in the same second: a run first checks that the two are not the "
            "same object"
        )
    forecast = Forecast(Effect.ALREADY_THERE, there, cause)
    key = seen.copy.to_key
    return replace(action, destination_key=key, replaces=None, reason=reason, forecast=forecast)


def _without_transfer(action: Action, result: Result, conflict: Forecast | None = None) -> Action:
    """Return the action of a result without a transfer."""
    verb, effect = _VERBS.get(result.outcome, (Verb.SKIP, Effect.SKIP))
    there, cause = (None, result.reason) if conflict is None else (conflict.there, conflict.cause)
    return replace(action, verb=verb, reason=result.reason, forecast=Forecast(effect, there, cause))


async def _unless_archived(action: Action, check: DestinationCheck) -> Action:
    item = action.object
    if item.storage_class not in _ARCHIVES:
        return action
    source = await check.source.head(item.key, item.version_id)
    if source is None or not source.is_archived:
        return action
    reason = f"it is archived ({item.storage_class}): restore it first"
    forecast = Forecast(Effect.ARCHIVED, cause=reason)
    return replace(action, verb=Verb.REFUSE, reason=reason, forecast=forecast)
