"""Finds the objects of a job of S3 Batch Operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.advice import explain_errors
from frogmove.core.lookup import Lookup
from frogmove.core.models import Effect, Verb
from frogmove.core.plan_file import read_header, read_plan
from frogmove.core.run_spec import Command
from frogmove.core.scheduler import run_in_order
from frogmove.core.selection import HEAD_CONCURRENCY
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.run_plan import plan_actions
from frogmove.s3.models import NULL_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from frogmove.core.models import Action, Route
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


def selected_objects(s3: S3, spec: RunSpec, missing: list[str], stop: Event) -> Iterator[S3Object]:
    """Yield the objects of a selection.

    Args:
        s3: the client for the source.
        spec: the selection, as of a move.
        missing: receives a message for each key of a list that does not exist or cannot be read.
        stop: once set, no further object is looked for.

    Raises:
        UsageError: when a selected key does not exist.
        UnreachableError: when the source cannot be listed.
    """
    with explain_errors(spec.route().source.bucket):
        for action in plan_actions(s3, spec, (), stop):
            if action.verb is Verb.MOVE:
                yield action.object
            else:
                missing.append(f"{in_quotes(action.object.key)}: {action.reason}")


def with_versions(objects: Iterable[S3Object], s3: S3, bucket: str) -> Iterator[S3Object]:
    """Yield the objects with their version ids; those that are gone meanwhile are omitted.

    Raises:
        UsageError: when the bucket does not keep versions.
        UnreachableError: when an object cannot be read.
    """
    lookup = Lookup(s3, bucket)

    async def pinned(item: S3Object) -> S3Object | None:
        seen = await lookup.head(item.key, item.version_id)
        if seen is None:
            return None
        if seen.version_id in {None, NULL_VERSION}:
            raise UsageError(
                f"{in_quotes(item.key)} has no version: s3://{bucket} did not keep versions when "
                "it was written.",
                "Leave out --versions.",
            )
        return seen.object._replace(version_id=seen.version_id)

    with explain_errors(bucket):
        yield from filter(None, run_in_order(pinned, objects, HEAD_CONCURRENCY))


def planned_objects(path: Path, route: Route) -> Iterator[S3Object]:
    """Yield the objects that a plan moves.

    Args:
        path: the plan's file.
        route: the route of the function.

    Raises:
        UsageError: when the file is not a complete plan, is for another route, or does something
            that the function does not do.
    """
    spec = read_header(path).spec
    if spec.command is not Command.MOVE:
        raise UsageError(
            f"The plan {in_quotes(str(path))} is for a {spec.command}; a job moves.",
            "Make the plan with `frogmove move --plan`.",
        )
    if spec.route() != route:
        raise UsageError(
            f"The plan {in_quotes(str(path))} is for {spec.source} -> {spec.destination}, not for "
            f"{route.source} -> {route.destination}.",
            "Give the plan's own route.",
        )
    for action in read_plan(path):
        if action.verb is Verb.MOVE and _is_move(action):
            if action.destination_key != route.destination_key(action.object.key):
                raise UsageError(
                    f"The plan {in_quotes(str(path))} gives keys other names, such as "
                    f"{in_quotes(action.destination_key)}; the function keeps them.",
                    "Use `frogmove apply`.",
                )
            yield action.object


def _is_move(action: Action) -> bool:
    return action.effect.is_transfer and action.effect is not Effect.KEEP_BOTH
