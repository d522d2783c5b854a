"""The values of requests and responses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from frogmove.plural import count_bytes

# CopyObject takes sources of at most 5 GB.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
MAX_COPY_SIZE = 5_000_000_000

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_OBJECT_SIZE = 50_000_000_000_000


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
MAX_BATCH_DELETES = 1_000


# The version id of objects written without versioning. Unlike other ids it may refer to other bytes
# later: while versioning is suspended, every write replaces it.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
NULL_VERSION = "null"


# The time of an object where it is not known and not used.
NO_TIME = datetime.fromtimestamp(0, UTC)


class S3Object(NamedTuple):
    """One object of a listing; a tuple, because a listing may have millions.

    Attributes:
        key: the complete key.
        size: bytes.
        etag: without quotation marks.
        last_modified: with its time zone.
        storage_class: ``STANDARD``, ``GLACIER`` …
        version_id: the version that was given; None for the current one.
    """

    key: str
    size: int
    etag: str
    last_modified: datetime
    storage_class: str = "STANDARD"
    version_id: str | None = None

    @property
    def size_and_time(self) -> str:
        """Both for a message: ``22 bytes of 2026-03-01 07:30``."""
        return f"{count_bytes(self.size)} of {self.last_modified:%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum of an object: base64, over all bytes or composed of its parts."""

    algorithm: str
    value: str
    full_object: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The response to HeadObject.

    Attributes:
        object: the object.
        checksums: its checksums.
        encryption: ``AES256``, ``aws:kms`` …; None if not returned.
        headers: content headers: ``ContentType``, ``CacheControl`` …
        metadata: the user metadata.
        kms_key: the KMS key of its encryption; None if not returned.
        lock: ``ObjectLockMode`` … of its retention and legal hold, if permitted to read them.
        version_id: its version, if the bucket keeps versions.
        tag_count: the number of tags; None if there are none or if it may not be read.
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
    """Up to 1,000 objects of a listing; ``token`` is for the next page, None at the end.

    ``prefixes`` are the common prefixes of keys grouped by a delimiter. ``encoded`` are some of the
    URL-encoded keys: as encoded, and as decoded.
    """

    objects: Sequence[S3Object]
    token: str | None
    prefixes: Sequence[str] = ()
    encoded: Sequence[tuple[str, str]] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Copy:
    """One server-side copy and its conditions.

    Attributes:
        bucket: the source bucket.
        source: the object to copy; the copy is refused if its ETag has changed.
        to_bucket: the destination bucket.
        to_key: the destination key.
        replaces: the ETag that the destination must have; None: the key must not exist.
        replaces_version: the version of the replaced object, if known; only recorded.
        guard_destination: False omits the destination condition, for servers without it.
        guard_source: False omits the source condition, for servers that refuse it.
        attributes: further parameters of the copy, by boto3's names: a website redirect …
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
    """The response to a copy.

    Attributes:
        etag: the ETag of the copy.
        version_id: its version, if the bucket keeps versions.
        asked_for_tags: whether the request asked to copy tags; some servers refuse that.
        parts_etag: the ETag computed from those of its parts; empty if it has none, or if they are
            not MD5s.
    """

    etag: str
    version_id: str | None = None
    asked_for_tags: bool = True
    parts_etag: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload."""

    number: int
    etag: str
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """A multipart upload that was neither completed nor aborted."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation of an object, without its payload.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAnnotation.html
    """

    name: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """One key to delete.

    Attributes:
        key: the complete key.
        etag: delete only if the object has this ETag; None: unconditionally.
        version_id: delete exactly this version; cannot be combined with a condition.
        seen: for servers without conditional deletes: the ETag that a HEAD request must return
            before each attempt, including retries.
    """

    key: str
    etag: str | None
    version_id: str | None = None
    seen: str | None = None

    @property
    def is_blind(self) -> bool:
        """Whether it is unconditional: a retry might delete a new object."""
        can_be_replaced = self.version_id in {None, NULL_VERSION}
        return can_be_replaced and self.etag is None and self.seen is None
