"""S3 URIs and keys: what may be written, and where it points. Pure."""

import re
from dataclasses import dataclass

from frogmove.errors import UsageError

LONGEST_KEY = 1024

# General-purpose bucket names, dots included.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket and the prefix in it under which a route's keys live; ``""`` for all of it."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def split(uri: str) -> tuple[str, str]:
    """Split ``s3://bucket/key`` into its bucket and whatever follows the first slash.

    Raises:
        UsageError: when it is no such URI or the bucket's name cannot be one.
    """
    scheme, colon, rest = uri.partition("://")
    if scheme != "s3" or not colon:
        raise UsageError(f"{uri!r} is not an S3 URI.", "Write it as s3://bucket/prefix.")
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise UsageError(
            f"{bucket!r} in {uri!r} cannot be the name of a bucket.",
            "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens.",
        )
    return bucket, key


def parse_location(uri: str) -> Location:
    """Read one end of a route.

    A prefix stands for a folder: ``s3://bucket/logs`` means ``logs/``, never ``logs2/``.

    Raises:
        UsageError: when the URI is malformed.
    """
    bucket, prefix = split(uri)
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    if prefix:
        check_key(prefix)
    return Location(bucket, prefix)


def check_key(key: str) -> str:
    """Return a key that S3 can hold: 1 to 1,024 bytes of UTF-8.

    Raises:
        UsageError: when it is none.
    """
    if not key:
        raise UsageError("An empty text is not a key.", "Name a key as `frogmove ls` prints it.")
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{key!r} is not UTF-8, so it cannot be a key.", "Check the terminal's encoding."
        ) from error
    if size > LONGEST_KEY:
        raise UsageError(
            f"The key {key[:60]!r}… has {size:,} bytes; S3 keys have at most {LONGEST_KEY:,}.",
            "No object can have it; name a key as `frogmove ls` prints it.",
        )
    return key
