"""Plans an undo from a run's journal."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING

from frogmove.core.models import (
    Action,
    BackupCopy,
    DeletedExtra,
    Outcome,
    Replaced,
    Verb,
    VerifiedCopy,
)
from frogmove.core.run_spec import Command
from frogmove.errors import UsageError
from frogmove.s3.etag import etags_match
from frogmove.s3.models import NO_TIME, S3Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.records import Record

    # A key and the key of its copy.
    _KeyPair = tuple[str, str]


def plan_undo(copied: Iterable[Record]) -> Iterator[Action]:
    """Plan to move back each copy that a run made.

    Each action is conditional on the copy's ETag: an object that has changed since is left. If the
    source still exists, as after a sync, only the copy is deleted. The destination holds the same
    objects as before the run, if they can be restored.

    Args:
        copied: the run's ``copied`` records.

    Raises:
        UsageError: when a record lacks what is needed.
    """
    for record in copied:
        with complete_records():
            copy = _at_destination(record, record["destination_etag"])
            key, replaced = record["key"], record["replaced"]
            made = VerifiedCopy(
                copy.key,
                copy.etag,
                record["destination_version_id"],
                held=record["held"],
                replaced=None if replaced is None else Replaced.of_record(replaced),
            )
        if made.replaced is not None:
            reason = "the object that it replaced is restored if the bucket kept that version"
            yield Action(Verb.RESTORE, copy, key, reason, undoes=made)
        elif made.held:
            reason = "it may have been there before the run, so it also stays there"
            yield Action(Verb.RESTORE, copy, key, reason, undoes=made)
        else:
            yield Action(Verb.MOVE, copy, key)


def plan_undelete(deleted: Iterable[Record]) -> Iterator[Action]:
    """Plan to restore each object that a sync deleted at the destination.

    Args:
        deleted: the run's ``deleting`` records.

    Raises:
        UsageError: when a record lacks what is needed.
    """
    for record in deleted:
        with complete_records():
            item = _at_destination(record, record["etag"])
            extra = DeletedExtra(BackupCopy.of_record(record["backup"]))
        reason = "deleted by the run; it is restored if a version or a backup of it is kept"
        yield Action(Verb.RESTORE, item, "", reason, undoes=extra)


@contextmanager
def complete_records() -> Iterator[None]:
    """Turn errors about missing fields of a journal's records into messages for the operator.

    Raises:
        UsageError: instead of KeyError and TypeError.
    """
    try:
        yield
    except (KeyError, TypeError) as error:
        raise UsageError(f"A record of the journal lacks {error}.") from error


def _at_destination(record: Record, etag: str) -> S3Object:
    """Return the destination's object that a record is about."""
    key, storage_class = record["destination_key"], record["storage_class"]
    return S3Object(key, record["size"], etag, NO_TIME, storage_class)


def restored_by(undo: JournalReader) -> list[Record]:
    """Return the results of deleted objects that an undo restored; undoing it leaves them."""
    if undo.spec.command is not Command.UNDO:
        return []
    results = undo.of_type("result")
    # Only these have no key at the source.
    restored = (each for each in results if each.get("outcome") == Outcome.COPIED.value)
    return [each for each in restored if not each.get("destination_key")]


def copies_of(first: JournalReader, *resumes: JournalReader) -> Iterator[Record]:
    """Combine the ``copied`` records of a run and of its resumes, in this order.

    Only the records of the resumes are held in memory.

    Raises:
        UsageError: when a record lacks what is needed.
    """
    later: dict[_KeyPair, Record] = {}
    with complete_records():
        for journal in reversed(resumes):
            later = {_key_pair(record): record for record in _merge_with_resumes(journal, later)}
        yield from _merge_with_resumes(first, later)


def _merge_with_resumes(journal: JournalReader, later: dict[_KeyPair, Record]) -> Iterator[Record]:
    """Combine a run's records with those of its resumes; removes them from ``later``."""
    started = journal.spec.started
    sent = {_key_pair(each): each for each in _sent(journal) if _key_pair(each) in later}
    by_dead_workers = {_key_pair(each): each for each in journal.sent_by_dead_workers()}
    for record in _merge_workers(journal):
        pair = _key_pair(record)
        sent.pop(pair, None)
        again = later.pop(pair, None)
        own = record
        if record["resent"]:
            own = _as_own_copy(record, None, started)
        elif pair in by_dead_workers:
            own = _as_own_copy(record, by_dead_workers[pair]["replaced"], started)
        yield own if again is None else _merge(own, again)
    for pair, record in later.items():
        yield _after_killed(record, sent[pair], started) if pair in sent else record


def _sent(journal: JournalReader) -> Iterable[Record]:
    """Return the ``copying`` records of copies that were sent."""
    dropped = {_key_pair(each) for each in journal.of_type("not-sent")}
    return (each for each in journal.of_type("copying") if _key_pair(each) not in dropped)


def _merge_workers(journal: JournalReader) -> Iterator[Record]:
    """Yield a run's ``copied`` records; joins two of one object, one of them by a dead worker."""
    again: dict[_KeyPair, list[Record]] = {
        _key_pair(each): [] for each in journal.copied_by_dead_workers()
    }
    for record in journal.of_type("copied"):
        same = again.get(_key_pair(record))
        if same is None:
            yield record
        else:
            same.append(record)
    for same in again.values():
        # The record with ``held`` is the later one: that worker found the copy of the other.
        same.sort(key=lambda record: bool(record["held"]))
        yield reduce(_merge, same)


def _merge(earlier: Record, later: Record) -> Record:
    """Combine the records of two copies with the same destination."""
    copy, replaced = earlier["destination_etag"], later["replaced"]
    if later["held"] and later["destination_etag"] == copy:
        return earlier
    if replaced is not None and replaced["etag"] == copy:
        return {**later, "held": earlier["held"], "replaced": earlier["replaced"]}
    return later


def _as_own_copy(record: Record, replaced: Record | None, started: str) -> Record:
    """Treat an object found in place of a copy as that copy, if written during the run.

    That happens when the response of a copy was lost. S3's times have a resolution of one second:
    an object written just before the run started may be taken for the copy.

    It may already be taken for the copy of a resume that was killed as well, which was sent to a
    free key; if an earlier run had sent it in place of an object, that object is what it replaced.
    """
    # Only of an object that was found is it known when it was written.
    modified = record["modified"]
    if modified is None or record["replaced"] is not None:
        return record
    if datetime.fromisoformat(modified) < datetime.fromisoformat(started):
        return record
    return {**record, "held": False, "replaced": replaced}


def _after_killed(record: Record, sent: Record, started: str) -> Record:
    """Combine a resume's record with a copy that the run had sent when it was killed.

    The resume has found that copy, or has replaced it because the source had changed.
    """
    replaced = record["replaced"]
    if replaced is not None and etags_match(replaced["etag"], sent["etag"]):
        return {**record, "replaced": sent["replaced"]}
    return _as_own_copy(record, sent["replaced"], started)


def _key_pair(record: Record) -> _KeyPair:
    return record["key"], record["destination_key"]
