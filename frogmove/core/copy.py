"""Copies one object to the destination, verified; nothing is deleted here."""

from dataclasses import dataclass, replace

from frogmove.core.annotations import carry_annotations
from frogmove.core.attributes import AttributeReader, Found, in_words
from frogmove.core.content import ContentComparer
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, Outcome, Replaced, Result, Route, Verb, VerifiedCopy
from frogmove.core.multipart import PartsCopier
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.preflight import is_same_place
from frogmove.core.scheduler import wait_for
from frogmove.core.tags import missing_tags, other_tags
from frogmove.core.verify import Match, Verify, compare, has_key, same_attributes, same_etag
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.etag import bare, etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import Copied, Copy, Head, S3Object
from frogmove.s3.uri import LONGEST_KEY, Location

# A destination that changes under our hands this often is somebody else's.
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class ObjectCopier:
    """Copies objects of one run.

    Attributes:
        s3: where both buckets are.
        route: which buckets.
        options: how.
        parts: what copies those too large for one copy.
        source: what looks at the source bucket.
        attributes: what reads what no copy carries by itself.
        content: what compares bytes where nothing else tells.
    """

    s3: S3
    route: Route
    options: TransferOptions
    parts: PartsCopier
    source: Lookup
    attributes: AttributeReader
    content: ContentComparer

    async def copy(self, action: Action, to_bucket: str | None = None) -> VerifiedCopy | Result:
        """Get the object's bytes to the destination, verified.

        Args:
            action: which object, and where to.
            to_bucket: another bucket than the route's destination.

        Returns:
            where they are, or the action's result where it ends here.

        Raises:
            S3Error: when a request failed that decides.
            InterruptedCopyError: when the run was asked to stop between two parts.
        """
        copy = Copy(
            bucket=self.route.source.bucket,
            source=action.object,
            to_bucket=to_bucket or self.route.destination.bucket,
            to_key=action.destination_key,
            replaces=action.replaces,
        )
        found: Found = {}
        if self.attributes.kinds:
            source = await self.source.find(copy.source)
            if source is not None and etags_match(source.object.etag, copy.source.etag):
                found = await self.attributes.of_source(copy.bucket, source)
                copy = replace(copy, attributes=self.attributes.parameters(found))
        for _ in range(ATTEMPTS):
            copied = await self._try(copy)
            if isinstance(copied, Copied):
                verified = await self._settle(action, copy, copied)
            else:
                resent = copied is not None and copied.resent
                again = await self._reconsider(action, copy, found, resent=resent)
                if isinstance(again, Copy):
                    copy = again
                    continue
                verified = again
            if found and isinstance(verified, VerifiedCopy):
                return await self._check_attributes(action, copy, verified, found)
            return verified
        return Result(action, Outcome.CONFLICT, "the destination kept changing; source kept")

    async def _settle(self, action: Action, copy: Copy, copied: Copied) -> VerifiedCopy | Result:
        """Verify what was copied, and add what the copy did not carry by itself."""
        verified = await self._verify(action, copy, copied)
        if not isinstance(verified, VerifiedCopy):
            return verified
        if not copied.asked_for_tags:
            return await self._check_tags(action, copy, verified)
        if not self._is_large(copy):
            return verified
        carried = await self._carry_annotations(action, copy, verified)
        return carried or _changed_at_once(action)

    async def _try(self, copy: Copy) -> Copied | S3Error | None:
        """Copy; without a copy when a condition did not hold, with the refusal if S3 said so."""
        large = self._is_large(copy)
        capabilities = self.options.capabilities
        condition = "copy_destination" if copy.replaces is None else "copy_replace"
        # Parts are not worth copying when it is known beforehand that they cannot be assembled.
        if (large or not getattr(capabilities, condition)) and await self._is_occupied(copy):
            return None
        sent = capabilities.sends(condition), "copy_source" not in capabilities.refused
        if sent != (copy.guard_destination, copy.guard_source):
            copy = replace(copy, guard_destination=sent[0], guard_source=sent[1])
        try:
            if not large:
                self.parts.journal.copying(copy)
                return await wait_for(self.s3.copy(copy))
            source = await self.source.find(copy.source)
            if source is None or not etags_match(source.object.etag, copy.source.etag):
                return None
            self.parts.journal.copying(copy)
            return await self.parts.copy(copy, source)
        except S3Error as error:
            # Missing may be the source, or the object that was to be replaced.
            if error.kind in {Kind.CHANGED, Kind.MISSING} or _is_somebody_elses_end(error):
                return error
            raise

    def _is_large(self, copy: Copy) -> bool:
        return copy.source.size > self.options.multipart.threshold

    async def _is_occupied(self, copy: Copy) -> bool:
        """Tell whether the destination holds anything but what the copy is to replace."""
        there = await self.head(copy.to_bucket, copy.to_key)
        return there is not None and not etags_match(there.object.etag, copy.replaces)

    async def _reconsider(
        self, action: Action, copy: Copy, found: Found, *, resent: bool
    ) -> Copy | VerifiedCopy | Result:
        """Find out which condition of a copy did not hold, and what is to be done about it."""
        item = action.object
        source = await self.source.find(item)
        if source is None:
            return Result(action, Outcome.GONE, "no longer at the source")
        if not etags_match(source.object.etag, item.etag):
            return superseded(action, "nothing was copied")
        # A listing may write ETags in a way that conditions do not take.
        copy = replace(copy, source=copy.source._replace(etag=source.object.etag))
        there = await self.head(copy.to_bucket, copy.to_key)
        if there is None and action.verb is Verb.RESTORE and action.replaces is not None:
            return Result(action, Outcome.GONE, "what it was to be written over is gone")
        if there is None:
            return replace(copy, replaces=None, replaces_version=None)
        if await self._is_itself(copy, source.object, there.object):
            return Result(action, Outcome.FAILED, _ITSELF)
        # What is to be replaced was judged before, unless it is our own copy by now.
        if etags_match(there.object.etag, copy.replaces):
            return replace(copy, replaces=there.object.etag)
        other = await self._other_than(copy, source, there)
        if copy.attributes and not other:
            lacking = await self.attributes.missing(found, copy.to_bucket, there)
            if self.attributes.insists_on(lacking):
                other = f"the same bytes without the source's {in_words(lacking)}"
        if not other:
            twin = _twin(copy, there, resent=resent)
            carried = await self._carry_annotations(action, copy, twin)
            if isinstance(carried, VerifiedCopy) and self._is_large(copy):
                await self.parts.abandon(copy)
            if carried is not None:
                return carried
            other = "the same bytes with other annotations"
        return self._resolve_conflict(action, copy, there, other)

    async def _other_than(self, copy: Copy, source: Head, there: Head) -> str:
        """Say in what the destination differs from what a copy would be; empty: in nothing."""
        by = compare(source, there)
        verdict = by.match
        if verdict is Match.UNKNOWN:
            verdict = await self._compare_bytes(copy, source.object, there.object)
        if verdict is Match.UNKNOWN:
            return (
                "something of the same size that is too large to be read and compared "
                f"(over {self.options.max_compare_size:,} bytes)"
            )
        if verdict is Match.DIFFERENT:
            return "something else"
        if not same_attributes(source, there):
            return "the same bytes with other content headers or metadata"
        if not has_key(there, self.options.kms_key_id):
            return "the same bytes, not encrypted with the KMS key asked for"
        return await other_tags(self.s3, copy, there)

    async def _compare_bytes(self, copy: Copy, source: S3Object, there: S3Object) -> Match:
        return await self.content.compare((copy.bucket, source), (copy.to_bucket, there))

    async def _is_itself(self, copy: Copy, source: S3Object, there: S3Object) -> bool:
        """Tell whether what the destination holds is the source itself, under another name.

        Another bucket's name, or another key: some servers take ``a//b`` for ``a/b``. A copy is
        as old as its source only if both were written in the same second; then a throw-away key
        tells whether the two places are one.
        """
        if source.last_modified != there.last_modified or not etags_match(source.etag, there.etag):
            return False
        ends = [
            Location(copy.bucket, _folder(source.key)),
            Location(copy.to_bucket, _folder(copy.to_key)),
        ]
        if self.options.probe_source:
            ends.reverse()
        return await is_same_place(self.s3, *ends)

    def _resolve_conflict(
        self, action: Action, copy: Copy, found: Head, holds: str
    ) -> Copy | Result:
        """Apply the policy for a destination that holds something else."""
        there = found.object
        state = (
            f"the destination holds {holds} ({there.size:,} bytes of "
            f"{there.last_modified:%Y-%m-%d %H:%M}); source kept"
        )
        # What sync decided to replace is no longer what is there: that is for the next sync.
        policy = OnConflict.FAIL if action.replaces is not None else self.options.on_conflict
        both = keep_both_key(action.destination_key, action.object.etag)
        match policy:
            case OnConflict.OVERWRITE if _may_be_newer(there, action):
                return Result(action, Outcome.CONFLICT, f"{state}; {_OLDER}", copy.to_key)
            case OnConflict.OVERWRITE:
                return replace(copy, replaces=there.etag, replaces_version=found.version_id)
            case OnConflict.SKIP:
                return Result(action, Outcome.SKIPPED, state)
            case OnConflict.KEEP_BOTH if copy.to_key != both and len(both.encode()) <= LONGEST_KEY:
                return replace(copy, to_key=both, replaces=None, replaces_version=None)
            case _:
                return Result(action, Outcome.CONFLICT, state, copy.to_key)

    async def _verify(self, action: Action, copy: Copy, copied: Copied) -> VerifiedCopy | Result:
        """Make sure that the copy holds what was seen at the source."""
        verified = VerifiedCopy(
            copy.to_key, copied.etag, copied.version_id, replaced=_replaced(copy)
        )
        if same_etag(copy.source.etag, copied.etag):
            return verified
        source = await self._look_again(action, copy)
        if isinstance(source, Result):
            return source
        there = await self.head(copy.to_bucket, copy.to_key)
        if there is None or not etags_match(there.object.etag, copied.etag):
            return _changed_at_once(action)
        return await self._judge(action, copy, verified, source, there)

    async def _carry_annotations(
        self, action: Action, copy: Copy, verified: VerifiedCopy
    ) -> VerifiedCopy | Result | None:
        """Give what landed the annotations of its source; None where it has others."""
        try:
            return verified if await carry_annotations(self.s3, copy, verified.etag) else None
        except S3Error as error:
            if error.kind not in {Kind.CHANGED, Kind.MISSING}:
                raise
        source = await self._look_again(action, copy)
        return source if isinstance(source, Result) else _changed_at_once(action)

    async def _look_again(self, action: Action, copy: Copy) -> Head | Result:
        """Look at the source of a copy that was made; it may be another by now."""
        source = await self.source.find(copy.source)
        if source is None:
            return Result(action, Outcome.GONE, "vanished from the source after it was copied")
        if not etags_match(source.object.etag, copy.source.etag):
            return superseded(action, "what was copied may be either")
        return source

    async def _check_attributes(
        self, action: Action, copy: Copy, verified: VerifiedCopy, found: Found
    ) -> VerifiedCopy | Result:
        """Say what a copy lacks that S3 does not carry by itself; where asked for, refuse it."""
        there = await self.head(copy.to_bucket, verified.key)
        if there is None or not etags_match(there.object.etag, verified.etag):
            return _changed_at_once(action)
        lacking = await self.attributes.missing(found, copy.to_bucket, there)
        if not lacking:
            return verified
        words = in_words(lacking)
        if self.attributes.insists_on(lacking):
            reason = f"the copy lacks the source's {words}; source kept"
            return Result(action, Outcome.FAILED, reason, verified.key)
        note = "; ".join(filter(None, (verified.note, f"not carried: {words}")))
        return replace(verified, note=note)

    async def _check_tags(
        self, action: Action, copy: Copy, verified: VerifiedCopy
    ) -> VerifiedCopy | Result:
        """Say which tags a copy lacks; strictly, that is too little to delete the source."""
        missing = await missing_tags(self.s3, copy)
        if not missing:
            return verified
        if self.options.verify is Verify.STRICT:
            return Result(action, Outcome.FAILED, f"{missing}; source kept", copy.to_key)
        return replace(verified, note="; ".join(filter(None, (verified.note, missing))))

    async def _judge(
        self, action: Action, copy: Copy, verified: VerifiedCopy, source: Head, there: Head
    ) -> VerifiedCopy | Result:
        """Judge a copy that this run made, which its ETag does not prove."""
        comparison = compare(source, there, is_our_copy=True)
        verdict, by = comparison.match, comparison.by
        if verdict is Match.UNKNOWN:
            verdict, by = await self._compare_bytes(copy, source.object, there.object), "content"
        if verdict is Match.SAME:
            return verified
        if verdict is Match.DIFFERENT:
            return Result(
                action,
                Outcome.FAILED,
                f"the copy's {by} is not the source's; source kept, copy not to be used",
            )
        reason = (
            "source and copy have no checksum in common, and are too large to be read and compared "
            f"(over {self.options.max_compare_size:,} bytes); source kept"
        )
        return Result(action, Outcome.CONFLICT, reason, copy.to_key)

    async def head(self, bucket: str, key: str, version_id: str | None = None) -> Head | None:
        """Look at one object; None when it is not there.

        Raises:
            S3Error: when it cannot be looked at.
        """
        if bucket == self.route.source.bucket:
            return await self.source.head(key, version_id)
        try:
            return await wait_for(self.s3.head(bucket, key, version_id))
        except S3Error as error:
            if error.kind is Kind.MISSING:
                return None
            raise


