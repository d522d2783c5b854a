"""Restores what a run replaced or deleted at the destination.

The source gets its object back, and the destination holds again what it held before the run.
Nothing is deleted: the object is copied from its old version or from the backup, and the run's copy
becomes an old version.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/RestoringPreviousVersions.html
"""

from collections.abc import Sequence
from dataclasses import replace

from frogmove.core.advice import describe
from frogmove.core.copy import ObjectCopier, folder_of
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
from frogmove.s3.uri import Location

_OVER = "its copy is gone; the destination already holds the object that the copy had replaced"


class Restorer:
    """Executes the RESTORE actions of an undo.

    Args:
        s3: the client for both buckets.
        copier: copies back to the source.
        journal: see :class:`frogmove.core.journal.Journal`.
    """

    def __init__(self, s3: S3, copier: ObjectCopier, journal: Journal) -> None:
        self._s3 = s3
        self._back = copier
        # Only the run's own copy may be replaced.
        options = replace(copier.check.options, on_conflict=OnConflict.FAIL)
        self._here = replace(copier, check=replace(copier.check, options=options))
        self._from_backup: dict[str, ObjectCopier] = {}
        self._journal = journal
        self._bucket = copier.check.route.source.bucket

    async def restore(self, action: Action) -> Result:
        """Move the object back, and restore the object that its copy replaced.

        Raises:
            S3Error: when the object cannot be moved back.
            InterruptedCopyError: when the run was stopped between two parts.
        """
        made = action.undoes
        if isinstance(made, DeletedExtra):
            return await self._restore_deleted(action, made.backup)
        if made is None or made.replaced is None:
            back = await self._bring_back(action)
            if isinstance(back, Result):
                return back
            return Result(action, Outcome.COPIED, action.reason, back.key)
        versions, lacking = await self._versions(made.key)
        if _is_over(versions, made):
            return Result(action, Outcome.GONE, _OVER)
        earlier = _earlier(versions, made) or made.replaced.backup
        back = await self._bring_back(action)
        if isinstance(back, Result):
            # A multipart copy, or one with another KMS key, has a different ETag than its source.
            if back.outcome is Outcome.SUPERSEDED and earlier is not None:
                is_over = not await self._put_back(made, earlier)
                return Result(action, Outcome.GONE, _OVER) if is_over else back
            return back
        if earlier is not None:
            lacking = await self._put_back(made, earlier)
        if not lacking:
            return Result(
                action, Outcome.MOVED, "the object that its copy replaced is restored", back.key
            )
        place = in_quotes(f"s3://{self._bucket}/{made.key}")
        reason = (
            f"moved back, but the copy stays at {place}: the object that it "
            f"replaced (ETag {made.replaced.etag}) cannot be restored, because {lacking}"
        )
        return Result(action, Outcome.FAILED, reason, back.key)

    async def _restore_deleted(self, action: Action, backup: BackupCopy | None) -> Result:
        """Restore an object that a sync deleted, unless its key holds an object now."""
        item = action.object
        there = await self._here.check.source.head(item.key)
        if there is not None and etags_match(there.object.etag, item.etag):
            return Result(action, Outcome.SKIPPED, "the destination has it")
        versions, lacking = await self._versions(item.key)
        version = next((each for each in versions if etags_match(each.etag, item.etag)), None)
        earlier = version or backup
        if earlier is None:
            reason = f"it was deleted and cannot be restored, because {lacking}"
            return Result(action, Outcome.FAILED, reason)
        copier, source = self._copier_of(earlier)
        written = await copier.copy(Action(Verb.RESTORE, source, item.key), self._bucket)
        if isinstance(written, Result):
            return replace(written, action=action)
        origin = "its version"
        if isinstance(earlier, BackupCopy):
            origin = f"{in_quotes(earlier.uri)}, which stays"
        return Result(action, Outcome.COPIED, f"restored at the destination from {origin}")

    async def _versions(self, key: str) -> tuple[Sequence[S3Object], str]:
        """Return the versions of a key, newest first, and why there is none that can be used."""
        try:
            versions = await wait_for(self._s3.list_versions(self._bucket, key))
        except S3Error as error:
            return [], describe(error, "")
        return versions, "the bucket keeps no version of it"

    def _copier_of(self, earlier: S3Object | BackupCopy) -> tuple[ObjectCopier, S3Object]:
        """Return what copies a version or a backup, and the object to copy."""
        if not isinstance(earlier, BackupCopy):
            return self._here, earlier
        copier = self._from_backup.get(earlier.bucket)
        if copier is None:
            check = self._here.check
            route = Route(Location(earlier.bucket, folder_of(earlier.key)), check.route.source)
            check = DestinationCheck.make(self._s3, route, check.options)
            copier = self._from_backup[earlier.bucket] = replace(self._here, check=check)
        key, version = earlier.key, earlier.version_id
        return copier, S3Object(key, earlier.size, earlier.etag, NO_TIME, version_id=version)

    async def _bring_back(self, action: Action) -> VerifiedCopy | Result:
        back = await self._back.copy(action)
        if isinstance(back, VerifiedCopy):
            self._journal.copied(action.object, back)
        return back

    async def _put_back(self, made: VerifiedCopy, earlier: S3Object | BackupCopy) -> str:
        """Replace a copy by what it had replaced, if it is still there; return why not."""
        copier, source = self._copier_of(earlier)
        action = Action(Verb.RESTORE, source, made.key, replaces=made.etag)
        try:
            written = await copier.copy(action, self._bucket)
        except S3Error as error:
            return describe(error, "")
        return written.reason if isinstance(written, Result) else ""


def _is_over(versions: Sequence[S3Object], made: VerifiedCopy) -> bool:
    """Tell whether the current version is the object that a copy replaced."""
    if not versions or made.replaced is None:
        return False
    newest = versions[0]
    return etags_match(newest.etag, made.replaced.etag) and not _is_copy(newest, made)


def _earlier(versions: Sequence[S3Object], made: VerifiedCopy) -> S3Object | None:
    """Find the version that a copy replaced."""
    wanted = made.replaced
    if wanted is None:
        return None
    others = [each for each in versions if each.version_id != made.version_id]
    older = versions[1:] if made.version_id is None else others
    matching = (each for each in older if etags_match(each.etag, wanted.etag))
    return next((each for each in matching if wanted.version_id in {None, each.version_id}), None)


def _is_copy(version: S3Object, made: VerifiedCopy) -> bool:
    if made.version_id is not None:
        return version.version_id == made.version_id
    return etags_match(version.etag, made.etag)
