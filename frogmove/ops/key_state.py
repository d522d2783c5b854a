"""Where the object of a key is now: still at the source, moved, or gone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.selection import HEAD_CONCURRENCY, head_each
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from frogmove.core.models import Route
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


class ObjectState(StrEnum):
    """The states of a key, the one that needs most attention first."""

    WAITS = "waits"
    UNKNOWN = "unknown"
    OTHER = "other-bucket"
    MOVED = "moved"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class KeyState:
    """Where a key's object is.

    Attributes:
        bucket: the bucket that a message names.
        key: the key.
        state: the state.
        reason: why the state is not known, with the missing permission; else empty.
    """

    bucket: str
    key: str
    state: ObjectState
    reason: str = ""

    def record(self) -> dict[str, str]:
        """Return its JSON record."""
        return {
            "bucket": self.bucket,
            "key": self.key,
            "state": self.state.value,
            "reason": self.reason,
        }


def key_states(
    s3: S3, route: Route, uploads: Collection[tuple[str, str]]
) -> dict[tuple[str, str], KeyState]:
    """Look up where objects are, with a HEAD request on each side.

    Args:
        s3: the client for both buckets.
        route: the route.
        uploads: bucket and key of each.
    """
    source, destination = route.source, route.destination
    inside = [
        key
        for bucket, key in dict.fromkeys(uploads)
        if bucket == source.bucket and key.startswith(source.prefix)
    ]
    here = dict(head_each(inside, s3, source.bucket, HEAD_CONCURRENCY))
    left = [key for key in inside if not here[key]]
    places = {key: route.destination_key(key) for key in left}
    there = dict(_each(places.values(), s3, destination.bucket))
    states = {}
    for bucket, key in uploads:
        state, reason = ObjectState.OTHER, ""
        if key in here and bucket == source.bucket:
            state, reason = _state(here[key], there.get(places.get(key, "")))
        states[bucket, key] = KeyState(bucket, key, state, reason)
    return states


def _each(
    keys: Iterable[str], s3: S3, bucket: str
) -> Iterable[tuple[str, S3Object | S3Error | None]]:
    return head_each(list(keys), s3, bucket, HEAD_CONCURRENCY)


def _state(
    here: S3Object | S3Error | None, there: S3Object | S3Error | None
) -> tuple[ObjectState, str]:
    if isinstance(here, S3Error):
        return ObjectState.UNKNOWN, describe(here, "The source could not be read")
    if here is not None:
        return ObjectState.WAITS, ""
    if isinstance(there, S3Error):
        return ObjectState.UNKNOWN, describe(there, "The destination could not be read")
    return (ObjectState.GONE if there is None else ObjectState.MOVED), ""
