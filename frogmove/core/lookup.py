"""Looks at the objects of a bucket, and tells a key that is gone from a bucket that is not there.

The answer to a HEAD has no body: its 404 says neither NoSuchKey nor NoSuchBucket.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.scheduler import wait_for
from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from concurrent.futures import Future

    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head, Page


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
