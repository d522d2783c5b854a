"""Multipart uploads without content: readers do not see them, and they trigger no notification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.s3.models import NO_TIME, Copy, Head, S3Object

if TYPE_CHECKING:
    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3


def create_empty_upload(s3: S3, bucket: str, key: str) -> Future[str]:
    """Create a multipart upload without headers, metadata and tags.

    Returns:
        the upload's id.
    """
    nothing = S3Object(key, 0, "", NO_TIME)
    return s3.create_upload(Copy(bucket, nothing, bucket, key), Head(nothing), {}, None)
