"""Plans to bring a run's objects back, from its journal. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frogmove.core.models import Action, Replaced, Verb, VerifiedCopy
from frogmove.errors import UsageError
from frogmove.s3.models import S3Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.records import Record

    # A key and where it was copied to.
    _Place = tuple[str, str]

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
            key, replaced = record["key"], record["replaced"]
            made = VerifiedCopy(
                copy.key,
                copy.etag,
                record["destination_version_id"],
                held=record["held"],
                replaced=None if replaced is None else Replaced(**replaced),
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


def copies_of(first: JournalReader, *resumes: JournalReader) -> Iterator[Record]:
    """Read the ``copied`` records of a run and of its resumes, in this order, as those of one run.

    Only what the resumes copied is held in memory.

    Raises:
        UsageError: when a record lacks what is needed.
    """
    later: dict[_Place, Record] = {}
    try:
        for journal in reversed(resumes):
            later = {_place(record): record for record in _joined(journal, later)}
        yield from _joined(first, later)
    except KeyError as error:
        raise UsageError(f"A record of the journal lacks {error}.") from error


def _joined(journal: JournalReader, later: dict[_Place, Record]) -> Iterator[Record]:
    """Join a run's records with those that its resumes made; empties ``later``."""
    started = journal.spec.started
    sent = {_place(each): each for each in journal.of_type("copying") if _place(each) in later}
    for record in journal.of_type("copied"):
        place = _place(record)
        sent.pop(place, None)
        again = later.pop(place, None)
        own = _claimed(record, None, started) if record["resent"] else record
        yield own if again is None else _joined_record(own, again)
    for place, record in later.items():
        yield _claimed(record, sent[place]["replaced"], started) if place in sent else record


def _joined_record(earlier: Record, later: Record) -> Record:
    """Make one of the records of two copies to one place."""
    copy, replaced = earlier["destination_etag"], later["replaced"]
    if later["held"] and later["destination_etag"] == copy:
        return earlier
    if replaced is not None and replaced["etag"] == copy:
        return {**later, "held": earlier["held"], "replaced": earlier["replaced"]}
    return later


def _claimed(record: Record, replaced: Record | None, started: str) -> Record:
    """Take what was found in place of a copy for that copy, if it was made since the run began.

    So it is where the copy had been sent, and no answer came. S3 tells whole seconds: what was
    put there just before the first one may be taken for it.
    """
    modified = record["modified"]
    if not record["held"] or datetime.fromisoformat(modified) < datetime.fromisoformat(started):
        return record
    return {**record, "held": False, "replaced": replaced}


def _place(record: Record) -> _Place:
    return record["key"], record["destination_key"]
