"""Copies one object to the destination and verifies the copy; deletes nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from frogmove.core.annotations import carry_annotations
from frogmove.core.attributes import AttributeValues, describe_attributes
from frogmove.core.conflict import overwritten, resolve_conflict, superseded
from frogmove.core.destination_check import (
    OTHER_ANNOTATIONS,
    DestinationCheck,
    Occupied,
    may_be_itself,
)
from frogmove.core.models import (
    Action,
    BackupCopy,
    Effect,
    Outcome,
    Replaced,
    Result,
    VerifiedCopy,
)
from frogmove.core.same_place import is_same_place, may_be_alias
from frogmove.core.scheduler import group_commit, wait_for
from frogmove.core.tags import missing_tags
from frogmove.core.verify import Match, Verify, compare, same_etag, same_parts
from frogmove.s3.errors import NOT_STARTED, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.models import Copied, Copy, Head, S3Object
from frogmove.s3.uri import Location, parent_prefix

if TYPE_CHECKING:
    from frogmove.core.backup import Backup
    from frogmove.core.multipart import PartsCopier

# After this many changes of the destination during one copy, the object is a conflict.
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class ObjectCopier:
    """Copies the objects of one run.

    Attributes:
        check: looks at the destination before a copy replaces or repeats anything.
        parts: copies objects that need a multipart copy.
        backup: keeps the objects that copies replace; None: nothing does.
    """

    check: DestinationCheck
    parts: PartsCopier
    backup: Backup | None = None

    async def copy(self, action: Action, to_bucket: str | None = None) -> VerifiedCopy | Result:
        """Copy the object to the destination and verify the copy.

        Args:
            action: the object and its destination key.
            to_bucket: the bucket to copy to; by default the route's destination.

        Returns:
            the verified copy, or the action's result if there is none.

        Raises:
            S3Error: when a request failed.
            InterruptedCopyError: when the run was stopped between two parts.
            BackupError: when the object that it would replace could not be backed up.
        """
        copy, found = await self.check.first_copy(action, to_bucket)
        refusal: S3Error | None = None
        backup_copy: BackupCopy | None = None
        # Nothing is sent if the plan has found the copy at the destination.
        is_there = action.effect is Effect.ALREADY_THERE
        for attempt in range(ATTEMPTS):
            if self.backup is not None and copy.replaces is not None:
                backup_copy = await self.backup.back_up_replaced(copy.to_key, copy.replaces)
            copied = None if is_there and not attempt else await self._send(copy, backup_copy)
            try:
                done = await self._check_attempt(action, copy, copied, found)
            except S3Error as error:
                if error.kind not in {Kind.CHANGED, Kind.MISSING}:
                    raise
                # Source or destination was moved or written between two requests.
                if isinstance(copied, Copied):
                    again = await self._recheck_source(action, copy)
                    return again if isinstance(again, Result) else overwritten(action)
                refusal = error
                continue
            if isinstance(done, VerifiedCopy) and done.replaced is not None:
                return replace(done, replaced=replace(done.replaced, backup=backup_copy))
            if not isinstance(done, Copy):
                if isinstance(done, Result) and done.outcome is Outcome.SKIPPED:
                    # A skip has no record of its own, but the copy has: it did not take place.
                    self.parts.journal.not_sent(copy)
                return done
            # Refused again, although nothing that a condition is about has changed.
            refusal = copied if done == copy and isinstance(copied, S3Error) else None
            copy = done
        if refusal is not None:
            raise refusal
        return Result(action, Outcome.CONFLICT, "the destination kept changing; source kept")

    async def _check_attempt(
        self, action: Action, copy: Copy, copied: Copied | S3Error | None, found: AttributeValues
    ) -> Copy | VerifiedCopy | Result:
        """Verify a copy that was made, or decide what follows from one that was not.

        Returns:
            the copy to try next, or what the object's copying came to.
        """
        done: Copy | VerifiedCopy | Result
        if isinstance(copied, Copied):
            done = await self._complete(action, copy, copied)
        elif copied is not None and _may_have_taken_place(copied):
            done = await self._after_no_response(action, copy, found, copied)
        else:
            resent = copied is not None and copied.resent
            done = await self._after_refusal(action, copy, found, resent=resent)
        if found and isinstance(done, VerifiedCopy):
            return await self._check_attributes(action, copy, done, found)
        return done

    async def _complete(self, action: Action, copy: Copy, copied: Copied) -> VerifiedCopy | Result:
        """Verify the copy, and add what S3 did not copy."""
        verified = await self._verify(action, copy, copied)
        if not isinstance(verified, VerifiedCopy):
            return verified
        if not copied.asked_for_tags:
            return await self._check_tags(action, copy, verified)
        if not self._is_large(copy):
            return verified
        carried = await carry_annotations(self.check.s3, copy, verified.etag)
        return verified if carried else overwritten(action)

    async def _send(self, copy: Copy, backup: BackupCopy | None) -> Copied | S3Error | None:
        """Copy once.

        Args:
            copy: the copy.
            backup: the copy of the object that it replaces, if there is one.

        Returns:
            the copy; S3's error if a condition failed, or if the copy may have taken place; None if
            a condition was found not to hold before anything was sent.
        """
        large = self._is_large(copy)
        capabilities = self.check.options.capabilities
        condition = "copy_destination" if copy.replaces is None else "copy_replace"
        # A multipart copy is refused only after all parts were copied; some servers never refuse.
        if (large or not getattr(capabilities, condition)) and await self._is_occupied(copy):
            return None
        sent = capabilities.sends(condition), "copy_source" not in capabilities.refused
        if sent != (copy.guard_destination, copy.guard_source):
            copy = replace(copy, guard_destination=sent[0], guard_source=sent[1])
        try:
            if not large:
                await self._record(copy, backup)
                return await wait_for(self.check.s3.copy(copy))
            source = await self.check.source.find(copy.source)
            if source is None or not etags_match(source.object.etag, copy.source.etag):
                return None
            await self._record(copy, backup)
            return await self.parts.copy(copy, source)
        except S3Error as error:
            if error.code == NOT_STARTED:
                self.parts.journal.not_sent(copy)
            # MISSING: either the source, or the object to be replaced.
            is_refused = error.kind in {Kind.CHANGED, Kind.MISSING} or _ended_by_another(error)
            if is_refused or _may_have_taken_place(error):
                return error
            raise

    async def _record(self, copy: Copy, backup: BackupCopy | None) -> None:
        """Record in the journal's file that a copy is about to be sent."""
        self.parts.journal.copying(copy, backup)
        await group_commit(self.parts.journal.flush)

    def _is_large(self, copy: Copy) -> bool:
        return copy.source.size > self.check.options.multipart.threshold

    async def _is_occupied(self, copy: Copy) -> bool:
        """Tell whether the destination holds an object that the copy must not replace."""
        there = await self.check.head(copy.to_bucket, copy.to_key)
        return there is not None and not etags_match(there.object.etag, copy.replaces)

    async def _after_refusal(
        self, action: Action, copy: Copy, found: AttributeValues, *, resent: bool
    ) -> Copy | VerifiedCopy | Result:
        """Find out which condition of a copy failed, and decide what to do.

        Returns:
            the copy to try next, a verified copy that is already there, or the action's result.
        """
        seen = await self.check.look_up(action, copy)
        if not isinstance(seen, Occupied):
            return seen
        copy, there = seen.copy, seen.there
        if await self._is_itself(copy, seen.source.object, there.object):
            return Result(action, Outcome.FAILED, _SAME_OBJECT)
        # The object to be replaced was judged when the action was planned.
        if etags_match(there.object.etag, copy.replaces):
            return replace(copy, replaces=there.object.etag)
        other = await self.check.difference(seen, found)
        if not other:
            existing = _existing_copy(copy, there, resent=resent)
            if await carry_annotations(self.check.s3, copy, existing.etag):
                if self._is_large(copy):
                    await self.parts.abort_left_over(copy, seen.source)
                return existing
            other = OTHER_ANNOTATIONS
        return resolve_conflict(self.check.options, action, copy, there, other)

    async def _after_no_response(
        self, action: Action, copy: Copy, found: AttributeValues, error: S3Error
    ) -> VerifiedCopy:
        """Return the copy if it took place although there was no response.

        Raises:
            S3Error: the error, when it did not take place, or when that cannot be determined.
        """
        done = None
        with suppress(S3Error):
            done = await self._after_refusal(action, copy, found, resent=True)
        if isinstance(done, VerifiedCopy):
            return done
        if done is None:
            self.parts.journal.unanswered(copy)
        raise error

    async def _is_itself(self, copy: Copy, source: S3Object, there: S3Object) -> bool:
        """Tell whether the destination object is the source object under another name.

        If it may be, a temporary key is written to find out.
        """
        if not may_be_itself(source, there):
            return False
        has_alias = may_be_alias(copy.bucket) or may_be_alias(copy.to_bucket)
        if self.check.options.capabilities.is_aws and not has_alias:
            # A temporary key may trigger something.
            return False
        ends = [
            Location(copy.bucket, parent_prefix(source.key)),
            Location(copy.to_bucket, parent_prefix(copy.to_key)),
        ]
        if self.check.options.probe_source:
            ends.reverse()
        return await is_same_place(self.check.s3, *ends)

    async def _verify(self, action: Action, copy: Copy, copied: Copied) -> VerifiedCopy | Result:
        """Verify that the copy is a copy of the object that was listed."""
        verified = VerifiedCopy(
            copy.to_key, copied.etag, copied.version_id, replaced=_replaced(copy)
        )
        etag = copy.source.etag
        if same_etag(etag, copied.etag) or same_parts(etag, copied):
            return verified
        source = await self._recheck_source(action, copy)
        if isinstance(source, Result):
            return source
        there = await self.check.head(copy.to_bucket, copy.to_key)
        if there is None or not etags_match(there.object.etag, copied.etag):
            return overwritten(action)
        return await self._compare_with_source(action, copy, verified, source, there)

    async def _recheck_source(self, action: Action, copy: Copy) -> Head | Result:
        """Look up the source again after the copy; it may have changed."""
        source = await self.check.source.find(copy.source)
        if source is None:
            return Result(action, Outcome.GONE, "the source was deleted after it was copied")
        if not etags_match(source.object.etag, copy.source.etag):
            return superseded(action, "the old or the new content was copied")
        return source

    async def _check_attributes(
        self, action: Action, copy: Copy, verified: VerifiedCopy, found: AttributeValues
    ) -> VerifiedCopy | Result:
        """Note which attributes the copy lacks; fail if they were required."""
        there = await self.check.head(copy.to_bucket, verified.key)
        if there is None or not etags_match(there.object.etag, verified.etag):
            return overwritten(action)
        lacking = await self.check.attributes.missing(found, copy.to_bucket, there)
        if not lacking:
            return verified
        words = describe_attributes(lacking)
        if self.check.attributes.requires(lacking):
            reason = f"the copy lacks the source's {words}; source kept"
            return Result(action, Outcome.FAILED, reason, verified.key)
        note = "; ".join(filter(None, (verified.note, f"not carried: {words}")))
        return replace(verified, note=note)

    async def _check_tags(
        self, action: Action, copy: Copy, verified: VerifiedCopy
    ) -> VerifiedCopy | Result:
        """Note which tags the copy lacks; with strict verification, fail."""
        missing = await missing_tags(self.check.s3, copy)
        if not missing:
            return verified
        if self.check.options.verify is Verify.STRICT:
            return Result(action, Outcome.FAILED, f"{missing}; source kept", copy.to_key)
        return replace(verified, note="; ".join(filter(None, (verified.note, missing))))

    async def _compare_with_source(
        self, action: Action, copy: Copy, verified: VerifiedCopy, source: Head, there: Head
    ) -> VerifiedCopy | Result:
        """Verify a copy whose ETag proves nothing, by checksums or by its bytes."""
        comparison = compare(source, there, is_our_copy=True)
        verdict, by = comparison.match, comparison.by
        if verdict is Match.UNKNOWN:
            verdict = await self._compare_content(copy, source, there)
            by = "content"
        if verdict is Match.SAME:
            return verified
        if verdict is Match.DIFFERENT:
            return Result(
                action,
                Outcome.FAILED,
                f"the copy's {by} differs from the source's; source kept; do not use the copy",
            )
        reason = (
            "source and copy have no checksum in common and are too large to compare "
            f"(over {self.check.options.max_compare_size:,} bytes); source kept"
        )
        return Result(action, Outcome.CONFLICT, reason, copy.to_key)

    async def _compare_content(self, copy: Copy, source: Head, there: Head) -> Match:
        """Read the copy, and the source as well unless its ETag proves what was read."""
        layout = await self.parts.source_layout(copy, source)
        if layout is not None:
            read = await self.check.content.etag_in_parts(copy.to_bucket, there.object, layout)
            if etags_match(source.object.etag, read):
                return Match.SAME
        return await self.check.compare_bytes(copy, source.object, there.object)


