"""Deletes objects that only the destination has, after a copy to the backup if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.backup import Backup, NotKeptError
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, BackupCopy, Outcome, Result
from frogmove.core.object_delete import ObjectDeleter
from frogmove.quoting import in_quotes
from frogmove.s3.etag import etags_match
from frogmove.s3.uri import LONGEST_KEY

if TYPE_CHECKING:
    from frogmove.core.journal import Journal
    from frogmove.core.models import Route
    from frogmove.core.options import TransferOptions
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


_REPLACED = "replaced at the destination since it was listed; not deleted"


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
        self._source = Lookup(s3, route.source.bucket)
        self._journal = journal
        self._backup = backup
        bucket = route.destination.bucket
        self._there = Lookup(s3, bucket)
        self.deleter = ObjectDeleter(s3, self._there, bucket, options.capabilities, journal.commit)

    async def delete(self, action: Action) -> Result:
        """Delete an object of the destination, if the source still does not have its key.

        Raises:
            S3Error: when a request failed; the object may still be at the destination.
            InterruptedCopyError: when the run was stopped between two parts.
        """
        key = action.object.key
        there = action.object._replace(key=action.destination_key)
        # The listings may be outdated or incomplete.
        changed = await self._changed(key, there)
        if changed is not None:
            return Result(action, *changed)
        kept: BackupCopy | None = None
        if self._backup is not None:
            try:
                kept = await self._backup.keep(there)
            except NotKeptError as error:
                return Result(action, Outcome.FAILED, f"{error}; not deleted")
        self._journal.deleting(action, kept)
        deleted = await self.deleter.delete(there)
        if deleted.has_changed:
            return Result(action, Outcome.SUPERSEDED, _REPLACED)
        if deleted.error is not None:
            raise deleted.error
        kept_as = (
            "only at the destination" if kept is None else f"backed up as {in_quotes(kept.uri)}"
        )
        reason = "; ".join(filter(None, (kept_as, deleted.note)))
        return Result(action, Outcome.DELETED, reason)

    async def _changed(self, key: str, there: S3Object) -> tuple[Outcome, str] | None:
        """Return the outcome of an object that is not to be deleted any more; None if it is."""
        if len(key.encode()) <= LONGEST_KEY and await self._source.head(key) is not None:
            return Outcome.SUPERSEDED, "the source has this key now; not deleted"
        # Otherwise an undo would restore what somebody else has deleted.
        seen = await self._there.find(there)
        if seen is None:
            return Outcome.GONE, "no longer at the destination"
        if not etags_match(seen.object.etag, there.etag):
            return Outcome.SUPERSEDED, _REPLACED
        return None
