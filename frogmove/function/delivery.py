"""Moves keys that an event names, as they are at the source by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.core.plan import plan_move
from frogmove.core.result import Outcome
from frogmove.core.transfer import run
from frogmove.core.upload_markers import UploadMarkers
from frogmove.core.window import Answer, Window
from frogmove.errors import RunError
from frogmove.s3 import S3Error
from frogmove.s3.failure import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from frogmove.core.action import Action
    from frogmove.function.invocation import Invocation


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key of the source bucket, or one version of it."""

    key: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a key that was wanted.

    Attributes:
        outcome: how it ended.
        reason: for people: why.
        retrying_helps: whether a failure may pass by itself.
    """

    outcome: Outcome
    reason: str = ""
    retrying_helps: bool = False

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do for whoever wanted the key."""
        return not self.outcome.needs_attention


# What there was no time for, or what nothing could be done for.
NOT_REACHED = Fate(Outcome.FAILED, "not reached before the end", retrying_helps=True)

Fates = dict[Wanted, Fate]


def deliver(wanted: Iterable[Wanted], invocation: Invocation) -> Fates:
    """Move what is wanted and there.

    Whatever an event says of an object is not asked: by now another may be in its place, or none,
    as events come twice, late and out of order. What is there is moved under its own ETag.

    Args:
        wanted: each is moved once, however often it is named.
        invocation: see there.

    Returns:
        what became of each; one that was not reached is left out.
    """
    fates: Fates = {}
    inside = []
    for each in dict.fromkeys(wanted):
        if each.key.startswith(invocation.route.source.prefix):
            inside.append(each)
        else:
            fates[each] = Fate(Outcome.SKIPPED, "not under the source's prefix")
            invocation.telemetry.outside(each.key)
    _run(inside, invocation, fates)
    return fates


def plan(wanted: Iterable[Wanted], invocation: Invocation, fates: Fates) -> Iterator[Action]:
    """Plan to move what is wanted and there; for a dry run.

    Args:
        wanted: keys under the source's prefix.
        invocation: see there.
        fates: takes in what becomes of those that cannot be moved.
    """
    size = invocation.terms.concurrency
    window = Window(size, size, lambda: None, invocation.stop)
    planned = window.run(_planned(each, invocation, fates) for each in wanted)
    return (action for action in planned if action is not None)


async def _planned(each: Wanted, invocation: Invocation, fates: Fates) -> Action | None:
    """Look at what is wanted, and plan its move; None where it cannot be moved.

    A part of its move, and not a step before all moves: an answer that is long in coming must not
    keep the others waiting.
    """
    route = invocation.route
    invocation.telemetry.begin(each.key)
    try:
        seen = await Answer(invocation.s3.head(route.source.bucket, each.key, each.version_id))
    except S3Error as error:
        is_gone = error.kind is Kind.MISSING
        invocation.telemetry.unseen(each.key, None if is_gone else error)
        fates[each] = (
            Fate(Outcome.GONE, "no longer at the source")
            if is_gone
            else Fate(Outcome.FAILED, str(error), error.retrying_helps)
        )
        return None
    (action,) = plan_move([seen.object], route)
    return action


def _run(wanted: Iterable[Wanted], invocation: Invocation, fates: Fates) -> None:
    s3, route, telemetry = invocation.s3, invocation.route, invocation.telemetry
    actions = (_planned(each, invocation, fates) for each in wanted)
    markers = UploadMarkers(s3, route)
    try:
        for result in run(actions, s3, route, invocation.terms, invocation.stop, markers):
            item = result.action.object
            fate = Fate(result.outcome, result.reason, result.retrying_helps)
            fates[Wanted(item.key, item.version_id)] = fate
            telemetry.done(result)
    except RunError as error:
        telemetry.warn(error)


def not_done(wanted: Iterable[Wanted], fates: Mapping[Wanted, Fate]) -> dict[Wanted, Fate]:
    """Return what has to be delivered again, and why."""
    ends = {each: fates.get(each, NOT_REACHED) for each in wanted}
    return {each: fate for each, fate in ends.items() if not fate.is_done}
