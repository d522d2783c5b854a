"""Objects, heads, actions and a run's spec as plain values, for tests that need no server."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from frogmove.core.models import Action, Outcome, Result, Route, Verb
from frogmove.core.run_spec import Command, RunSpec
from frogmove.s3.models import Checksum, Head, S3Object
from frogmove.s3.uri import Location

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_AGO = datetime(2026, 7, 1, 12, 30, 45, tzinfo=UTC)
ROUTE = Route(Location("external"), Location("internal"))
RUN_SPEC = RunSpec(
    id="20261123-073012-ab12",
    started="2026-11-23T07:30:12+00:00",
    command=Command.MOVE,
    source="s3://external/",
    destination="s3://internal/",
)


def md5(body: bytes) -> str:
    """Return the ETag of a plain object."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def an_object(key: str = "key", body: bytes = b"body", **changes: Any) -> S3Object:
    """Return an object that holds a body."""
    return S3Object(key, len(body), md5(body), LONG_AGO)._replace(**changes)


def a_head(
    item: S3Object, checksums: Sequence[Checksum] = (), encryption: str | None = None
) -> Head:
    """Return what a HEAD of an object answers."""
    return Head(item, tuple(checksums), encryption)


def an_action(verb: Verb = Verb.MOVE, key: str = "key", reason: str = "") -> Action:
    """Return an action on an object."""
    return Action(verb, an_object(key), key, reason)


def a_result(outcome: Outcome, key: str = "key", reason: str = "") -> Result:
    """Return a result of a move."""
    return Result(an_action(key=key), outcome, reason)
