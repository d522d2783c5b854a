"""Deletes objects that only the destination has, after a copy to the backup if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.backup import Backup, BackupError
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, BackupCopy, Outcome, Result
from frogmove.core.object_delete import ObjectDeleter
from frogmove.quoting import in_quotes
from frogmove.s3.etag import etags_match
from frogmove.s3.uri import MAX_KEY_BYTES

if TYPE_CHECKING:
    from frogmove.core.journal import Journal
    from frogmove.core.models import Route
    from frogmove.core.options import TransferOptions
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


_REPLACED = "replaced at the destination since it was listed; not deleted"


class ExtraCheck:
    """Looks whether objects still are only at the destination; runs and dry runs share it.

    Args:
        s3: the client for both buckets.
        route: source and destination.

    Attributes:
        there: looks up objects of the destination.
    """

    def __init__(self, s3: S3, route: Route) -> None:
        self.there = Lookup(s3, route.destination.bucket)
        self._source = Lookup(s3, route.source.bucket)

    async def changed(self, action: Action) -> Result | None:
        """Return the result of an action whose object must stay or is gone; None if neither.

        Raises:
            S3Error: when a request failed.
        """
        key = action.object.key
        # The listings may be outdated or incomplete.
        if len(key.encode()) <= MAX_KEY_BYTES and await self._source.head(key) is not None:
            reason = "the source has this key now; not deleted"
            return Result(action, Outcome.SUPERSEDED, reason)
        there = extra_of(action)
        # Otherwise an undo would restore what somebody else has deleted.
        seen = await self.there.find(there)
        if seen is None:
            return Result(action, Outcome.GONE, "no longer at the destination")
        if not etags_match(seen.object.etag, there.etag):
            return Result(action, Outcome.SUPERSEDED, _REPLACED)
        return None


def extra_of(action: Action) -> S3Object:
    """Return the object of the destination that a DELETE action deletes."""
    return action.object._replace(key=action.destination_key)


class ExtraDeleter:
    """Executes the DELETE actions of a sync.

    Args:
        s3: the client for all buckets.
        route: source and destination.
        options: how objects are transferred.
        journal: where each delete is recorded before it is sent.
        backup: where the objects are backed up; None for no backup.

    Attributes:
        deleter: deletes at the destination.
    """

    def __init__(
        self,
        s3: S3,
        route: Route,
        options: TransferOptions,
        journal: Journal,
        backup: Backup | None,
    ) -> None:
        self._check = ExtraCheck(s3, route)
        self._journal = journal
        self._backup = backup
        bucket, there = route.destination.bucket, self._check.there
        self.deleter = ObjectDeleter(s3, there, bucket, options.capabilities, journal.commit)

    async def delete(self, action: Action) -> Result:
        """Delete an object of the destination, if the source still does not have its key.

        Raises:
            S3Error: when a request failed; the object may still be at the destination.
            InterruptedCopyError: when the run was stopped between two parts.
        """
        changed = await self._check.changed(action)
        if changed is not None:
            return changed
        there = extra_of(action)
        backup_copy: BackupCopy | None = None
        if self._backup is not None:
            try:
                backup_copy = await self._backup.back_up(there)
            except BackupError as error:
                return Result(action, Outcome.FAILED, f"{error}; not deleted")
        self._journal.deleting(action, backup_copy)
        deleted = await self.deleter.delete(there)
        if deleted.has_changed:
            return Result(action, Outcome.SUPERSEDED, _REPLACED)
        if deleted.error is not None:
            raise deleted.error
        why = "only at the destination"
        if backup_copy is not None:
            why = f"backed up as {in_quotes(backup_copy.uri)}"
        reason = "; ".join(filter(None, (why, deleted.note)))
        return Result(action, Outcome.DELETED, reason)
