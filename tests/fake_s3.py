"""An in-memory S3 with S3's conditional semantics, held to real servers by the contract tests.

Every request can be given to a gate, which decides when it takes place and what its sender gets
to know of it; that is how schedules of races, faults and crashes are played.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from frogmove.core.multipart import assembled_etag
from frogmove.s3.checked_delete import delete_as_seen
from frogmove.s3.errors import S3Error
from frogmove.s3.future import Future, LightFuture
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
from tests.factories import md5
from tests.fake_s3_state import FakeS3State, Stored, Upload, precondition_failed
from tests.interceptors import no_interception

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from frogmove.s3.bucket_features import Feature
    from tests.interceptors import Interceptor

T = TypeVar("T")


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
    """One client of a fake S3."""

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

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        del part

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
                Annotation(name, md5(payload), len(payload))
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
                raise precondition_failed("PutObjectAnnotation")
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
            return Part(number, md5(upload.parts[number]))

        return self._answer("UploadPartCopy", request)

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        def request() -> Copied:
            upload = self.state.upload(upload_id, "CompleteMultipartUpload")
            self.state.check_destination(copy, "CompleteMultipartUpload")
            if any(md5(upload.parts[part.number]) != part.etag for part in parts):
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
            # A bucket may have several names.
            buckets = self.state.buckets
            if buckets[upload.bucket] is not buckets[bucket] or upload.key != key:
                raise S3Error("ListParts", "NoSuchUpload", 404, "The upload does not exist")
            return [Part(number, md5(body)) for number, body in sorted(upload.parts.items())]

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
        return self._answer("GetObject", lambda: self._content(bucket, item, first, last))

    def read_md5(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        return self._answer(
            "GetObject", lambda: bytes.fromhex(md5(self._content(bucket, item, first, last)))
        )

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        return self._answer("PutObject", lambda: Copied(self.state.put(bucket, key, body).etag))

    def _content(self, bucket: str, item: S3Object, first: int, last: int) -> bytes:
        stored = self.state.stored(bucket, item.key, "GetObject", item.version_id)
        if stored.etag != item.etag:
            raise S3Error("GetObject", "PreconditionFailed", 412, "changed")
        return stored.body[first : last + 1]

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
            raise precondition_failed(operation)
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


def _seen(key: str, stored: Stored) -> S3Object:
    return S3Object(key, len(stored.body), stored.etag, stored.modified, stored.storage_class)
