"""Looks up objects of a bucket, and distinguishes a missing key from a missing bucket.

A HEAD response has no body: its 404 may mean NoSuchKey or NoSuchBucket.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.scheduler import wait_for
from frogmove.quoting import in_quotes
from frogmove.s3.errors import DELETE_MARKER, MALFORMED, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head, Page, S3Object

# The status of a HEAD request for a version that is a delete marker.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
_IS_DELETE_MARKER = 405


class Lookup:
    """Looks up objects of one bucket; checks the bucket itself once, at the first 404.

    Args:
        s3: the client.
        bucket: the bucket.
    """

    def __init__(self, s3: S3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._page: Future[Page] | None = None

    async def head(self, key: str, version_id: str | None = None) -> Head | None:
        """Look up one object; None if the bucket exists but the object does not.

        Raises:
            S3Error: when the request fails, or when the bucket does not exist.
        """
        try:
            return await wait_for(self._s3.head(self._bucket, key, version_id))
        except S3Error as error:
            if version_id is not None and error.status == _IS_DELETE_MARKER:
                message = "This version is a delete marker, which has no content"
                raise S3Error(error.operation, DELETE_MARKER, error.status, message) from error
            if error.kind is not Kind.MISSING:
                raise
        await self.check_bucket()
        return None

    async def find(self, item: S3Object) -> Head | None:
        """Look up an object that was listed; it may have changed or be gone.

        If it has changed or is gone, a new listing has to confirm that. If it does not, one of the
        two responses is wrong, and nothing is known.

        Returns:
            the object; None if it does not exist.

        Raises:
            S3Error: when the request fails, or when listing and HEAD contradict each other.
        """
        seen = await self.head(item.key, item.version_id)
        if item.version_id is not None or is_directory_bucket(self._bucket) or _is(item, seen):
            return seen
        listed = await self.listed(item.key)
        if listed is None or _is(listed, seen):
            return seen
        # It may have changed between the two requests.
        again = await self.head(item.key)
        if _is(listed, again) or not _agree(seen, again):
            return again
        held = "does not find it" if seen is None else f"has {in_quotes(seen.object.etag)} for it"
        raise S3Error(
            "ListObjectsV2",
            MALFORMED,
            200,
            f"the server's listing shows {in_quotes(item.key)} with the ETag "
            f"{in_quotes(listed.etag)}, but its HEAD {held}: one of the two responses is wrong",
        )

    async def listed(self, key: str) -> S3Object | None:
        """Return a key's entry in a new listing; None if there is none or listing is denied."""
        try:
            # A key sorts before all others that begin with it.
            page = await wait_for(self._s3.list_page(self._bucket, key, limit=1))
        except S3Error as error:
            if error.kind is Kind.DENIED:
                return None
            raise
        return next((each for each in page.objects if each.key == key), None)

    async def check_bucket(self) -> None:
        """Check that the bucket exists.

        Raises:
            S3Error: when it does not, or when that cannot be determined.
        """
        page = self._page
        if page is None:
            page = self._page = self._s3.list_page(self._bucket, "", limit=1)
        try:
            await wait_for(page)
        except S3Error as error:
            # A listing is denied only if the bucket exists; otherwise the response is a 404.
            if error.kind is Kind.DENIED:
                return
            if self._page is page:
                self._page = None
            if error.kind is Kind.MISSING:
                raise S3Error(
                    error.operation, "NoSuchBucket", error.status, error.message
                ) from None
            raise


def _is(item: S3Object, seen: Head | None) -> bool:
    return seen is not None and etags_match(item.etag, seen.object.etag)


def _agree(one: Head | None, other: Head | None) -> bool:
    if one is None or other is None:
        return one is other
    return etags_match(one.object.etag, other.object.etag)
