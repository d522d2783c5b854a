"""Plans to bring a run's objects back, from its journal. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from frogmove.core.models import Action, Route, Verb
from frogmove.core.records import Record
from frogmove.errors import UsageError
from frogmove.s3.models import S3Object

# Not used where an object is named by its ETag.
_UNKNOWN = datetime.fromtimestamp(0, UTC)


def plan_undo(copied: Iterable[Record]) -> Iterator[Action]:
    """Plan to move each copy that a run made back to where it came from.

    Each action is pinned to the ETag that the copy had then: what has changed since is left
    alone. Where the source is still there, as after a sync, only the copy goes away.

    Args:
        copied: the run's ``copied`` records.

    Raises:
        UsageError: when a record lacks what is needed.
    """
    for record in copied:
        try:
            copy = S3Object(
                key=record["destination_key"],
                size=record["size"],
                etag=record["destination_etag"],
                last_modified=_UNKNOWN,
                storage_class=record["storage_class"],
            )
            key, replaced = record["key"], record["replaced"]
        except KeyError as error:
            raise UsageError(f"A record of the journal lacks {error}.") from error
        if replaced is None:
            yield Action(Verb.MOVE, copy, key)
        else:
            reason = "it replaced another object, which cannot be brought back"
            yield Action(Verb.REFUSE, copy, key, reason)


def backwards(route: Route) -> Route:
    """Return a route the other way round."""
    return Route(route.destination, route.source)
