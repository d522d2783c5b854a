"""Reads one key of one bucket: the object, and all its versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from frogmove.core.advice import describe
from frogmove.plural import count_bytes
from frogmove.quoting import has_invisible, with_escapes
from frogmove.s3.boto_errors import failed
from frogmove.s3.boto_shapes import is_key
from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

    from frogmove.s3.interface import S3

# Maximum versions of one key that are shown.
MAX_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class PlaceVersion:
    """A version of the object, or a delete marker.

    Attributes:
        time: when it was written.
        size: bytes; None for a delete marker.
        etag: its ETag; empty for a delete marker.
        version_id: its id; None without versions.
        is_current: whether it is the current one.
    """

    time: datetime
    size: int | None
    etag: str
    version_id: str | None
    is_current: bool

    def describe_at(self, uri: str) -> str:
        """Describe it as an event of the key with this URI."""
        version = f", version {self.version_id}" if self.version_id else ""
        if self.size is None:
            return f"deleted, with a delete marker{version}"
        old = "" if self.is_current else ", replaced or deleted since"
        return f"written to {uri}: {count_bytes(self.size)}, ETag {self.etag}{version}{old}"

    def record(self) -> dict[str, Any]:
        """Return its JSON fields."""
        return {
            "size": self.size,
            "etag": self.etag,
            "version_id": self.version_id,
            "current": self.is_current,
        }


@dataclass
class Place:
    """A key of a bucket.

    Attributes:
        bucket: the bucket.
        key: the key.
        exists: whether there is an object now; None if unknown.
        versions: the object, or all versions and delete markers, the newest first.
        problems: what could not be read, and why.
    """

    bucket: str
    key: str
    exists: bool | None = None
    versions: list[PlaceVersion] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """Its URI as it is printed, with invisible characters escaped."""
        uri = f"s3://{self.bucket}/{self.key}"
        return with_escapes(uri) if has_invisible(uri) else uri

    @property
    def current(self) -> PlaceVersion | None:
        """The object that is there now, if it is known."""
        found = (each for each in self.versions if each.is_current and each.size is not None)
        return next(found, None)

    @property
    def older(self) -> PlaceVersion | None:
        """The newest version that holds bytes, if there is no object now."""
        return next((each for each in self.versions if each.size is not None), None)

    def record(self) -> dict[str, Any]:
        """Return its JSON record."""
        current = self.current
        return {
            "bucket": self.bucket,
            "key": self.key,
            "exists": self.exists,
            "current": None if current is None else current.record(),
        }


def look_up_place(s3: S3, client: S3Client, bucket: str, key: str) -> Place:
    """Look a key up; what cannot be read is in its ``problems``.

    Args:
        s3: the client for the bucket.
        client: a boto3 client for the same, for delete markers.
        bucket: the bucket.
        key: the key.
    """
    place = Place(bucket, key)
    is_listed = False
    try:
        place.versions = list(_versions(client, bucket, key))
        place.exists = place.current is not None
        is_listed = True
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        problem = failed("ListObjectVersions", error)
        if problem.kind is Kind.NO_BUCKET:
            place.problems.append(describe(problem, "It does not exist"))
            return place
        place.problems.append(describe(problem, "Old versions are not known"))
    if not place.versions:
        _look_up_object(s3, place, is_listed=is_listed)
    return place


def _look_up_object(s3: S3, place: Place, *, is_listed: bool) -> None:
    """Look for the object itself: some servers list no versions of a bucket without them."""
    try:
        item = s3.head(place.bucket, place.key).result().object
    except S3Error as error:
        # Operators may list a quarantine, but not read it.
        if error.kind is Kind.MISSING or (is_listed and error.kind is Kind.DENIED):
            place.exists = False
        else:
            place.exists = None
            place.problems.append(describe(error, "It is not known whether it is there"))
        return
    place.exists = True
    place.versions = [PlaceVersion(item.last_modified, item.size, item.etag, None, True)]


def _versions(client: S3Client, bucket: str, key: str) -> Iterator[PlaceVersion]:
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    count = 0
    for page in pages:
        entries: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ours = [each for each in entries if is_key(each["Key"], key)]
        for each in sorted(ours, key=lambda each: each["LastModified"], reverse=True):
            version = each["VersionId"]
            yield PlaceVersion(
                each["LastModified"],
                each.get("Size"),
                str(each.get("ETag", "")).strip('"'),
                None if version == "null" else version,
                bool(each["IsLatest"]),
            )
            count += 1
        # In key order, the key itself comes before all others with it as prefix.
        if len(ours) < len(entries) or count >= MAX_VERSIONS:
            return
