"""One object copied in parts: for what is too large for a single copy.

Every part carries the source's ETag as its condition, so a source that changes between two
parts ends the copy (s3transfer#362 tore objects so). S3 keeps nothing of the source by itself
here: headers, metadata, tags and storage class are carried by hand.
"""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from frogmove.core.journal import Journal
from frogmove.core.terms import Multipart
from frogmove.core.window import Answer
from frogmove.errors import RunError
from frogmove.s3 import S3, Checksum, Copied, Copy, Head, Part, S3Error
from frogmove.s3.failure import Kind

if TYPE_CHECKING:
    from concurrent.futures import Future


class InterruptedCopyError(Exception):
    """The run was asked to stop before all parts were copied.

    Args:
        kept: whether the upload was left in place to be resumed.
        done: how many parts it has.
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
        s3: where both buckets are.
        multipart: part sizes and how many at once.
        journal: where an upload is noted before its first part.
        stop: once set, no further part is begun.
    """

    s3: S3
    multipart: Multipart
    journal: Journal
    stop: Event

    async def copy(self, copy: Copy, source: Head) -> Copied:
        """Copy an object that is as ``source`` shows it.

        Raises:
            S3Error: when a request failed; the upload has been aborted, unless it can be resumed
                and that helps.
            RunError: when the journal cannot be written; likewise.
            InterruptedCopyError: when the run was asked to stop.
        """
        upload_id, have = await self._upload(copy, source)
        try:
            parts = await self._copy_parts(copy, upload_id, have)
            if len(parts) == self._count(copy):
                await self._check_source(copy)
                return await self._complete(copy, upload_id, parts, _whole(source))
        except S3Error as error:
            if not (error.retrying_helps and self.journal.keeps_failed_uploads):
                await self._abort(copy, upload_id)
            raise
        if not self.journal.keeps_uploads:
            await self._abort(copy, upload_id)
        raise InterruptedCopyError(
            kept=self.journal.keeps_uploads, done=len(parts), total=self._count(copy)
        )

    async def _upload(self, copy: Copy, source: Head) -> tuple[str, dict[int, Part]]:
        """Find the upload that an earlier run left, or begin one."""
        size = self.multipart.part_size
        left = self.journal.upload_to_resume(copy.source, copy.to_key, size)
        if left is not None:
            try:
                have = await Answer(self.s3.list_parts(copy.to_bucket, copy.to_key, left))
            except S3Error as error:
                if error.kind is not Kind.NO_UPLOAD:
                    raise
                self.journal.upload_ended(left)
            else:
                return left, {part.number: part for part in have}
        tags = await Answer(self.s3.tags(copy.bucket, copy.source.key, copy.source.version_id))
        upload_id = await Answer(self.s3.create_upload(copy, source, tags, _whole(source)))
        try:
            self.journal.upload_begun(copy.source, copy.to_key, upload_id, size)
            self.journal.commit()
        except (RunError, S3Error):
            await self._abort(copy, upload_id)
            raise
        return upload_id, {}

    async def _copy_parts(
        self, copy: Copy, upload_id: str, have: dict[int, Part]
    ) -> Sequence[Part]:
        """Copy the parts that are missing, until the run is stopped."""
        missing = deque(
            part for part in self.multipart.parts(copy.source.size) if part[0] not in have
        )
        under_way: deque[Future[Part]] = deque()
        parts = dict(have)
        error: S3Error | None = None
        while True:
            goes_on = missing and error is None and not self.stop.is_set()
            if goes_on and len(under_way) < self.multipart.at_once:
                number, first, last = missing.popleft()
                under_way.append(self.s3.copy_part(copy, upload_id, number, first, last))
                continue
            if not under_way:
                break
            try:
                part = await Answer(under_way.popleft())
            except S3Error as problem:
                # The others are waited for: a part that lands after an abort is kept and billed.
                error = problem
            else:
                parts[part.number] = part
        if error is not None:
            raise error
        return [parts[number] for number in sorted(parts)]

    async def _check_source(self, copy: Copy) -> None:
        """Look at the source once more: not every server holds each part to its condition."""
        source = copy.source
        seen = await Answer(self.s3.head(copy.bucket, source.key, source.version_id))
        if seen.object.etag != source.etag:
            raise S3Error("HeadObject", "PreconditionFailed", 412, "The source has changed")

    async def _complete(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Copied:
        try:
            copied = await Answer(self.s3.complete_upload(copy, upload_id, parts, checksum))
        except S3Error as error:
            if error.kind is not Kind.NO_UPLOAD:
                raise
            # Completed already, by a request whose answer was lost?
            there = await Answer(self.s3.head(copy.to_bucket, copy.to_key))
            if there.object.etag != assembled_etag(parts):
                raise
            copied = Copied(there.object.etag)
        self.journal.upload_ended(upload_id)
        return copied

    async def _abort(self, copy: Copy, upload_id: str) -> None:
        try:
            await Answer(self.s3.abort_upload(copy.to_bucket, copy.to_key, upload_id))
        except S3Error as error:
            if error.kind is not Kind.NO_UPLOAD:
                raise
        self.journal.upload_ended(upload_id)

    def _count(self, copy: Copy) -> int:
        return len(self.multipart.parts(copy.source.size))


def assembled_etag(parts: Sequence[Part]) -> str:
    """Return the ETag that an object assembled of these parts has where ETags are MD5s.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    try:
        digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    except ValueError:
        return ""
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _whole(source: Head) -> Checksum | None:
    """Return the source's checksum of all its bytes, if it has one that parts add up to.

    S3 then computes it over the assembled object and refuses a wrong one. Only CRCs add up.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    crcs = [sum_ for sum_ in source.checksums if sum_.full_object and "CRC" in sum_.algorithm]
    return crcs[0] if crcs else None
