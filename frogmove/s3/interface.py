"""The S3 interface of frogmove: each operation returns a Future.

An implementation sends one request per call (and its retries), never blocks the caller, and returns
these values or an :class:`~frogmove.s3.errors.S3Error`. ETags have no quotation marks.
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
    """The S3 operations that frogmove needs."""

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
            prefix: the prefix of the keys.
            token: where the page before ended; then no ``start_after`` may be given.
            limit: maximum objects and prefixes of the page.
            start_after: list only keys after this one, in the order of UTF-8 bytes.
            delimiter: group keys that contain it after the prefix.
        """

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        """Read the attributes of one object, including its checksums.

        Args:
            bucket: the bucket.
            key: the object's key.
            version_id: its version; None for the current one.
            part: the number of a part, whose size is returned in place of the object's; servers
                that do not know it return the object's.
        """

    def copy(self, copy: Copy) -> Future[Copied]:
        """Copy one object of at most ``MAX_COPY_SIZE`` bytes, with metadata and tags."""

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """Delete one key; any valid key of S3.

        If ``deletion.seen`` is given, a HEAD request is sent before each attempt; the error is a
        404 if the object is gone and a 412 if it has changed. An unconditional delete is sent only
        once.
        """

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """Delete up to ``MAX_BATCH_DELETES`` keys at once.

        Returns:
            for each key, None if it was deleted, else its error.
        """

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """Read an object's tags."""

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        """Tell whether a feature of a bucket is enabled."""

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        """Read an object's retention (``GetObjectRetention``) or its ``GetObjectLegalHold``."""

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        """Read the ACL's grants except the owner's, as parameters of a copy."""

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        """List all annotations of an object; none if the server does not support them."""

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        """Read the payload of an annotation."""

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        """Add an annotation to an object, if it has this ETag."""

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """Create a multipart upload with the headers and metadata of ``source`` and with ``tags``.

        Args:
            copy: the destination.
            source: the source's headers and metadata.
            tags: the source's tags.
            checksum: the source's full-object checksum, whose algorithm S3 is to use; None for
                none.

        Returns:
            the upload's id.
        """

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """Copy the bytes ``first`` to ``last`` of the source, conditional on its ETag."""

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """Assemble the parts, with the copy's destination condition.

        S3 refuses an object of another size or, if one is given, of another checksum.
        """

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """Abort a multipart upload and delete its parts."""

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """List all parts of a multipart upload."""

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        """List all multipart uploads in flight whose keys begin with ``prefix``."""

    def list_versions(self, bucket: str, key: str) -> Future[Sequence[S3Object]]:
        """List the versions of one key, newest first, without delete markers.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
        """

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """Read the bytes ``first`` to ``last`` of an object, if its ETag has not changed.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """

    def read_md5(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """Read the same, and return its MD5; the range may be large, as nothing of it is kept."""

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """Write a small object; used only to test the capabilities of a custom endpoint."""
