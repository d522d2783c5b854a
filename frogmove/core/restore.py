"""Restores what a run replaced or deleted at the destination.

The source gets its object back, and the destination holds again what it held before the run.
Nothing is deleted: the object is copied from its old version or from the backup, and the run's copy
becomes an old version.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/RestoringPreviousVersions.html
"""

from collections.abc import Sequence
from dataclasses import replace

from frogmove.core.advice import describe
from frogmove.core.copy import ObjectCopier
from frogmove.core.destination_check import DestinationCheck
from frogmove.core.journal import Journal
from frogmove.core.models import (
    Action,
    BackupCopy,
    DeletedExtra,
    Outcome,
    Result,
    Route,
    Verb,
    VerifiedCopy,
)
from frogmove.core.options import OnConflict
from frogmove.core.scheduler import wait_for
from frogmove.quoting import in_quotes
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import NO_TIME, S3Object
from frogmove.s3.uri import Location, parent_prefix

_ALREADY_RESTORED = (
    "its copy is gone; the destination already holds the object that the copy had replaced"
)


class Restorer:
    """Executes the RESTORE actions of an undo.

    Args:
        s3: the client for both buckets.
        copier: copies back to the source.
        journal: see :class:`frogmove.core.journal.Journal`.
    """

    def __init__(self, s3: S3, copier: ObjectCopier, journal: Journal) -> None:
        self._s3 = s3
        self._copier = copier
        # Only the run's own copy may be replaced.
        options = replace(copier.check.options, on_conflict=OnConflict.FAIL)
        self._copier_here = replace(copier, check=replace(copier.check, options=options))
        self._from_backup: dict[str, ObjectCopier] = {}
        self._journal = journal
        self._bucket = copier.check.route.source.bucket

    async def restore(self, action: Action) -> Result:
        """Move the object back, and restore the object that its copy replaced.

        Raises:
            S3Error: when the object cannot be moved back.
            InterruptedCopyError: when the run was stopped between two parts.
        """
        copy = action.undoes
        if isinstance(copy, DeletedExtra):
            return await self._restore_deleted(action, copy.backup)
        if copy is None or copy.replaced is None:
            moved = await self._move_back(action)
            if isinstance(moved, Result):
                return moved
            return Result(action, Outcome.COPIED, action.reason, moved.key)
        versions, lacking = await _versions(self._s3, self._bucket, copy.key)
        if _is_already_restored(versions, copy):
            return Result(action, Outcome.GONE, _ALREADY_RESTORED)
        replaced = _replaced_version(versions, copy) or copy.replaced.backup
        moved = await self._move_back(action)
        if isinstance(moved, Result):
            # A multipart copy, or one with another KMS key, has a different ETag than its source.
            if moved.outcome is Outcome.SUPERSEDED and replaced is not None:
                is_restored = not await self._restore_replaced(copy, replaced)
                return Result(action, Outcome.GONE, _ALREADY_RESTORED) if is_restored else moved
            return moved
        if replaced is not None:
            lacking = await self._restore_replaced(copy, replaced)
        if not lacking:
            return Result(
                action, Outcome.MOVED, "the object that its copy replaced is restored", moved.key
            )
        place = in_quotes(f"s3://{self._bucket}/{copy.key}")
        reason = (
            f"moved back, but the copy stays at {place}: the object that it "
            f"replaced (ETag {copy.replaced.etag}) cannot be restored, because {lacking}"
        )
        return Result(action, Outcome.FAILED, reason, moved.key)

    async def _restore_deleted(self, action: Action, backup: BackupCopy | None) -> Result:
        """Restore an object that a sync deleted, unless its key holds an object now."""
        item = action.object
        replaced = await _find_deleted(self._copier_here.check, action, backup)
        if isinstance(replaced, Result):
            return replaced
        copier, source = self._copier_of(replaced)
        written = await copier.copy(Action(Verb.RESTORE, source, item.key), self._bucket)
        if isinstance(written, Result):
            return replace(written, action=action)
        origin = "its version"
        if isinstance(replaced, BackupCopy):
            origin = f"{in_quotes(replaced.uri)}, which stays"
        return Result(action, Outcome.COPIED, f"restored at the destination from {origin}")

    def _copier_of(self, replaced: S3Object | BackupCopy) -> tuple[ObjectCopier, S3Object]:
        """Return what copies a version or a backup, and the object to copy."""
        if not isinstance(replaced, BackupCopy):
            return self._copier_here, replaced
        copier = self._from_backup.get(replaced.bucket)
        if copier is None:
            check = self._copier_here.check
            route = Route(
                Location(replaced.bucket, parent_prefix(replaced.key)), check.route.source
            )
            check = DestinationCheck.make(self._s3, route, check.options)
            copier = self._from_backup[replaced.bucket] = replace(self._copier_here, check=check)
        key, version = replaced.key, replaced.version_id
        return copier, S3Object(key, replaced.size, replaced.etag, NO_TIME, version_id=version)

    async def _move_back(self, action: Action) -> VerifiedCopy | Result:
        moved = await self._copier.copy(action)
        if isinstance(moved, VerifiedCopy):
            self._journal.copied(action.object, moved)
        return moved

    async def _restore_replaced(self, copy: VerifiedCopy, replaced: S3Object | BackupCopy) -> str:
        """Replace a copy by what it had replaced, if it is still there; return why not."""
        copier, source = self._copier_of(replaced)
        action = Action(Verb.RESTORE, source, copy.key, replaces=copy.etag)
        try:
            written = await copier.copy(action, self._bucket)
        except S3Error as error:
            return describe(error, "")
        return written.reason if isinstance(written, Result) else ""


