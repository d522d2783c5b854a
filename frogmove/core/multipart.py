"""Multipart copy of one object that is too large for CopyObject.

Every part is conditional on the source's ETag, so a source that changes between two parts ends the
copy (s3transfer#362 mixed two contents). S3 copies only the bytes here: headers, metadata, tags and
storage class are set explicitly.

Without a checksum that S3 can compare, the copy gets parts of the same size as the source's. Then
both ETags are made of the MD5s of the same parts, and equal ETags prove the copy: nothing has to be
read.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from frogmove.core.journal import Journal
from frogmove.core.options import MIN_PART_SIZE, Multipart
from frogmove.core.scheduler import wait_for
from frogmove.core.verify import etag_of_parts, has_plain_etag, part_count
from frogmove.errors import RunError
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import Checksum, Copied, Copy, Head, Part

if TYPE_CHECKING:
    from frogmove.s3.future import Future


class InterruptedCopyError(Exception):
    """The run was stopped before all parts were copied.

    Args:
        kept: whether the upload was kept to be resumed.
        done: how many parts were copied.
        total: how many it needs.
    """

    def __init__(self, *, kept: bool, done: int, total: int) -> None:
        super().__init__(kept, done, total)
        self.kept = kept
        self.done = done
        self.total = total


@dataclass(frozen=True, slots=True)
class PartsCopier:
    """Copies objects in parts.

    Attributes:
        s3: the client for both buckets.
        multipart: part size and concurrency.
        journal: where an upload is recorded before its first part.
        stop: once set, no further part is started.
    """

    s3: S3
    multipart: Multipart
    journal: Journal
    stop: Event

    async def copy(self, copy: Copy, source: Head) -> Copied:
        """Copy an object.

        Raises:
            S3Error: when a request failed; the upload has been aborted, unless it will be resumed.
            RunError: when the journal cannot be written; the same holds for the upload.
            InterruptedCopyError: when the run was stopped.
        """
        size = await self._part_size(copy, source)
        layout = self._layout(copy, size)
        upload_id, existing, lost = await self._upload(copy, source, size)
        try:
            return await self._copy_missing_parts(copy, source, upload_id, layout, existing)
        finally:
            await self._abort_lost(copy, lost)

    async def abort_left_over(self, copy: Copy, source: Head) -> None:
        """Abort the upload that an earlier run left for a copy that exists now."""
        with suppress(S3Error):
            size = await self._part_size(copy, source)
            left = self.journal.upload_to_resume(copy.source, copy.to_key, size)
            if left is not None:
                await self._abort(copy, left)

    async def source_layout(
        self, copy: Copy, source: Head
    ) -> Sequence[tuple[int, int, int]] | None:
        """Return number, first and last byte of each part of the source.

        Returns:
            the parts, if the source's ETag is made of their MD5s; None if it is not, if they have
            several sizes, or if they are larger than those of this run: each would take too long.

        Raises:
            S3Error: when their size cannot be read for now.
        """
        size = await self._source_part_size(copy, source)
        return None if size is None else self._layout(copy, size)

    def _layout(self, copy: Copy, size: int) -> Sequence[tuple[int, int, int]]:
        return replace(self.multipart, part_size=size).parts(copy.source.size)

    async def _part_size(self, copy: Copy, source: Head) -> int:
        """Return the bytes of a part: of the source's own, if its ETag can then prove the copy."""
        return await self._source_part_size(copy, source) or self.multipart.part_size

    async def _source_part_size(self, copy: Copy, source: Head) -> int | None:
        count = part_count(copy.source.etag)
        if count is None or _combinable_checksum(source) or not has_plain_etag(source):
            return None
        item = copy.source
        try:
            first = await wait_for(self.s3.head(copy.bucket, item.key, item.version_id, part=1))
        except S3Error as error:
            if error.retrying_helps or error.ends_the_run:
                raise
            return None
        size = first.object.size
        if not MIN_PART_SIZE <= size <= self.multipart.part_size:
            return None
        return size if -(-item.size // size) == count else None

    async def _copy_missing_parts(
        self,
        copy: Copy,
        source: Head,
        upload_id: str,
        layout: Sequence[tuple[int, int, int]],
        existing: dict[int, Part],
    ) -> Copied:
        """Copy the missing parts and complete the upload."""
        try:
            missing = deque(part for part in layout if part[0] not in existing)
            parts = await self._copy_parts(copy, upload_id, missing, existing)
            if len(parts) == len(layout):
                await self._check_source(copy)
                return await self._complete(copy, upload_id, parts, _combinable_checksum(source))
        except S3Error as error:
            if not (error.retrying_helps and self.journal.keeps_failed_uploads):
                await self._abort(copy, upload_id)
            raise
        if not self.journal.keeps_uploads:
            await self._abort(copy, upload_id)
        raise InterruptedCopyError(
            kept=self.journal.keeps_uploads, done=len(parts), total=len(layout)
        )

    async def _upload(
        self, copy: Copy, source: Head, size: int
    ) -> tuple[str, dict[int, Part], frozenset[str]]:
        """Find the upload that an earlier run left, or create one.

        Args:
            copy: the copy.
            source: the source's headers and metadata.
            size: bytes of a part.

        Returns:
            the upload, its parts, and uploads that may be left from a lost response.
        """
        left = self.journal.upload_to_resume(copy.source, copy.to_key, size)
        if left is not None:
            try:
                existing = await wait_for(self.s3.list_parts(copy.to_bucket, copy.to_key, left))
            except S3Error as error:
                if error.kind is not Kind.NO_UPLOAD:
                    raise
                self.journal.upload_ended(left)
            else:
                return left, {part.number: part for part in existing}, frozenset()
        tags = await wait_for(self.s3.tags(copy.bucket, copy.source.key, copy.source.version_id))
        before = await self._in_flight(copy)
        try:
            upload_id = await wait_for(
                self.s3.create_upload(copy, source, tags, _combinable_checksum(source))
            )
        except S3Error as error:
            if error.retrying_helps:
                await self._abort_lost(copy, await self._begun_since(copy, before))
            raise
        lost = await self._begun_since(copy, before) - {upload_id}
        try:
            self.journal.upload_begun(copy.source, copy.to_key, upload_id, size)
            self.journal.commit()
        except (RunError, S3Error):
            await self._abort(copy, upload_id)
            raise
        return upload_id, {}, lost

    async def _in_flight(self, copy: Copy) -> frozenset[str] | None:
        """Return the uploads of the destination key; None if they cannot be listed."""
        try:
            listed = await wait_for(self.s3.list_uploads(copy.to_bucket, copy.to_key))
        except S3Error:
            return None
        return frozenset(each.upload_id for each in listed if each.key == copy.to_key)

    async def _begun_since(self, copy: Copy, before: frozenset[str] | None) -> frozenset[str]:
        now = None if before is None else await self._in_flight(copy)
        return frozenset() if before is None or now is None else now - before

    async def _abort_lost(self, copy: Copy, lost: Iterable[str]) -> None:
        """Abort uploads that were created together with ours and have no parts.

        They are from requests whose response was lost. S3 does not say who created an upload, but
        an upload of another process has parts by the time ours is complete.
        """
        for upload_id in lost:
            with suppress(S3Error):
                if not await wait_for(self.s3.list_parts(copy.to_bucket, copy.to_key, upload_id)):
                    await wait_for(self.s3.abort_upload(copy.to_bucket, copy.to_key, upload_id))

    async def _copy_parts(
        self,
        copy: Copy,
        upload_id: str,
        missing: deque[tuple[int, int, int]],
        existing: dict[int, Part],
    ) -> Sequence[Part]:
        """Copy the missing parts until the run is stopped, and return all that exist."""
        in_flight: deque[Future[Part]] = deque()
        parts = dict(existing)
        error: S3Error | None = None
        while True:
            may_start = missing and error is None and not self.stop.is_set()
            if may_start and len(in_flight) < self.multipart.at_once:
                number, first, last = missing.popleft()
                in_flight.append(self.s3.copy_part(copy, upload_id, number, first, last))
                continue
            if not in_flight:
                break
            try:
                part = await wait_for(in_flight.popleft())
            except S3Error as problem:
                # Wait for the others: a part that is copied after an abort is kept and billed.
                error = problem
            else:
                parts[part.number] = part
        if error is not None:
            raise error
        return [parts[number] for number in sorted(parts)]

    async def _check_source(self, copy: Copy) -> None:
        """Look up the source again: not every server honours the condition of each part."""
        source = copy.source
        seen = await wait_for(self.s3.head(copy.bucket, source.key, source.version_id))
        if not etags_match(seen.object.etag, source.etag):
            raise S3Error("HeadObject", "PreconditionFailed", 412, "The source has changed")

    async def _complete(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Copied:
        try:
            copied = await wait_for(self.s3.complete_upload(copy, upload_id, parts, checksum))
        except S3Error as error:
            if error.kind is not Kind.NO_UPLOAD:
                raise
            # It may have been completed by a request whose response was lost.
            there = await wait_for(self.s3.head(copy.to_bucket, copy.to_key))
            if not etags_match(there.object.etag, assembled_etag(parts)):
                raise
            copied = Copied(there.object.etag, there.version_id)
        self.journal.upload_ended(upload_id)
        return replace(copied, parts_etag=assembled_etag(parts))

    async def _abort(self, copy: Copy, upload_id: str) -> None:
        try:
            await wait_for(self.s3.abort_upload(copy.to_bucket, copy.to_key, upload_id))
        except S3Error as error:
            if error.kind is not Kind.NO_UPLOAD:
                raise
        self.journal.upload_ended(upload_id)


def assembled_etag(parts: Sequence[Part]) -> str:
    """Return the ETag of an object assembled from these parts, if ETags are MD5s.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    try:
        return etag_of_parts([bytes.fromhex(part.etag) for part in parts])
    except ValueError:
        return ""


def _combinable_checksum(source: Head) -> Checksum | None:
    """Return the source's full-object checksum, if it can be computed from parts.

    S3 compares it with that of the assembled object and refuses a difference. Only CRCs can be
    combined from parts.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    crcs = [sum_ for sum_ in source.checksums if sum_.full_object and "CRC" in sum_.algorithm]
    return crcs[0] if crcs else None
