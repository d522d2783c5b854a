"""Checks the pages of a listing for wrong encodings and endless loops."""

from frogmove.quoting import in_quotes
from frogmove.s3.errors import INVALID_KEY, MALFORMED, Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Page


class EncodingCheck:
    """Checks, once per kind of character, that keys are URL-encoded if the server says so.

    Args:
        s3: the client.
        bucket: the bucket.
    """

    def __init__(self, s3: S3, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._checked: set[bool] = set()

    def check(self, page: Page) -> None:
        """Check a page.

        Raises:
            S3Error: when a key exists as encoded and not as decoded.
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
            # Without permission for HEAD nothing is known; any other error means that it exists.
            return error.kind is not Kind.MISSING
        return True


class CycleCheck:
    """Detects a listing that would never end."""

    def __init__(self) -> None:
        self._read = 0
        self._earlier: str | None = None

    def check(self, token: str | None) -> None:
        """Check the token of the next page.

        Raises:
            S3Error: when it was returned before.
        """
        if token is not None and token == self._earlier:
            message = (
                "the listing returned the same NextContinuationToken twice and would never end"
            )
            raise S3Error("ListObjectsV2", MALFORMED, 400, message)
        self._read += 1
        # Remembered at each power of two, which finds a cycle of any length (Brent's algorithm).
        if self._read & (self._read - 1) == 0:
            self._earlier = token