_ITSELF = "source and destination are one place under two names; nothing was touched"


def _is_somebody_elses_end(error: S3Error) -> bool:
    """Tell whether an upload went away while its parts were copied.

    Whoever moves the same object at the same time has completed it or thrown it away.
    """
    return error.kind is Kind.NO_UPLOAD and error.operation == "UploadPartCopy"


def _changed_at_once(action: Action) -> Result:
    return Result(action, Outcome.CONFLICT, "somebody else changed the copy at once; source kept")


def _replaced(copy: Copy) -> Replaced | None:
    return None if copy.replaces is None else Replaced(copy.replaces, copy.replaces_version)


def _twin(copy: Copy, there: Head, *, resent: bool) -> VerifiedCopy:
    """Return what the destination holds in place of a copy that was refused.

    Where an object was to be replaced, it is the copy whose answer was lost. Otherwise that, or
    what an earlier run made, or what was there before; an undo judges by when it was written.
    """
    return VerifiedCopy(
        copy.to_key,
        there.object.etag,
        there.version_id,
        held=copy.replaces is None,
        resent=resent,
        modified=there.object.last_modified,
        replaced=_replaced(copy),
        note="the destination held the same bytes already",
    )


_OLDER = (
    "a named version does not replace what was written after it: choose --on-conflict keep-both, "
    "or move the key without naming a version"
)


def _may_be_newer(there: S3Object, action: Action) -> bool:
    """Tell whether what the destination holds may be newer than the version that somebody named.

    A copy of a later version was written after that version, so after this one as well. Times
    are whole seconds.
    """
    item = action.object
    if item.version_id is None or there.etag == action.follows:
        return False
    return there.last_modified >= item.last_modified


def _folder(key: str) -> str:
    folder, slash, _ = key.rpartition("/")
    return folder + slash


def keep_both_key(key: str, etag: str) -> str:
    """Return the key under which an object is kept beside another that holds its own key.

    Made of the ETag, so that a second run finds what the first one copied.
    """
    folder, slash, name = key.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return f"{folder}{slash}{stem}.{bare(etag)[:8]}{dot}{extension}"


def superseded(action: Action, state: str) -> Result:
    """Return the result of an action whose source is another by now."""
    reason = f"changed at the source since it was seen; kept there; {state}"
    return Result(action, Outcome.SUPERSEDED, reason)
