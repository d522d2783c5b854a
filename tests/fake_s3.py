"""An in-memory S3 with S3's conditional semantics, held to real servers by the contract tests.

Every request can be given to a gate, which decides when it takes place and what its sender gets
to know of it; that is how schedules of races, faults and crashes are played.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from frogmove.core.multipart import assembled_etag
from frogmove.s3.errors import S3Error
from frogmove.s3.future import Future, LightFuture
from frogmove.s3.looks import delete_as_seen
from frogmove.s3.models import (
    Annotation,
    Checksum,
    Copied,
    Copy,
    Deletion,
    Head,
    Page,
    Part,
    S3Object,
    UnfinishedUpload,
)
from tests.interceptors import no_interception

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from frogmove.s3.bucket_features import Feature
    from tests.interceptors import Interceptor

T = TypeVar("T")

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
    """All buckets: what every client sees, whoever it is."""

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
            etag = etag or _md5(f"{now}".encode())
        version_id = f"version {self.clock}" if bucket in self.versioned else None
        stored = Stored(
            body,
            etag or _md5(body),
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
            raise _precondition(operation)
        return source

    def check_destination(self, copy: Copy, operation: str) -> None:
        """Hold a copy to its destination condition."""
        there = self.bucket(copy.to_bucket, operation).get(copy.to_key)
        if not copy.guard_destination:
            return
        if copy.replaces is not None and there is None:
            raise S3Error(operation, "NoSuchKey", 404, "The key does not exist")
        if (there.etag if there else None) != copy.replaces:
            raise _precondition(operation)

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


def _precondition(operation: str) -> S3Error:
    return S3Error(operation, "PreconditionFailed", 412, "A precondition did not hold")


@dataclass
class CopyRequest:
    """A copy takes time: the source is read at one moment, the destination written at another."""

    state: FakeS3State
    copy: Copy

    def __call__(self) -> Copied:
        return self.begin()()

    def begin(self) -> Callable[[], Copied]:
        """Read the source; what comes back writes the destination."""
        source = self.state.source_of(self.copy, "CopyObject")
        return lambda: self._finish(source)

    def _finish(self, source: Stored) -> Copied:
        copy = self.copy
        self.state.check_destination(copy, "CopyObject")
        stored = self.state.put(
            copy.to_bucket,
            copy.to_key,
            source.body,
            metadata=source.metadata,
            tags=source.tags,
        )
        stored.annotations.update(source.annotations)
        return Copied(stored.etag, stored.version_id)


class FakeS3:
    """One client of a world."""

    def __init__(self, state: FakeS3State, interceptor: Interceptor = no_interception) -> None:
        self.state = state
        self._gate = interceptor

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
        def request() -> Page:
            keys = self.state.bucket(bucket, "ListObjectsV2")
            order = self.state.order
            after = token or start_after
            rolled = {_rolled(key, prefix, delimiter) for key in keys if key.startswith(prefix)}
            listed = sorted(rolled, key=lambda entry: order(entry[0]))
            if after:
                listed = [entry for entry in listed if order(entry[0]) > order(after)]
            page = listed[: min(limit, self.state.page)]
            return Page(
                [_seen(name, keys[name]) for name, is_prefix in page if not is_prefix],
                page[-1][0] if len(listed) > len(page) else None,
                [name for name, is_prefix in page if is_prefix],
            )

        return self._answer("ListObjectsV2", request)

    def head(self, bucket: str, key: str, version_id: str | None = None) -> Future[Head]:
        def request() -> Head:
            try:
                stored = self.state.stored(bucket, key, "HeadObject", version_id)
            except S3Error:
                # An answer to HEAD has no body: it tells no missing key from a missing bucket.
                raise S3Error("HeadObject", "404", 404, "Not Found") from None
            crc = Checksum("CRC32", f"{zlib.crc32(stored.body)}", full_object=True)
            return Head(
                _seen(key, stored)._replace(version_id=version_id),
                (crc,) if self.state.checksums else (),
                "aws:kms" if self.state.kms else None,
                metadata=stored.metadata,
                version_id=stored.version_id,
            )

        return self._answer("HeadObject", request)

    def copy(self, copy: Copy) -> Future[Copied]:
        return self._answer("CopyObject", CopyRequest(self.state, copy))

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        def send() -> Future[None]:
            return self._answer(
                "DeleteObject", lambda: self._delete(bucket, deletion, "DeleteObject")
            )

        if deletion.seen is None:
            return send()
        return delete_as_seen(self.head(bucket, deletion.key), deletion.seen, send)

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        def request() -> dict[str, S3Error | None]:
            return {deletion.key: self._delete_error(bucket, deletion) for deletion in deletions}

        return self._answer("DeleteObjects", request)

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        def request() -> Mapping[str, str]:
            return self.state.stored(bucket, key, "GetObjectTagging", version_id).tags

        return self._answer("GetObjectTagging", request)

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        return self._answer(f"Has {feature}", lambda: False)

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        return self._answer(operation, dict)

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        return self._answer("GetObjectAcl", dict)

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        def request() -> Sequence[Annotation]:
            stored = self.state.stored(bucket, key, "ListObjectAnnotations", version_id)
            return [
                Annotation(name, _md5(payload), len(payload))
                for name, payload in sorted(stored.annotations.items())
            ]

        return self._answer("ListObjectAnnotations", request)

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        def request() -> bytes:
            stored = self.state.stored(bucket, key, "GetObjectAnnotation", version_id)
            if name not in stored.annotations:
                raise S3Error("GetObjectAnnotation", "NoSuchAnnotation", 404, "There is none")
            return stored.annotations[name]

        return self._answer("GetObjectAnnotation", request)

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        def request() -> None:
            stored = self.state.stored(bucket, key, "PutObjectAnnotation")
            if stored.etag != etag:
                raise _precondition("PutObjectAnnotation")
            stored.annotations[name] = payload

        return self._answer("PutObjectAnnotation", request)

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        def request() -> str:
            upload_id = f"upload {self.state.now()}"
            self.state.uploads[upload_id] = Upload(
                copy.to_bucket, copy.to_key, metadata=source.metadata
            )
            return upload_id

        return self._answer("CreateMultipartUpload", request)

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        def request() -> Part:
            upload = self.state.upload(upload_id, "UploadPartCopy")
            source = self.state.source_of(copy, "UploadPartCopy")
            upload.parts[number] = source.body[first : last + 1]
            return Part(number, _md5(upload.parts[number]))

        return self._answer("UploadPartCopy", request)

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        def request() -> Copied:
            upload = self.state.upload(upload_id, "CompleteMultipartUpload")
            self.state.check_destination(copy, "CompleteMultipartUpload")
            if any(_md5(upload.parts[part.number]) != part.etag for part in parts):
                raise S3Error("CompleteMultipartUpload", "InvalidPart", 400, "Not that part")
            body = b"".join(upload.parts[part.number] for part in parts)
            if len(body) != copy.source.size:
                raise S3Error("CompleteMultipartUpload", "InvalidRequest", 400, "Not that size")
            del self.state.uploads[upload_id]
            etag = assembled_etag(parts)
            stored = self.state.put(copy.to_bucket, copy.to_key, body, etag, upload.metadata)
            return Copied(stored.etag, stored.version_id)

        return self._answer("CompleteMultipartUpload", request)

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        def request() -> None:
            self.state.upload(upload_id, "AbortMultipartUpload")
            del self.state.uploads[upload_id]

        return self._answer("AbortMultipartUpload", request)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        def request() -> Sequence[Part]:
            upload = self.state.upload(upload_id, "ListParts")
            if (upload.bucket, upload.key) != (bucket, key):
                raise S3Error("ListParts", "NoSuchUpload", 404, "The upload does not exist")
            return [Part(number, _md5(body)) for number, body in sorted(upload.parts.items())]

        return self._answer("ListParts", request)

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        def request() -> Sequence[UnfinishedUpload]:
            self.state.bucket(bucket, "ListMultipartUploads")
            return [
                UnfinishedUpload(upload.key, upload_id)
                for upload_id, upload in sorted(
                    self.state.uploads.items(), key=lambda item: item[1].key.encode()
                )
                if upload.bucket == bucket and upload.key.startswith(prefix)
            ]

        return self._answer("ListMultipartUploads", request)

    def list_versions(self, bucket: str, key: str) -> Future[Sequence[S3Object]]:
        def request() -> Sequence[S3Object]:
            current = self.state.bucket(bucket, "ListObjectVersions").get(key)
            kept = self.state.versions.get((bucket, key), [current] if current else [])
            return [
                _seen(key, each)._replace(version_id=each.version_id or "null") for each in kept
            ]

        return self._answer("ListObjectVersions", request)

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        def request() -> bytes:
            stored = self.state.stored(bucket, item.key, "GetObject", item.version_id)
            if stored.etag != item.etag:
                raise S3Error("GetObject", "PreconditionFailed", 412, "changed")
            return stored.body[first : last + 1]

        return self._answer("GetObject", request)

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        return self._answer("PutObject", lambda: Copied(self.state.put(bucket, key, body).etag))

    def _delete_error(self, bucket: str, deletion: Deletion) -> S3Error | None:
        try:
            self._delete(bucket, deletion, "DeleteObjects")
        except S3Error as error:
            return error
        return None

    def _delete(self, bucket: str, deletion: Deletion, operation: str) -> None:
        keys = self.state.bucket(bucket, operation)
        if deletion.version_id is not None:
            self.state.delete_version(bucket, deletion.key, deletion.version_id)
            return
        if deletion.etag is None or not self.state.conditional_deletes:
            keys.pop(deletion.key, None)
            return
        if self.state.stored(bucket, deletion.key, operation).etag != deletion.etag:
            raise _precondition(operation)
        del keys[deletion.key]

    def _answer(self, operation: str, request: Callable[[], T]) -> Future[T]:
        future: LightFuture[T] = LightFuture()
        try:
            future.set_result(self._gate(operation, request))
        except S3Error as error:
            future.set_exception(error)
        return future


def _rolled(key: str, prefix: str, delimiter: str) -> tuple[str, bool]:
    """Return what a listing with a delimiter shows for a key, and whether that is a prefix."""
    folder, slash, _ = key.removeprefix(prefix).partition(delimiter or "\0")
    return (prefix + folder + slash, True) if delimiter and slash else (key, False)


def _md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


def _seen(key: str, stored: Stored) -> S3Object:
    return S3Object(key, len(stored.body), stored.etag, stored.modified, stored.storage_class)
