"""Brings an object back whose copy took a place that was not free: an undo's rarer half.

The source gets its object, and the place holds again what it held before the run. Nothing is
deleted: what was replaced is written anew from its version, and the copy becomes a version.
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
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import S3Object

_OVER = "its copy is not there any more, but what the copy had replaced"


class Restorer:
    """Does the RESTORE actions of an undo.

    Args:
        s3: where both buckets are.
        copier: copies the way back.
        journal: see :class:`frogmove.core.journal.Journal`.
    """

    def __init__(self, s3: S3, copier: ObjectCopier, journal: Journal) -> None:
        self._s3 = s3
        self._back = copier
        # Only what the run itself brought may be written over.
        self._here = replace(copier, options=replace(copier.options, on_conflict=OnConflict.FAIL))
        self._journal = journal
        self._bucket = copier.route.source.bucket

    async def restore(self, action: Action) -> Result:
        """Bring the object back, and what its copy replaced.

        Raises:
            S3Error: when the object cannot be brought back.
            InterruptedCopyError: when the run was asked to stop between two parts.
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
            lacking = "no version of it is kept"
        if _is_over(versions, made):
            return Result(action, Outcome.GONE, _OVER)
        earlier = _earlier(versions, made)
        back = await self._bring_back(action)
        if isinstance(back, Result):
            # A copy in parts, or by another KMS key, has another ETag than what it was made of.
            if back.outcome is Outcome.SUPERSEDED and earlier is not None:
                is_over = not await self._put_back(made, earlier)
                return Result(action, Outcome.GONE, _OVER) if is_over else back
            return back
        if earlier is not None:
            lacking = await self._put_back(made, earlier)
        if not lacking:
            return Result(action, Outcome.MOVED, "what it had replaced is there again", back.key)
        reason = (
            f"brought back, and the copy stays at s3://{self._bucket}/{made.key}: what it replaced "
            f"there (ETag {made.replaced.etag}) cannot be restored, as {lacking}"
        )
        return Result(action, Outcome.FAILED, reason, back.key)

    async def _bring_back(self, action: Action) -> VerifiedCopy | Result:
        back = await self._back.copy(action)
        if isinstance(back, VerifiedCopy):
            self._journal.copied(action.object, back)
        return back

    async def _put_back(self, made: VerifiedCopy, earlier: S3Object) -> str:
        """Write an earlier version over a copy, if that is still there; say why it was not."""
        action = Action(Verb.RESTORE, earlier, made.key, replaces=made.etag)
        try:
            written = await self._here.copy(action, self._bucket)
        except S3Error as error:
            return describe(error, "")
        return written.reason if isinstance(written, Result) else ""


def _is_over(versions: Sequence[S3Object], made: VerifiedCopy) -> bool:
    """Tell whether the newest version is what a copy replaced, and not the copy."""
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
