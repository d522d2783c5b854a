"""Parses S3 URIs and keys."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from frogmove.errors import UsageError
from frogmove.quoting import in_quotes

MAX_KEY_BYTES = 1024

# Bucket names have 3 to 63 lower-case letters, digits, dots and hyphens; those created before 2018
# in us-east-1 may have up to 255 characters, including upper case and underscores.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{1,253}[A-Za-z0-9_]")

# Access points and multi-Region access points can be used instead of a bucket name.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
_ACCESS_POINT = re.compile(
    r"arn:aws[a-z-]*:s3:(?:[a-z0-9-]+:\d{12}:accesspoint/[a-z0-9][a-z0-9-]*"
    r"|:\d{12}:accesspoint/[a-zA-Z0-9.-]+)"
)
_ARN = re.compile(r"arn:[^/]*:accesspoint[:/][^/]*|arn:[^/]*")

# Separates the bucket from a percent-encoded key.
ENCODED_KEY = "?key="
_ENCODED = re.compile(r"(arn:[^?/]*(?:/[^?/]*)?|[^?/]*)\?key=(.*)", re.DOTALL)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
_DIRECTORY = re.compile(r"[a-z0-9][a-z0-9-]*--[a-z0-9-]+--x-s3")


def is_directory_bucket(bucket: str) -> bool:
    """Tell from its name whether a bucket is a directory bucket (S3 Express One Zone)."""
    return _DIRECTORY.fullmatch(bucket) is not None


def is_access_point(bucket: str) -> bool:
    """Tell whether a bucket name is the ARN of an access point."""
    return bucket.startswith("arn:")


@dataclass(frozen=True, slots=True)
class Location:
    """One end of a route: a bucket and a prefix; ``""`` for the whole bucket."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def overlaps(self, other: "Location") -> bool:
        """Tell whether a key can be at both."""
        return self.bucket == other.bucket and (
            self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        )


def split(uri: str) -> tuple[str, str]:
    """Split ``s3://bucket/key`` into the bucket and the part after the first slash.

    ``s3://bucket?key=…`` is a percent-encoded key, for keys that cannot be typed; bucket names
    cannot contain a question mark.

    Raises:
        UsageError: when it is not an S3 URI, or the bucket's name is not valid.
    """
    scheme, colon, rest = uri.partition("://")
    if scheme != "s3" or not colon:
        raise UsageError(f"{in_quotes(uri)} is not an S3 URI.", "Write it as s3://bucket/prefix.")
    encoded = _ENCODED.fullmatch(rest)
    if encoded is not None:
        bucket, _ = split(f"s3://{encoded[1]}")
        return bucket, _decoded(uri, encoded[2])
    if rest.startswith("arn:"):
        return _split_arn(uri, rest)
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise UsageError(
            f"{in_quotes(bucket)} in {in_quotes(uri)} is not a valid bucket name.",
            "Bucket names have 3 to 63 lower-case letters, digits, dots and hyphens; old ones may "
            "have up to 255, including upper case and underscores.",
        )
    return bucket, key


def _decoded(uri: str, key: str) -> str:
    try:
        return unquote(key, errors="strict")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"The key in {in_quotes(uri)} is not UTF-8.", "Paste it as `frogmove ls` prints it."
        ) from error


def _split_arn(uri: str, rest: str) -> tuple[str, str]:
    found = _ARN.match(rest)
    arn = found[0] if found else rest
    # Both forms mean the same access point.
    name = arn.replace(":accesspoint:", ":accesspoint/", 1)
    if not _ACCESS_POINT.fullmatch(name):
        raise UsageError(
            f"{in_quotes(arn)} in {in_quotes(uri)} is not a supported access point.",
            "Buckets, access points and multi-Region access points are supported; Object Lambda "
            "and Outposts are not.",
        )
    return name, rest[len(arn) :].removeprefix("/")


def is_like_uri(text: str) -> bool:
    """Tell whether a text that is no S3 URI was probably meant as one: ``s3:/``, ``arn:aws:``."""
    return text.lower().startswith(("s3:/", "http://", "https://", "arn:aws"))


def parse_location(uri: str) -> Location:
    """Parse one end of a route.

    A prefix means a folder: ``s3://bucket/logs`` means ``logs/``, not ``logs2/``.

    Raises:
        UsageError: when the URI is malformed.
    """
    bucket, folder = split(uri)
    prefix = folder_prefix(folder)
    if prefix:
        check_key(prefix)
    return Location(bucket, prefix)


def folder_prefix(folder: str) -> str:
    """Return the prefix of all keys under a folder."""
    return folder if not folder or folder.endswith("/") else folder + "/"


def parent_prefix(key: str) -> str:
    """Return the prefix of the folder that a key is in."""
    folder, slash, _ = key.rpartition("/")
    return folder + slash


def check_text(text: str) -> str:
    """Return a key, or what is compared with keys or becomes part of one, if it is UTF-8.

    Raises:
        UsageError: when it is not.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{in_quotes(text)} is not UTF-8, as every key is.", "Check the terminal's encoding."
        ) from error
    return text


def check_key(key: str) -> str:
    """Return the key if it is valid: 1 to 1,024 bytes of UTF-8.

    Raises:
        UsageError: when it is not valid.
    """
    if not key:
        raise UsageError("A key cannot be empty.", "Write keys as `frogmove ls` prints them.")
    size = len(check_text(key).encode())
    if size > MAX_KEY_BYTES:
        raise UsageError(
            f"The key {in_quotes(key, 60)} has {size:,} bytes; S3 keys have at most "
            f"{MAX_KEY_BYTES:,}.",
            "Write keys as `frogmove ls` prints them.",
        )
    return key
