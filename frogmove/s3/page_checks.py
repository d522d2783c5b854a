"""Looks at the pages of a listing for what would make it wrong, or have it never end."""

from frogmove.quoting import in_quotes
from frogmove.s3.errors import INVALID_KEY, MALFORMED, Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Page


class EncodingCheck:
    """Makes sure, once for each kind of encoding, that a server that claims one means it.

    Args:
        s3: where the bucket is.
        bucket: the bucket that is listed.
    """

    def __init__(self, s3: S3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._checked: set[bool] = set()

    def check(self, page: Page) -> None:
        """Look at a page.

        Raises:
            S3Error: when a key is there as it was written, and not as it was read.
        """
        for written, read in page.encoded:
            kind = "+" in written
            if kind in self._checked:
                continue
            if self._is_there(read):
                self._checked.add(kind)
            elif self._is_there(written):
                raise S3Error(
                    "ListObjectsV2",
                    INVALID_KEY,
                    400,
                    "the server calls its keys URL-encoded, but there is no "
                    f"{in_quotes(read)}, and there is {in_quotes(written)}: no key of this "
                    "listing can be trusted",
                )

    def _is_there(self, key: str) -> bool:
        try:
            self._s3.head(self._bucket, key).result()
        except S3Error as error:
            # Whoever may only list is not told; what is refused otherwise is there.
            return error.kind is not Kind.MISSING
        return True


class CircleCheck:
    """Finds a listing that would never end."""

    def __init__(self) -> None:
        self._read = 0
        self._earlier: str | None = None

    def check(self, token: str | None) -> None:
        """Look at the token of the next page.

        Raises:
            S3Error: when it was given before.
        """
        if token is not None and token == self._earlier:
            message = "the listing gives a NextContinuationToken again, and would never end"
            raise S3Error("ListObjectsV2", MALFORMED, 400, message)
        self._read += 1
        # Kept at each power of two: however long the circle is, this is in it one day (Brent).
        if self._read & (self._read - 1) == 0:
            self._earlier = token
