"""Moves keys that an event names, as they are at the source by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.core.plan import plan_move
from frogmove.core.result import Outcome
from frogmove.core.source import look_up
from frogmove.core.transfer import run
from frogmove.core.upload_markers import UploadMarkers
from frogmove.errors import RunError
from frogmove.s3 import S3Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
    objects = list(find(inside, invocation, fates))
    if objects:
        _run(objects, invocation, fates)
    return fates


def find(wanted: Iterable[Wanted], invocation: Invocation, fates: Fates) -> Iterator[S3Object]:
    """Look at what is wanted.

    Args:
        wanted: keys under the source's prefix.
        invocation: see there.
        fates: takes in what becomes of those that cannot be moved.

    Yields:
        the objects that are there.
    """
    versions: dict[str | None, list[str]] = {}
    for each in wanted:
        versions.setdefault(each.version_id, []).append(each.key)
    bucket, size = invocation.route.source.bucket, invocation.terms.concurrency
    for version_id, keys in versions.items():
        looked_at = look_up(keys, invocation.s3, bucket, size, version_id, invocation.stop)
        for key, item in looked_at:
            if isinstance(item, S3Object):
                yield item
                continue
            invocation.telemetry.unseen(key, item)
            fates[Wanted(key, version_id)] = (
                Fate(Outcome.GONE, "no longer at the source")
                if item is None
                else Fate(Outcome.FAILED, str(item), item.retrying_helps)
            )


def _run(objects: Iterable[S3Object], invocation: Invocation, fates: Fates) -> None:
    telemetry, route = invocation.telemetry, invocation.route
    actions = telemetry.watch(plan_move(objects, route))
    markers = UploadMarkers(invocation.s3, route)
    try:
        for result in run(
            actions, invocation.s3, route, invocation.terms, invocation.stop, markers
        ):
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