_SAME_OBJECT = "source and destination are the same object under two names; nothing was changed"


def _ended_by_another(error: S3Error) -> bool:
    """Tell whether a multipart upload disappeared while its parts were copied.

    Another process that moves the same object has completed or aborted it.
    """
    return error.kind is Kind.NO_UPLOAD and error.operation == "UploadPartCopy"


def _may_have_taken_place(error: S3Error) -> bool:
    """Tell whether a copy may have been made although its request failed."""
    is_last = error.operation not in {"CreateMultipartUpload", "UploadPartCopy"}
    return is_last and error.kind in {Kind.UNREACHABLE, Kind.UNAVAILABLE}


def _replaced(copy: Copy) -> Replaced | None:
    return None if copy.replaces is None else Replaced(copy.replaces, copy.replaces_version)


def _existing_copy(copy: Copy, there: Head, *, resent: bool) -> VerifiedCopy:
    """Return the destination object as the copy, after a copy was refused.

    If the copy replaces an object and was sent more than once, this is our own copy, whose response
    was lost. Otherwise it is that, a copy of an earlier run, or an object that was there before; an
    undo decides by its modification time.
    """
    is_ours = resent and copy.replaces is not None
    return VerifiedCopy(
        copy.to_key,
        there.object.etag,
        there.version_id,
        held=not is_ours,
        resent=resent,
        modified=there.object.last_modified,
        replaced=_replaced(copy) if is_ours else None,
        note="the destination already held the same bytes",
    )
