"""The S3 that the rest of frogmove knows: a dozen operations, each answered by a Future.

An implementation sends one request per call (or the retries of that one), never blocks the
caller, and answers with these values or with an :class:`~frogmove.s3.errors.S3Error`.
ETags travel without their quotation marks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from frogmove.s3.bucket_features import Feature
from frogmove.s3.errors import S3Error
from frogmove.s3.future import Future
from frogmove.s3.models import (
    Annotation,
    Checksum,
    Copied,
    Copy,
    Deletion,
    Head,
    Page,
    Part,
    S3Object,
    UnfinishedUpload,
)


class S3(Protocol):
    """The operations of S3 that moving needs."""

    def list_page(
        self,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 1000,
        *,
        start_after: str = "",
        delimiter: str = "",
    ) -> Future[Page]:
        """List up to ``limit`` (1 to 1,000) objects under ``prefix``.

        Args:
            bucket: the bucket.
            prefix: what the keys begin with.
            token: where the page before ended; then no ``start_after`` may be given.
            limit: the most objects and prefixes of the answer.
            start_after: list only keys behind this one, in the order of UTF-8 bytes.
            delimiter: roll up keys that have it behind the prefix.
        """

    def head(self, bucket: str, key: str, version_id: str | None = None) -> Future[Head]:
        """Look at one object, its checksums included."""

    def copy(self, copy: Copy) -> Future[Copied]:
        """Copy one object of at most ``LARGEST_COPY`` bytes, carrying metadata and tags."""

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """Delete one key; any key that S3 can hold.

        Where ``deletion.seen`` is given, each attempt is preceded by a look; what is gone by then
        is answered with its 404, and what is another with 412. One that is blind is sent once.
        """

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """Delete up to ``LARGEST_DELETE`` keys at once.

        Returns:
            for each key, None when it was deleted, else why it was not.
        """

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """Read an object's tags."""

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        """Tell whether a bucket has something switched on."""

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        """Read an object's retention (``GetObjectRetention``) or its ``GetObjectLegalHold``."""

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        """Read who has been granted what besides the owner, by the names that copies take."""

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        """List all annotations of an object; none where the server does not know any."""

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        """Read the payload of an annotation."""

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        """Give the object of this ETag an annotation."""

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """Begin a multipart upload that carries what ``source`` and ``tags`` show.

        Args:
            copy: where to.
            source: the source's headers and metadata.
            tags: the source's tags.
            checksum: the whole source's, whose algorithm S3 is to compute; None for none.

        Returns:
            the upload's id.
        """

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """Copy the bytes ``first`` to ``last`` of the source, under the copy's source ETag."""

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """Assemble the parts, under the copy's destination condition.

        S3 refuses an object of another size or, where it is given, of another checksum.
        """

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """Throw a multipart upload and its parts away."""

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """List all parts that a multipart upload has."""

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        """List all multipart uploads in flight whose keys begin with ``prefix``."""

    def list_versions(self, bucket: str, key: str) -> Future[Sequence[S3Object]]:
        """List the versions of one key, the newest first; delete markers are left out.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
        """

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """Read the bytes ``first`` to ``last`` of an object, while its ETag is the one seen.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """Write a small object; used only to find out what a custom endpoint honours."""
