"""Plans to bring a run's objects back, from its journal. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from frogmove.core.models import Action, Replaced, Route, Verb, VerifiedCopy
from frogmove.core.records import Record
from frogmove.errors import UsageError
from frogmove.s3.models import S3Object

# Not used where an object is named by its ETag.
_UNKNOWN = datetime.fromtimestamp(0, UTC)


def plan_undo(copied: Iterable[Record]) -> Iterator[Action]:
    """Plan to bring back what each copy of a run brought, and to leave what it did not.

    Each action is pinned to the ETag that the copy had then: what has changed since is left
    alone. Where the source is still there, as after a sync, only the copy goes away. What the
    destination held before the run is there afterwards, as far as it can be.

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
            key, held, replaced = record["key"], record["held"], record["replaced"]
            made = VerifiedCopy(
                copy.key,
                copy.etag,
                record["destination_version_id"],
                held,
                None if replaced is None else Replaced(**replaced),
            )
        except (KeyError, TypeError) as error:
            raise UsageError(f"A record of the journal lacks {error}.") from error
        if made.replaced is not None:
            reason = "what it replaced is restored where the bucket kept that version"
            yield Action(Verb.RESTORE, copy, key, reason, undoes=made)
        elif made.held:
            reason = "it may have been there before the run, so it also stays there"
            yield Action(Verb.RESTORE, copy, key, reason, undoes=made)
        else:
            yield Action(Verb.MOVE, copy, key)


def backwards(route: Route) -> Route:
    """Return a route the other way round."""
    return Route(route.destination, route.source)
