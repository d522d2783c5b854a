"""Checks the results of a run by its journals; changes nothing."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.lookup import Lookup
from frogmove.core.models import BackupCopy, Outcome
from frogmove.core.run_history import unknown_origin
from frogmove.core.run_spec import Command
from frogmove.core.scheduler import run_tasks
from frogmove.core.undo import complete_records, copies_of, restored_by
from frogmove.core.verify_results import Status, VerifyResult
from frogmove.errors import RunError
from frogmove.quoting import in_quotes
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.records import Record
    from frogmove.s3.interface import S3


def verify_run(s3: S3, journals: Sequence[JournalReader], size: int) -> Iterator[VerifyResult]:
    """Look up each object that a run copied or deleted, and the source of each that it moved.

    An object counts as the same if it has the size and the ETag that the run recorded after it had
    verified its bytes.

    Args:
        s3: the client for both buckets.
        journals: the run and its resumes, oldest first.
        size: maximum concurrent objects.

    Yields:
        the results, in the order in which lookups finish.

    Raises:
        S3Error: when every further request fails.
        RunError: at the end, when the run is not finished or did not move all objects.
        UsageError: when a record of a journal lacks what is needed.
    """
    check = _RunCheck(s3, journals[0])
    copies = (check.check_copy(record) for record in copies_of(*journals))
    deleted = chain.from_iterable(journal.deletes() for journal in journals)
    deletes = (check.check_delete(record) for record in deleted)
    restored = chain.from_iterable(map(restored_by, journals))
    restores = (check.check_restored(record) for record in restored)
    yield from run_tasks(chain(copies, deletes, restores), size)
    _check_end(journals)


class _RunCheck:
    """Checks the copies and deletes of a run."""

    def __init__(self, s3: S3, run: JournalReader) -> None:
        spec, route = run.spec, run.spec.route()
        self._sources = Lookup(s3, route.source.bucket)
        self._destinations = Lookup(s3, route.destination.bucket)
        self._s3 = s3
        self._backups: dict[str, Lookup] = {}
        # An undo intentionally leaves some sources.
        self._has_moved = spec.command is Command.MOVE
        self._version = spec.selection.version_id

    async def check_copy(self, record: Record) -> VerifyResult:
        """Look up one object."""
        with complete_records():
            key, place = record["key"], record["destination_key"]
            size, etags = record["size"], (record["etag"], record["destination_etag"])
        result = VerifyResult(Status.SAME, key, place, "as the run left it")
        source = None
        try:
            there = await self._destinations.head(place)
            if self._has_moved:
                source = await self._sources.head(key, self._version)
        except S3Error as error:
            return _lookup_failed(error, result)
        result = result._replace(
            source=None if source is None else source.object,
            destination=None if there is None else there.object,
        )
        if there is None:
            reason = "no longer at the destination"
            return result._replace(status=Status.MISSING, reason=reason)
        if not etags_match(there.object.etag, etags[1]) or there.object.size != size:
            reason = f"replaced at the destination on {there.object.last_modified:%Y-%m-%d %H:%M}"
            return result._replace(status=Status.DIFFERENT, reason=reason)
        # An object with another ETag was written after the move.
        if source is not None and etags_match(source.object.etag, etags[0]):
            reason = "at the destination, but also at the source, still or again"
            return result._replace(status=Status.NOT_DELETED, reason=reason)
        return result

    async def check_delete(self, record: Record) -> VerifyResult:
        """Look up an object that the run deleted at the destination, and its backup."""
        with complete_records():
            key, place, etag = record["key"], record["destination_key"], record["etag"]
            backup = BackupCopy.of_record(record["backup"])
        result = VerifyResult(Status.SAME, key, place, "deleted at the destination")
        kept = None
        try:
            there = await self._destinations.head(place)
            if backup is not None:
                kept = await self._of(backup.bucket).head(backup.key)
        except S3Error as error:
            return _lookup_failed(error, result)
        # An object with another ETag was written after the delete.
        if there is not None and etags_match(there.object.etag, etag):
            reason = "at the destination, still or again"
            return result._replace(
                status=Status.NOT_DELETED, reason=reason, destination=there.object
            )
        if backup is not None and (kept is None or not etags_match(kept.object.etag, backup.etag)):
            reason = f"deleted, and its backup {in_quotes(backup.uri)} no longer exists"
            return result._replace(status=Status.MISSING, reason=reason)
        return result

    async def check_restored(self, record: Record) -> VerifyResult:
        """Look up an object that an undo restored after a sync had deleted it."""
        with complete_records():
            key, size = record["key"], record["size"]
        result = VerifyResult(Status.SAME, key, "", "as the undo restored it")
        try:
            there = await self._sources.head(key)
        except S3Error as error:
            return _lookup_failed(error, result)
        if there is None:
            return result._replace(status=Status.MISSING, reason="restored, but no longer there")
        result = result._replace(source=there.object)
        if there.object.size != size:
            reason = f"replaced on {there.object.last_modified:%Y-%m-%d %H:%M}"
            return result._replace(status=Status.DIFFERENT, reason=reason)
        return result

    def _of(self, bucket: str) -> Lookup:
        return self._backups.setdefault(bucket, Lookup(self._s3, bucket))


def _lookup_failed(error: S3Error, result: VerifyResult) -> VerifyResult:
    if error.ends_the_run:
        raise error
    reason = f"it could not be looked up: {describe(error, '')}"
    return result._replace(status=Status.NOT_COMPARED, reason=reason)


# Outcomes of objects that the run should have transferred.
_NOT_TRANSFERRED = (Outcome.FAILED, Outcome.CONFLICT, Outcome.NOT_FOUND)


def _check_end(journals: Sequence[JournalReader]) -> None:
    """Check that the run is complete."""
    last = journals[-1]
    name, end = last.spec.id, last.end()
    if any(journal.is_damaged() for journal in journals):
        raise RunError(
            f"The journal of run {name} is damaged, or a part of it is missing: not everything "
            "that the run did is known.",
            "Compare both sides instead: `frogmove verify` without a run.",
        )
    origin = unknown_origin(journals[0])
    if origin is not None:
        raise RunError(
            f"Run {name} resumed {origin}, whose journal was not found: what that run did was not "
            "verified.",
            "Give the journal of that run instead.",
        )
    if end is None and last.is_running():
        raise RunError(
            f"Run {name} is still running: only its results so far were verified.",
            "Wait until it ends, or stop it first.",
        )
    if end is None or end["interrupted"]:
        raise RunError(
            f"Run {name} is not finished: only its results so far were verified.",
            f"To finish it: frogmove resume {name}",
        )
    left = {each: end["counts"].get(each.value, 0) for each in _NOT_TRANSFERRED}
    if any(left.values()):
        counts = ", ".join(f"{count:,} {each.value}" for each, count in left.items() if count)
        raise RunError(
            f"Run {name} did not transfer all objects: {counts}.",
            f"To see them: frogmove report {name}",
        )
