"""Requests that are so rare that every engine sends them through boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from frogmove.s3.boto import BotoS3
    from frogmove.s3.bucket_features import Feature
    from frogmove.s3.future import Future
    from frogmove.s3.models import (
        Annotation,
        Checksum,
        Copied,
        Copy,
        Head,
        Part,
        S3Object,
        UnfinishedUpload,
    )


class RareRequests:
    """The operations that an engine leaves to boto3.

    Args:
        boto: sends them.
    """

    def __init__(self, boto: BotoS3) -> None:
        self._boto = boto

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.copy_part(copy, upload_id, number, first, last)

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.tags(bucket, key, version_id)

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.has_feature(bucket, feature)

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.read_lock(bucket, key, version_id, operation)

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.read_grants(bucket, key, version_id)

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.list_annotations(bucket, key, version_id)

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.read_annotation(bucket, key, version_id, name)

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.put_annotation(bucket, key, etag, name, payload)

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.create_upload(copy, source, tags, checksum)

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.complete_upload(copy, upload_id, parts, checksum)

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.abort_upload(bucket, key, upload_id)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.list_parts(bucket, key, upload_id)

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.list_uploads(bucket, prefix)

    def list_versions(self, bucket: str, key: str) -> Future[Sequence[S3Object]]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.list_versions(bucket, key)

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.read(bucket, item, first, last)

    def read_md5(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.read_md5(bucket, item, first, last)

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._boto.put(bucket, key, body)
