"""The S3 interface on boto3 and a thread pool: the reference implementation."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from frogmove.s3 import annotation_requests, attribute_requests, boto_shapes, timeouts
from frogmove.s3.boto_client import BotoClient
from frogmove.s3.checked_delete import check_seen
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.fallbacks import TAGGING, is_unknown
from frogmove.s3.head_response import read_head
from frogmove.s3.models import Copied, Page, UnfinishedUpload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from frogmove.s3.bucket_features import Feature
    from frogmove.s3.future import Future
    from frogmove.s3.models import Annotation, Checksum, Copy, Deletion, Head, Part, S3Object

T = TypeVar("T")


class BotoS3(BotoClient):
    """The S3 interface on one boto3 client; see :class:`frogmove.s3.boto_client.BotoClient`."""

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
        """See :class:`frogmove.s3.interface.S3`."""
        more = boto_shapes.list_options(token, start_after, delimiter)

        def request() -> Page:
            # URL-encoded, because XML cannot represent every key. Not decoded by botocore, which
            # does not report a key that cannot be decoded.
            return boto_shapes.page(
                self._client.list_objects_v2(
                    Bucket=bucket, Prefix=prefix, MaxKeys=limit, EncodingType="url", **more
                )
            )

        return self._submit("ListObjectsV2", request)

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        """See :class:`frogmove.s3.interface.S3`."""
        more: dict[str, Any] = {} if part is None else {"PartNumber": part}
        more |= boto_shapes.version(version_id)

        def request() -> Head:
            response = self._client.head_object(
                Bucket=bucket, Key=key, ChecksumMode="ENABLED", **more
            )
            return read_head(key, version_id, response)

        return self._submit("HeadObject", request)

    def copy(self, copy: Copy) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""
        more = boto_shapes.source_condition(copy) | boto_shapes.destination_condition(copy)
        if copy.source.storage_class != "STANDARD":
            # Otherwise CopyObject would reset it to STANDARD.
            more["StorageClass"] = copy.source.storage_class
        more |= copy.attributes

        def request() -> Copied:
            response = self._client.copy_object(
                Bucket=copy.to_bucket,
                Key=copy.to_key,
                CopySource=boto_shapes.copy_source(copy),  # type: ignore[arg-type]
                MetadataDirective="COPY",
                TaggingDirective="COPY",
                **more,
            )
            return Copied(
                boto_shapes.etag_of(response["CopyObjectResult"]),
                response.get("VersionId"),
                asked_for_tags=not self.fallbacks.leaves_out("CopyObject", TAGGING),
            )

        return self._submit("CopyObject", request, timeouts.of_copy(copy.source.size))

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""
        more: dict[str, Any] = {}
        if deletion.version_id is not None:
            more["VersionId"] = deletion.version_id
        elif deletion.etag is not None:
            more["IfMatch"] = boto_shapes.quoted(deletion.etag)

        def request() -> None:
            if deletion.seen is None:
                self._client.delete_object(Bucket=bucket, Key=deletion.key, **more)
                return
            # Part of the request, so that each retry sends a HEAD request again.
            there = self._client.head_object(Bucket=bucket, Key=deletion.key)
            check_seen(deletion.seen, boto_shapes.etag_of(there))
            with self._sent_once():
                self._client.delete_object(Bucket=bucket, Key=deletion.key, **more)

        return self._submit("DeleteObject", request)

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> dict[str, S3Error | None]:
            response = self._client.delete_objects(
                Bucket=bucket,
                Delete={"Objects": [boto_shapes.identifier(deletion) for deletion in deletions]},  # type: ignore[misc]
            )
            return boto_shapes.delete_results(deletions, response)

        return self._submit("DeleteObjects", request)

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.interface.S3`."""
        version = boto_shapes.version(version_id)

        def request() -> Mapping[str, str]:
            response = self._client.get_object_tagging(Bucket=bucket, Key=key, **version)
            return {tag["Key"]: tag["Value"] for tag in response["TagSet"]}

        return self._submit_or("GetObjectTagging", request, is_unknown, {})

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        """See :class:`frogmove.s3.interface.S3`."""
        operation = attribute_requests.operation(feature)

        def request() -> bool:
            return attribute_requests.has_feature(self._client, bucket, feature)

        default = attribute_requests.has_by_default(self._client, feature)
        return self._submit_or(operation, request, attribute_requests.is_none, default)

    def read_lock(
        self, bucket: str, key: str, version_id: str | None, operation: str
    ) -> Future[Mapping[str, Any]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Mapping[str, Any]:
            return attribute_requests.read_lock(self._client, bucket, key, version_id, operation)

        return self._submit_or(operation, request, attribute_requests.is_none, {})

    def read_grants(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Mapping[str, str]:
            return attribute_requests.read_grants(self._client, bucket, key, version_id)

        return self._submit_or("GetObjectAcl", request, attribute_requests.is_none, {})

    def list_annotations(
        self, bucket: str, key: str, version_id: str | None
    ) -> Future[Sequence[Annotation]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Sequence[Annotation]:
            return annotation_requests.list_all(self._client, bucket, key, version_id)

        can_be_none = annotation_requests.can_be_none
        return self._submit_or(annotation_requests.LIST, request, can_be_none, [])

    def read_annotation(
        self, bucket: str, key: str, version_id: str | None, name: str
    ) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> bytes:
            return annotation_requests.read(self._client, bucket, key, version_id, name)

        return self._submit("GetObjectAnnotation", request)

    def put_annotation(
        self, bucket: str, key: str, etag: str, name: str, payload: bytes
    ) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> None:
            annotation_requests.put(self._client, bucket, key, etag, name, payload)

        return self._submit("PutObjectAnnotation", request)

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """See :class:`frogmove.s3.interface.S3`."""
        more: dict[str, Any] = {**source.headers, "Metadata": dict(source.metadata)}
        more |= copy.attributes
        if tags:
            more["Tagging"] = urlencode(tags)
        if source.object.storage_class != "STANDARD":
            more["StorageClass"] = source.object.storage_class
        if checksum is not None:
            more |= {"ChecksumAlgorithm": checksum.algorithm, "ChecksumType": "FULL_OBJECT"}

        def request() -> str:
            response = self._client.create_multipart_upload(
                Bucket=copy.to_bucket, Key=copy.to_key, **more
            )
            return response["UploadId"]

        return self._submit("CreateMultipartUpload", request)

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Part:
            response = self._client.upload_part_copy(
                Bucket=copy.to_bucket,
                Key=copy.to_key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource=boto_shapes.copy_source(copy),  # type: ignore[arg-type]
                CopySourceRange=f"bytes={first}-{last}",
                **boto_shapes.source_condition(copy),
            )
            return boto_shapes.part(number, response["CopyPartResult"])

        return self._submit("UploadPartCopy", request, timeouts.of_copy(last - first))

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""
        more = boto_shapes.destination_condition(copy)
        if checksum is not None:
            more |= {
                "ChecksumType": "FULL_OBJECT",
                f"Checksum{checksum.algorithm}": checksum.value,
            }

        def request() -> Copied:
            response = self._client.complete_multipart_upload(
                Bucket=copy.to_bucket,
                Key=copy.to_key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [boto_shapes.completed_part(part) for part in parts]},  # type: ignore[misc]
                MpuObjectSize=copy.source.size,
                **more,
            )
            return Copied(boto_shapes.etag_of(response), response.get("VersionId"))

        return self._submit("CompleteMultipartUpload", request, timeouts.SLOW)

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> None:
            self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)

        return self._submit("AbortMultipartUpload", request)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Sequence[Part]:
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=bucket, Key=key, UploadId=upload_id
            )
            return [
                boto_shapes.part(part["PartNumber"], part)
                for page in pages
                for part in page.get("Parts", [])
            ]

        return self._submit("ListParts", request)

    def list_uploads(self, bucket: str, prefix: str) -> Future[Sequence[UnfinishedUpload]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Sequence[UnfinishedUpload]:
            # URL-encoded, as in listings of objects; botocore does it only there.
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=bucket, Prefix=prefix, EncodingType="url"
            )
            return [upload for page in pages for upload in boto_shapes.uploads(page)]

        return self._submit("ListMultipartUploads", request)

    def list_versions(self, bucket: str, key: str) -> Future[Sequence[S3Object]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Sequence[S3Object]:
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=bucket, Prefix=key
            )
            return boto_shapes.versions(pages, key)

        return self._submit("ListObjectVersions", request)

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._read(bucket, item, first, last, boto_shapes.content)

    def read_md5(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        """See :class:`frogmove.s3.interface.S3`."""
        return self._read(bucket, item, first, last, boto_shapes.content_md5)

    def _read(
        self, bucket: str, item: S3Object, first: int, last: int, result: Callable[[Any], bytes]
    ) -> Future[bytes]:
        version = boto_shapes.version(item.version_id)
        size = last - first + 1

        def request() -> bytes:
            response = self._client.get_object(
                Bucket=bucket,
                Key=item.key,
                Range=f"bytes={first}-{last}",
                IfMatch=boto_shapes.quoted(item.etag),
                **version,
            )
            # Not the body itself: botocore's context is a stream that does not check its length.
            with closing(response["Body"]) as body:
                if not etags_match(boto_shapes.etag_of(response), item.etag):
                    raise S3Error("GetObject", "PreconditionFailed", 412, "It changed meanwhile")
                # A server that ignores the range sends the whole object.
                if response["ContentLength"] != size:
                    raise ValueError(f"{response['ContentLength']} bytes instead of {size}")
                return result(body)

        return self._submit("GetObject", request)

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request() -> Copied:
            response = self._client.put_object(Bucket=bucket, Key=key, Body=body)
            return Copied(boto_shapes.etag_of(response), response.get("VersionId"))

        return self._submit("PutObject", request)

    def _submit_or(
        self,
        operation: str,
        request: Callable[[], T],
        is_nothing: Callable[[S3Error], bool],
        nothing: T,
    ) -> Future[T]:
        """Send a request; return ``nothing`` for an error that means that there is nothing."""

        def optional() -> T:
            try:
                return self._send(operation, request)
            except S3Error as error:
                if is_nothing(error):
                    return nothing
                raise

        return self._submit(operation, optional)
