"""Backs up objects that a sync is about to delete or replace at the destination."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from frogmove.core.copy import ObjectCopier
from frogmove.core.destination_check import DestinationCheck
from frogmove.core.journal import NoJournal
from frogmove.core.models import Action, BackupCopy, Result, Route, Verb
from frogmove.core.multipart import PartsCopier
from frogmove.core.options import OnConflict
from frogmove.s3.etag import etags_match
from frogmove.s3.uri import MAX_KEY_BYTES

if TYPE_CHECKING:
    from threading import Event

    from frogmove.core.options import TransferOptions
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object
    from frogmove.s3.uri import Location


class BackupError(Exception):
    """There is no verified copy of an object in the backup; the message says why."""


def obstacle(route: Route, key: str) -> str:
    """Return why an object of the destination cannot be backed up; empty if it can.

    Args:
        route: from the destination to the backup.
        key: the object's key.
    """
    if len(route.destination_key(key).encode()) <= MAX_KEY_BYTES:
        return ""
    return f"its key in {route.destination} would be longer than {MAX_KEY_BYTES:,} bytes"


@dataclass(frozen=True, slots=True)
class Backup:
    """Copies objects of the destination to the backup, and verifies the copies.

    An earlier backup is never replaced: the copy gets another key.

    Attributes:
        copier: copies from the destination to the backup.
    """

    copier: ObjectCopier

    @classmethod
    def make(
        cls, s3: S3, destination: Location, backup: Location, options: TransferOptions, stop: Event
    ) -> Backup:
        """Make the backup of a run.

        Args:
            s3: the client for both buckets.
            destination: where the objects are.
            backup: where the copies are written.
            options: how the run's objects are transferred.
            stop: once set, no further part of a large object is started.
        """
        options = replace(options, on_conflict=OnConflict.KEEP_BOTH, backup=None)
        check = DestinationCheck.make(s3, Route(destination, backup), options)
        # Multipart uploads are not resumed: the next run creates new ones.
        return cls(ObjectCopier(check, PartsCopier(s3, options.multipart, NoJournal(), stop)))

    async def back_up(self, item: S3Object) -> BackupCopy:
        """Copy an object of the destination, if it has not changed.

        Raises:
            BackupError: when it has changed, or there is no verified copy.
            S3Error: when a request failed.
            InterruptedCopyError: when the run was stopped between two parts.
        """
        route = self.copier.check.route
        reason = obstacle(route, item.key)
        if reason:
            raise BackupError(f"it could not be backed up: {reason}")
        action = Action(Verb.COPY, item, route.destination_key(item.key))
        copy = await self.copier.copy(action)
        if isinstance(copy, Result):
            raise BackupError(f"it could not be backed up to {route.destination}: {copy.reason}")
        bucket = route.destination.bucket
        return BackupCopy(bucket, copy.key, item.size, copy.etag, copy.version_id)

    async def back_up_replaced(self, key: str, etag: str) -> BackupCopy | None:
        """Copy an object that is about to be replaced; None if it no longer exists."""
        check = self.copier.check
        there = await check.source.head(key)
        if there is None or not etags_match(there.object.etag, etag):
            return None
        return await self.back_up(there.object)