async def restore_obstacle(check: DestinationCheck, action: Action) -> Result | None:
    """Predict whether a RESTORE action can restore something; writes nothing.

    Args:
        check: looks at both sides of the undo.
        action: the action.

    Returns:
        its result; None if there is a version or a backup to restore.

    Raises:
        S3Error: when a request failed.
    """
    copy = action.undoes
    if isinstance(copy, DeletedExtra):
        found = await _find_deleted(check, action, copy.backup)
        return found if isinstance(found, Result) else None
    if copy is None or copy.replaced is None:
        return None
    versions, lacking = await _versions(check.s3, check.route.source.bucket, copy.key)
    if _is_already_restored(versions, copy):
        return Result(action, Outcome.GONE, _ALREADY_RESTORED)
    if _replaced_version(versions, copy) or copy.replaced.backup:
        return None
    reason = (
        "it would be moved back, but the object that it replaced (ETag "
        f"{copy.replaced.etag}) cannot be restored, because {lacking}"
    )
    return Result(action, Outcome.FAILED, reason)


async def _find_deleted(
    check: DestinationCheck, action: Action, backup: BackupCopy | None
) -> S3Object | BackupCopy | Result:
    """Find a version or a backup of an object that a sync deleted, unless it is there again."""
    item = action.object
    there = await check.source.head(item.key)
    if there is not None and etags_match(there.object.etag, item.etag):
        return Result(action, Outcome.SKIPPED, "the destination has it")
    versions, lacking = await _versions(check.s3, check.route.source.bucket, item.key)
    version = next((each for each in versions if etags_match(each.etag, item.etag)), None)
    reason = f"it was deleted and cannot be restored, because {lacking}"
    return version or backup or Result(action, Outcome.FAILED, reason)


async def _versions(s3: S3, bucket: str, key: str) -> tuple[Sequence[S3Object], str]:
    """Return the versions of a key, newest first, and why there is none that can be used."""
    try:
        versions = await wait_for(s3.list_versions(bucket, key))
    except S3Error as error:
        return [], describe(error, "")
    return versions, "the bucket keeps no version of it"


def _is_already_restored(versions: Sequence[S3Object], copy: VerifiedCopy) -> bool:
    """Tell whether the current version is the object that a copy replaced."""
    if not versions or copy.replaced is None:
        return False
    newest = versions[0]
    return etags_match(newest.etag, copy.replaced.etag) and not _is_copy(newest, copy)


def _replaced_version(versions: Sequence[S3Object], copy: VerifiedCopy) -> S3Object | None:
    """Find the version that a copy replaced."""
    expected = copy.replaced
    if expected is None:
        return None
    others = [each for each in versions if each.version_id != copy.version_id]
    older = versions[1:] if copy.version_id is None else others
    matching = (each for each in older if etags_match(each.etag, expected.etag))
    return next((each for each in matching if expected.version_id in {None, each.version_id}), None)


def _is_copy(version: S3Object, copy: VerifiedCopy) -> bool:
    if copy.version_id is not None:
        return version.version_id == copy.version_id
    return etags_match(version.etag, copy.etag)
