"""Undoes a copy that replaced another object.

The source gets its object back, and the destination holds again what it held before the run.
Nothing is deleted: the replaced object is copied from its old version, and the run's copy becomes
an old version.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/RestoringPreviousVersions.html
"""

from collections.abc import Sequence
from dataclasses import replace

from frogmove.core.advice import describe
from frogmove.core.copy import ObjectCopier
from frogmove.core.journal import Journal
from frogmove.core.models import Action, Outcome, Result, Verb, VerifiedCopy
from frogmove.core.options import OnConflict
from frogmove.core.scheduler import wait_for
from frogmove.quoting import in_quotes
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import S3Object

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
        self._journal = journal
        self._bucket = copier.check.route.source.bucket

    async def restore(self, action: Action) -> Result:
        """Move the object back, and restore the object that its copy replaced.

        Raises:
            S3Error: when the object cannot be moved back.
            InterruptedCopyError: when the run was stopped between two parts.
        """
        made = action.undoes
        if made is None or made.replaced is None:
            back = await self._bring_back(action)
            if isinstance(back, Result):
                return back
            return Result(action, Outcome.COPIED, action.reason, back.key)
        try:
            versions = await wait_for(self._s3.list_versions(self._bucket, made.key))
        except S3Error as error:
            versions, lacking = [], describe(error, "")
        else:
            lacking = "the bucket keeps no version of it"
        if _is_over(versions, made):
            return Result(action, Outcome.GONE, _OVER)
        earlier = _earlier(versions, made)
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

    async def _bring_back(self, action: Action) -> VerifiedCopy | Result:
        back = await self._back.copy(action)
        if isinstance(back, VerifiedCopy):
            self._journal.copied(action.object, back)
        return back

    async def _put_back(self, made: VerifiedCopy, earlier: S3Object) -> str:
        """Replace a copy by an earlier version, if it is still there; return why not."""
        action = Action(Verb.RESTORE, earlier, made.key, replaces=made.etag)
        try:
            written = await self._here.copy(action, self._bucket)
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
