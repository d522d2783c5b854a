"""The values that S3 is asked with and answers with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

# CopyObject takes sources of at most 5 GB.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
LARGEST_COPY = 5_000_000_000

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
LARGEST_OBJECT = 50_000_000_000_000


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
LARGEST_DELETE = 1_000


# The version id of what was written without versioning. Unlike others it can come to name other
# bytes: every write replaces it while versioning is suspended.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
NULL_VERSION = "null"


class S3Object(NamedTuple):
    """One object as a listing shows it; a tuple, as a listing makes millions.

    Attributes:
        key: its whole key.
        size: bytes.
        etag: without quotation marks.
        last_modified: with its time zone.
        storage_class: ``STANDARD``, ``GLACIER`` …
        version_id: the version somebody named; None for whatever is current.
    """

    key: str
    size: int
    etag: str
    last_modified: datetime
    storage_class: str = "STANDARD"
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum that S3 keeps of an object: base64 text, over all bytes or part by part."""

    algorithm: str
    value: str
    full_object: bool


@dataclass(frozen=True, slots=True)
class Head:
    """What HeadObject tells beyond the listing.

    Attributes:
        object: the object.
        checksums: those that S3 keeps of it.
        encryption: ``AES256``, ``aws:kms`` …; None when not said.
        headers: ``ContentType``, ``CacheControl`` … as they were given when it was written.
        metadata: the user's own.
        kms_key: the name of the KMS key that it is encrypted with; None when not said.
        lock: ``ObjectLockMode`` … of its retention and legal hold, as far as one may know them.
        version_id: which version it is, where the bucket keeps any.
        tag_count: how many tags it has; None when not said: there are none, or one may not know.
        is_archived: whether it has to be restored before it can be read or copied.
    """

    object: S3Object
    checksums: tuple[Checksum, ...] = ()
    encryption: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    kms_key: str | None = None
    lock: Mapping[str, Any] = field(default_factory=dict)
    version_id: str | None = None
    tag_count: int | None = None
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Up to 1,000 objects of a listing; ``token`` asks for the next page, None ends it.

    ``prefixes`` are what a delimiter rolled up, in place of the objects under them. ``encoded``
    are some of the keys that were said to be URL-encoded: as they were written, and as read.
    """

    objects: Sequence[S3Object]
    token: str | None
    prefixes: Sequence[str] = ()
    encoded: Sequence[tuple[str, str]] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Copy:
    """One server-side copy and the conditions it is to be made under.

    Attributes:
        bucket: the source bucket.
        source: the object to copy; the copy is refused when its ETag is another by then.
        to_bucket: the destination bucket.
        to_key: the destination key.
        replaces: the ETag that the destination must hold; None: it must hold nothing.
        replaces_version: which version that is, where it is known; nothing depends on it.
        guard_destination: False leaves the destination condition out, for servers without it.
        guard_source: False leaves the source condition out, for servers that refuse it.
        attributes: what the copy is given besides, by boto3's names: a website redirect …
    """

    bucket: str
    source: S3Object
    to_bucket: str
    to_key: str
    replaces: str | None = None
    replaces_version: str | None = None
    guard_destination: bool = True
    guard_source: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copied:
    """The answer to a copy.

    Attributes:
        etag: of what was written.
        version_id: its version, where there are any.
        asked_for_tags: whether the copy was told to carry tags; some servers refuse to be told.
    """

    etag: str
    version_id: str | None = None
    asked_for_tags: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload, as S3 has it."""

    number: int
    etag: str
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """A multipart upload that was neither completed nor thrown away."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation of an object, as S3 lists it: its payload is read by itself.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html
    """

    name: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """One key to delete.

    Attributes:
        key: the whole key.
        etag: delete only while the object has this ETag; None: whatever is there.
        version_id: delete exactly this version; a condition cannot go with it.
        seen: for servers that do not hold deletes to a condition: the ETag that a look has to
            find right before each attempt, the repeated ones included.
    """

    key: str
    etag: str | None
    version_id: str | None = None
    seen: str | None = None

    @property
    def is_blind(self) -> bool:
        """Whether it deletes whatever is there by then: sent again, it might meet a new object."""
        can_be_replaced = self.version_id in {None, NULL_VERSION}
        return can_be_replaced and self.etag is None and self.seen is None
