"""S3 through boto3 and a pool of threads: the reference implementation."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from frogmove.s3 import Checksum, Copied, Copy, Deletion, Head, Page, Part, S3Error, S3Object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

# What an object is served with, by boto3's names.
HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
)

ALGORITHMS = ("CRC64NVME", "CRC32", "CRC32C", "SHA1", "SHA256")


class BotoS3:
    """The S3 interface on one boto3 client, which may be shared: boto3 clients are thread-safe.

    Args:
        client: where and as whom to speak; its connection pool should hold ``concurrency``.
        concurrency: how many requests may be under way at once.
        renew: makes another such client, of credentials read anew, when S3 says that those of
            this one have expired; None where that cannot help.
    """

    def __init__(
        self,
        client: S3Client,
        concurrency: int,
        renew: Callable[[], S3Client] | None = None,
    ) -> None:
        self._client = client
        self._renew = renew
        self._renewing = Lock()
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="s3")

    @property
    def endpoint_url(self) -> str:
        """The address of the server."""
        return self._client.meta.endpoint_url

    def close(self) -> None:
        """Wait for the requests under way and end the threads."""
        self._pool.shutdown(cancel_futures=True)

    def list_page(
        self, bucket: str, prefix: str, token: str | None = None, limit: int = 1000
    ) -> Future[Page]:
        """See :class:`frogmove.s3.S3`."""
        more: dict[str, Any] = {} if token is None else {"ContinuationToken": token}

        def request() -> Page:
            # botocore asks for URL-encoded keys and decodes them, as XML cannot carry every key.
            answer = self._client.list_objects_v2(
                Bucket=bucket, Prefix=prefix, MaxKeys=limit, **more
            )
            following = answer.get("NextContinuationToken") if answer["IsTruncated"] else None
            return Page([_listed(entry) for entry in answer.get("Contents", [])], following)

        return self._submit("ListObjectsV2", request)

    def head(self, bucket: str, key: str, version_id: str | None = None) -> Future[Head]:
        """See :class:`frogmove.s3.S3`."""
        version: dict[str, Any] = {} if version_id is None else {"VersionId": version_id}

        def request() -> Head:
            answer = self._client.head_object(
                Bucket=bucket, Key=key, ChecksumMode="ENABLED", **version
            )
            return _head(key, version_id, answer)

        return self._submit("HeadObject", request)

    def copy(self, copy: Copy) -> Future[Copied]:
        """See :class:`frogmove.s3.S3`."""
        more = _destination_condition(copy)
        if copy.source.storage_class != "STANDARD":
            # CopyObject would reset it to STANDARD.
            more["StorageClass"] = copy.source.storage_class

        def request() -> Copied:
            answer = self._client.copy_object(
                Bucket=copy.to_bucket,
                Key=copy.to_key,
                CopySource=_copy_source(copy),  # type: ignore[arg-type]
                CopySourceIfMatch=quoted(copy.source.etag),
                MetadataDirective="COPY",
                TaggingDirective="COPY",
                **more,
            )
            return Copied(unquoted(answer["CopyObjectResult"]["ETag"]), answer.get("VersionId"))

        return self._submit("CopyObject", request)

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """See :class:`frogmove.s3.S3`."""
        more: dict[str, Any] = {}
        if deletion.version_id is not None:
            more["VersionId"] = deletion.version_id
        elif deletion.etag is not None:
            more["IfMatch"] = quoted(deletion.etag)

        def request() -> None:
            self._client.delete_object(Bucket=bucket, Key=deletion.key, **more)

        return self._submit("DeleteObject", request)

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """See :class:`frogmove.s3.S3`."""

        def request() -> dict[str, S3Error | None]:
            answer = self._client.delete_objects(
                Bucket=bucket,
                Delete={"Objects": [_identifier(deletion) for deletion in deletions]},  # type: ignore[misc]
            )
            return _fates(deletions, answer)

        return self._submit("DeleteObjects", request)

    def tags(self, bucket: str, key: str, version_id: str | None) -> Future[Mapping[str, str]]:
        """See :class:`frogmove.s3.S3`."""
        version: dict[str, Any] = {} if version_id is None else {"VersionId": version_id}

        def request() -> Mapping[str, str]:
            answer = self._client.get_object_tagging(Bucket=bucket, Key=key, **version)
            return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

        return self._submit("GetObjectTagging", request)

    def create_upload(
        self, copy: Copy, source: Head, tags: Mapping[str, str], checksum: Checksum | None
    ) -> Future[str]:
        """See :class:`frogmove.s3.S3`."""
        more: dict[str, Any] = {**source.headers, "Metadata": dict(source.metadata)}
        if tags:
            more["Tagging"] = urlencode(tags)
        if source.object.storage_class != "STANDARD":
            more["StorageClass"] = source.object.storage_class
        if checksum is not None:
            more |= {"ChecksumAlgorithm": checksum.algorithm, "ChecksumType": "FULL_OBJECT"}

        def request() -> str:
            answer = self._client.create_multipart_upload(
                Bucket=copy.to_bucket, Key=copy.to_key, **more
            )
            return answer["UploadId"]

        return self._submit("CreateMultipartUpload", request)

    def copy_part(
        self, copy: Copy, upload_id: str, number: int, first: int, last: int
    ) -> Future[Part]:
        """See :class:`frogmove.s3.S3`."""

        def request() -> Part:
            answer = self._client.upload_part_copy(
                Bucket=copy.to_bucket,
                Key=copy.to_key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource=_copy_source(copy),  # type: ignore[arg-type]
                CopySourceIfMatch=quoted(copy.source.etag),
                CopySourceRange=f"bytes={first}-{last}",
            )
            return _part(number, answer["CopyPartResult"])

        return self._submit("UploadPartCopy", request)

    def complete_upload(
        self, copy: Copy, upload_id: str, parts: Sequence[Part], checksum: Checksum | None
    ) -> Future[Copied]:
        """See :class:`frogmove.s3.S3`."""
        more = _destination_condition(copy)
        if checksum is not None:
            more |= {
                "ChecksumType": "FULL_OBJECT",
                f"Checksum{checksum.algorithm}": checksum.value,
            }

        def request() -> Copied:
            answer = self._client.complete_multipart_upload(
                Bucket=copy.to_bucket,
                Key=copy.to_key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [_completed(part) for part in parts]},  # type: ignore[misc]
                MpuObjectSize=copy.source.size,
                **more,
            )
            return Copied(unquoted(answer["ETag"]))

        return self._submit("CompleteMultipartUpload", request)

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> Future[None]:
        """See :class:`frogmove.s3.S3`."""

        def request() -> None:
            self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)

        return self._submit("AbortMultipartUpload", request)

    def list_parts(self, bucket: str, key: str, upload_id: str) -> Future[Sequence[Part]]:
        """See :class:`frogmove.s3.S3`."""

        def request() -> Sequence[Part]:
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=bucket, Key=key, UploadId=upload_id
            )
            return [
                _part(part["PartNumber"], part) for page in pages for part in page.get("Parts", [])
            ]

        return self._submit("ListParts", request)

    def put(self, bucket: str, key: str, body: bytes) -> Future[Copied]:
        """See :class:`frogmove.s3.S3`."""

        def request() -> Copied:
            answer = self._client.put_object(Bucket=bucket, Key=key, Body=body)
            return Copied(unquoted(answer["ETag"]), answer.get("VersionId"))

        return self._submit("PutObject", request)

    def _submit(self, operation: str, request: Callable[[], T]) -> Future[T]:
        def attempt() -> T:
            client = self._client
            try:
                return self._request(operation, request)
            except S3Error as error:
                if error.code not in _EXPIRED or not self._renewed(client):
                    raise
            return self._request(operation, request)

        return self._pool.submit(attempt)

    def _request(self, operation: str, request: Callable[[], T]) -> T:
        try:
            return request()
        except ClientError as error:
            raise _refused(operation, error) from error
        except (HTTPClientError, BotoConnectionError) as error:
            message = f"no answer from {self.endpoint_url}"
            raise S3Error(operation, type(error).__name__, None, message) from error
        except BotoCoreError as error:
            # No credentials, no token, a parameter botocore refuses: nothing was sent.
            code = _LOCAL.get(type(error).__name__, "")
            raise S3Error(operation, code, 400, str(error)) from error
        except (KeyError, ValueError) as error:
            raise S3Error(operation, "MalformedAnswer", 500, repr(error)) from error

    def _renewed(self, client: S3Client) -> bool:
        """Replace a client whose credentials have expired, once for all who found it so."""
        if self._renew is None:
            return False
        with self._renewing:
            if self._client is client:
                self._client = self._renew()
        return True


_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}

# botocore's own refusals that mean the credentials cannot be used.
_LOCAL = dict.fromkeys(
    (
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
    ),
    "InvalidAccessKeyId",
)


def quoted(etag: str) -> str:
    """Return an ETag as HTTP conditions carry it."""
    return f'"{etag}"'


def unquoted(etag: str) -> str:
    """Return an ETag without quotation marks; some servers leave them out by themselves."""
    return etag.strip('"')


def _copy_source(copy: Copy) -> dict[str, str]:
    place = {"Bucket": copy.bucket, "Key": copy.source.key}
    if copy.source.version_id is not None:
        place["VersionId"] = copy.source.version_id
    return place


def _destination_condition(copy: Copy) -> dict[str, Any]:
    if not copy.guard_destination:
        return {}
    return {"IfNoneMatch": "*"} if copy.replaces is None else {"IfMatch": quoted(copy.replaces)}


def _part(number: int, answer: Mapping[str, Any]) -> Part:
    return Part(number, unquoted(answer["ETag"]), next(iter(_checksums(answer, whole=True)), None))


def _completed(part: Part) -> dict[str, Any]:
    listed: dict[str, Any] = {"PartNumber": part.number, "ETag": quoted(part.etag)}
    if part.checksum is not None:
        listed[f"Checksum{part.checksum.algorithm}"] = part.checksum.value
    return listed


def _checksums(answer: Mapping[str, Any], *, whole: bool) -> tuple[Checksum, ...]:
    """Read the checksums of an answer; one that ends in a number of parts is made of theirs."""
    values = {name: answer.get(f"Checksum{name}") for name in ALGORITHMS}
    return tuple(
        Checksum(name, value, whole and "-" not in value) for name, value in values.items() if value
    )


def _listed(entry: Mapping[str, Any]) -> S3Object:
    return S3Object(
        key=entry["Key"],
        size=entry["Size"],
        etag=unquoted(entry["ETag"]),
        last_modified=entry["LastModified"],
        storage_class=entry.get("StorageClass", "STANDARD"),
    )


def _head(key: str, version_id: str | None, answer: Mapping[str, Any]) -> Head:
    seen = S3Object(
        key=key,
        size=answer["ContentLength"],
        etag=unquoted(answer["ETag"]),
        last_modified=answer["LastModified"],
        storage_class=answer.get("StorageClass", "STANDARD"),
        version_id=version_id,
    )
    whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    customer = "SSE-C" if "SSECustomerAlgorithm" in answer else None
    return Head(
        seen,
        _checksums(answer, whole=whole),
        customer or answer.get("ServerSideEncryption"),
        {name: answer.get(f"{name}String", answer[name]) for name in HEADERS if name in answer},
        answer.get("Metadata", {}),
    )


def _identifier(deletion: Deletion) -> dict[str, str]:
    if deletion.version_id is not None:
        return {"Key": deletion.key, "VersionId": deletion.version_id}
    if deletion.etag is not None:
        return {"Key": deletion.key, "ETag": quoted(deletion.etag)}
    return {"Key": deletion.key}


def _fates(deletions: Sequence[Deletion], answer: Mapping[str, Any]) -> dict[str, S3Error | None]:
    """Read a DeleteObjects answer; a key it does not mention may or may not be deleted."""
    silence = S3Error("DeleteObjects", "NotMentioned", 500, "The answer does not mention the key")
    fates: dict[str, S3Error | None] = {deletion.key: silence for deletion in deletions}
    fates.update((entry["Key"], None) for entry in answer.get("Deleted", []))
    for entry in answer.get("Errors", []):
        code, message = entry.get("Code", ""), entry.get("Message", "")
        fates[entry["Key"]] = S3Error("DeleteObjects", code, 400, message)
    return fates


def _refused(operation: str, error: ClientError) -> S3Error:
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return S3Error(operation, said.get("Code", ""), status, said.get("Message", ""))
