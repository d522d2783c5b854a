"""The S3 that the rest of frogmove knows: a dozen operations, each answered by a Future.

An implementation sends one request per call (or the retries of that one), never blocks the
caller, and answers with these values or with an :class:`~frogmove.s3.failure.S3Error`.
ETags travel without their quotation marks.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from frogmove.s3.bucket_features import Feature
from frogmove.s3.failure import S3Error

# CopyObject takes sources of at most 5 GB.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
LARGEST_COPY = 5_000_000_000

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
LARGEST_DELETE = 1_000


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
    """

    object: S3Object
    checksums: tuple[Checksum, ...] = ()
    encryption: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    kms_key: str | None = None
    lock: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Up to 1,000 objects of a listing; ``token`` asks for the next page, None ends it.

    ``prefixes`` are what a delimiter rolled up, in place of the objects under them.
    """

    objects: Sequence[S3Object]
    token: str | None
    prefixes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """One server-side copy and the conditions it is to be made under.

    Attributes:
        bucket: the source bucket.
        source: the object to copy; the copy is refused when its ETag is another by then.
        to_bucket: the destination bucket.
        to_key: the destination key.
        replaces: the ETag that the destination must hold; None: it must hold nothing.
        guard_destination: False leaves the destination condition out, for servers without it.
        guard_source: False leaves the source condition out, for servers that refuse it.
        attributes: what the copy is given besides, by boto3's names: a website redirect …
    """

    bucket: str
    source: S3Object
    to_bucket: str
    to_key: str
    replaces: str | None = None
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
    """

    key: str
    etag: str | None
    version_id: str | None = None


class S3(Protocol):
    """The operations of S3 that moving needs."""

    def list_page(
        self,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 1000,
        *,
        start_after: str = "",
        delimiter: str = "",
    ) -> Future[Page]:
        """List up to ``limit`` (1 to 1,000) objects under ``prefix``.

        Args:
            bucket: the bucket.
            prefix: what the keys begin with.
            token: where the page before ended; then nothing else may be given.
            limit: the most objects and prefixes of the answer.
            start_after: list only keys behind this one, in the order of UTF-8 bytes.
            delimiter: roll up keys that have it behind the prefix.
        """

    def head(self, bucket: str, key: str, version_id: str | None = None) -> Future[Head]:
        """Look at one object, its checksums included."""

    def copy(self, copy: Copy) -> Future[Copied]:
        """Copy one object of at most ``LARGEST_COPY`` bytes, carrying metadata and tags."""

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """Delete one key; any key that S3 can hold."""

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """Delete up to ``LARGEST_DELETE`` keys at once.

        Returns:
            for each key, None when it was deleted, else why it was not.
        """

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """Read an object's tags."""

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        """Tell whether a bucket has something switched on."""

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        """Read an object's retention (``GetObjectRetention``) or its ``GetObjectLegalHold``."""

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        """Read who has been granted what besides the owner, by the names that copies take."""

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        """List all annotations of an object; none where the server does not know any."""

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        """Read the payload of an annotation."""

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        """Give the object of this ETag an annotation."""

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """Begin a multipart upload that carries what ``source`` and ``tags`` show.

        Args:
            copy: where to.
            source: the source's headers and metadata.
            tags: the source's tags.
            checksum: the whole source's, whose algorithm S3 is to compute; None for none.

        Returns:
            the upload's id.
        """

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """Copy the bytes ``first`` to ``last`` of the source, under the copy's source ETag."""

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """Assemble the parts, under the copy's destination condition.

        S3 refuses an object of another size or, where it is given, of another checksum.
        """

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """Throw a multipart upload and its parts away."""

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """List all parts that a multipart upload has."""

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        """List all multipart uploads under way whose keys begin with ``prefix``."""

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """Read the bytes ``first`` to ``last`` of an object, while its ETag is the one seen.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """Write a small object; used only to find out what a custom endpoint honours."""


__all__ = [
    "LARGEST_COPY",
    "LARGEST_DELETE",
    "S3",
    "Annotation",
    "Checksum",
    "Copied",
    "Copy",
    "Deletion",
    "Head",
    "Page",
    "Part",
    "S3Error",
    "S3Object",
    "UnfinishedUpload",
]
