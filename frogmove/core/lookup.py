"""Looks at the objects of a bucket, and tells a key that is gone from a bucket that is not there.

The answer to a HEAD has no body: its 404 says neither NoSuchKey nor NoSuchBucket.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.scheduler import wait_for
from frogmove.s3.errors import MALFORMED, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head, Page, S3Object


class Lookup:
    """Looks at the objects of one bucket; asks for the bucket itself once, at the first 404.

    Args:
        s3: where the bucket is.
        bucket: the bucket.
    """

    def __init__(self, s3: S3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._page: Future[Page] | None = None

    async def head(self, key: str, version_id: str | None = None) -> Head | None:
        """Look at one object; None when the bucket is there and the object is not.

        Raises:
            S3Error: when it cannot be looked at, or when there is no such bucket.
        """
        try:
            return await wait_for(self._s3.head(self._bucket, key, version_id))
        except S3Error as error:
            if error.kind is not Kind.MISSING:
                raise
        await self.check_bucket()
        return None

    async def find(self, item: S3Object) -> Head | None:
        """Look at an object that was listed, which may be another by now, or gone.

        A listing of this moment has to agree that it is. Where it does not, one of the two answers
        is wrong or was misread, and nothing has been found out.

        Returns:
            what is there; None when there is nothing.

        Raises:
            S3Error: when it cannot be looked at, or when listing and HEAD contradict each other.
        """
        seen = await self.head(item.key, item.version_id)
        if item.version_id is not None or is_directory_bucket(self._bucket) or _is(item, seen):
            return seen
        listed = await self._listed(item.key)
        if listed is None or _is(listed, seen):
            return seen
        # It may have been written or deleted between the two answers.
        again = await self.head(item.key)
        if _is(listed, again) or not _agree(seen, again):
            return again
        held = "does not find it" if seen is None else f"has {seen.object.etag!r} for it"
        raise S3Error(
            "ListObjectsV2",
            MALFORMED,
            200,
            f"the server's listing has {item.key!r} with the ETag {listed.etag!r}, and its HEAD "
            f"{held}: one of the two is wrong, or was misread",
        )

    async def _listed(self, key: str) -> S3Object | None:
        """Return what a listing shows for a key; None where it shows none, or may not be asked."""
        try:
            # A key sorts before all others that begin with it.
            page = await wait_for(self._s3.list_page(self._bucket, key, limit=1))
        except S3Error as error:
            if error.kind is Kind.DENIED:
                return None
            raise
        return next((each for each in page.objects if each.key == key), None)

    async def check_bucket(self) -> None:
        """Make sure that the bucket is there.

        Raises:
            S3Error: when it is not, or when that cannot be found out.
        """
        page = self._page
        if page is None:
            page = self._page = self._s3.list_page(self._bucket, "", limit=1)
        try:
            await wait_for(page)
        except S3Error as error:
            # A listing is refused only where there is a bucket; without one it is a 404.
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
