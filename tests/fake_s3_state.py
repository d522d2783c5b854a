"""What an in-memory S3 holds: buckets, versions and uploads, under S3's conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from frogmove.s3.errors import S3Error
from tests.factories import md5

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from frogmove.s3.models import Copy

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """One object's content."""

    body: bytes
    etag: str
    modified: datetime
    storage_class: str = "STANDARD"
    annotations: dict[str, bytes] = field(default_factory=dict)
    version_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Upload:
    """A multipart upload in flight."""

    bucket: str
    key: str
    parts: dict[int, bytes] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FakeS3State:
    """All buckets: what every client sees."""

    buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    checksums: bool = True
    kms: bool = False
    page: int = 1000
    order: Callable[[str], Any] = str.encode
    clock: int = 0
    versioned: set[str] = field(default_factory=set)
    versions: dict[tuple[str, str], list[Stored]] = field(default_factory=dict)
    conditional_deletes: bool = True

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        etag: str | None = None,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Stored:
        now = self.now()
        if self.kms:
            # As S3's are then: of the look of an MD5, and nobody else's.
            etag = etag or md5(f"{now}".encode())
        version_id = f"version {self.clock}" if bucket in self.versioned else None
        stored = Stored(
            body,
            etag or md5(body),
            now,
            version_id=version_id,
            metadata=metadata or {},
            tags=tags or {},
        )
        self.bucket(bucket, "PutObject")[key] = stored
        if version_id is not None:
            self.versions.setdefault((bucket, key), []).insert(0, stored)
        return stored

    def now(self) -> datetime:
        self.clock += 1
        return _EPOCH + timedelta(seconds=self.clock)

    def bodies(self, bucket: str) -> dict[str, bytes]:
        return {key: stored.body for key, stored in self.buckets[bucket].items()}

    def bucket(self, name: str, operation: str) -> dict[str, Stored]:
        if name not in self.buckets:
            raise S3Error(operation, "NoSuchBucket", 404, "The bucket does not exist")
        return self.buckets[name]

    def upload(self, upload_id: str, operation: str) -> Upload:
        if upload_id not in self.uploads:
            raise S3Error(operation, "NoSuchUpload", 404, "The upload does not exist")
        return self.uploads[upload_id]

    def source_of(self, copy: Copy, operation: str) -> Stored:
        """Read a copy's source, under its condition."""
        source = self.stored(copy.bucket, copy.source.key, operation, copy.source.version_id)
        if copy.guard_source and source.etag != copy.source.etag:
            raise precondition_failed(operation)
        return source

    def check_destination(self, copy: Copy, operation: str) -> None:
        """Hold a copy to its destination condition."""
        there = self.bucket(copy.to_bucket, operation).get(copy.to_key)
        if not copy.guard_destination:
            return
        if copy.replaces is not None and there is None:
            raise S3Error(operation, "NoSuchKey", 404, "The key does not exist")
        if (there.etag if there else None) != copy.replaces:
            raise precondition_failed(operation)

    def stored(
        self, bucket: str, key: str, operation: str, version_id: str | None = None
    ) -> Stored:
        found = self.bucket(bucket, operation).get(key)
        if version_id is not None:
            kept = self.versions.get((bucket, key), [])
            found = next((each for each in kept if each.version_id == version_id), None)
        if found is None:
            raise S3Error(operation, "NoSuchKey", 404, "The key does not exist")
        return found

    def delete_version(self, bucket: str, key: str, version_id: str) -> None:
        """Delete a version; the one before a current one becomes current."""
        kept = self.versions.get((bucket, key), [])
        kept[:] = [each for each in kept if each.version_id != version_id]
        current = self.buckets[bucket].get(key)
        if current is None or (current.version_id or "null") != version_id:
            return
        del self.buckets[bucket][key]
        if kept:
            self.buckets[bucket][key] = kept[0]


def precondition_failed(operation: str) -> S3Error:
    """Return the answer to a request whose condition does not hold."""
    return S3Error(operation, "PreconditionFailed", 412, "A precondition did not hold")
