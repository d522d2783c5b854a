"""Reads the response to HeadObject, from boto3 or from its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frogmove.s3.boto_shapes import (
    ALGORITHMS,
    checksums,
    etag_of,
    parse_timestamp,
    valid_size,
    with_zone,
)
from frogmove.s3.models import Head, S3Object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The content headers, by boto3's names.
HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
)


def read_head(key: str, version_id: str | None, response: Mapping[str, Any]) -> Head:
    """Read a HeadObject response.

    Raises:
        KeyError: when something required is missing.
        ValueError: when a value is not valid.
    """
    seen = S3Object(
        key=key,
        size=valid_size(response["ContentLength"]),
        etag=etag_of(response),
        last_modified=with_zone(response["LastModified"]),
        storage_class=response.get("StorageClass") or "STANDARD",
        version_id=version_id,
    )
    whole = response.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    customer = "SSE-C" if "SSECustomerAlgorithm" in response else None
    return Head(
        seen,
        checksums(response, whole=whole),
        customer or response.get("ServerSideEncryption"),
        {
            name: response.get(f"{name}String", response[name])
            for name in HEADERS
            if name in response
        },
        response.get("Metadata", {}),
        response.get("SSEKMSKeyId"),
        {name: response[name] for name in _LOCK_HEADERS if name in response},
        response.get("VersionId"),
        response.get("TagCount"),
        _is_archived(response),
    )


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
_RESTORED = 'ongoing-request="false"'


def _is_archived(response: Mapping[str, Any]) -> bool:
    """Tell from a HeadObject response whether the object has to be restored first."""
    # S3 sends it only for objects in Intelligent-Tiering, and only while they are archived.
    if response.get("ArchiveStatus"):
        return True
    is_restored = _RESTORED in response.get("Restore", "")
    return response.get("StorageClass") in _ARCHIVES and not is_restored


def from_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the headers of a HeadObject response by boto3's names.

    Args:
        headers: the headers, by names in lower case.

    Raises:
        KeyError: when a required one is missing.
        ValueError: when one is not valid.
        UnicodeError: when one is not ASCII: SDKs decode it differently.
    """
    for value in headers.values():
        value.encode("ascii")
    response: dict[str, Any] = {
        name: headers[header] for name, header in _HEAD_HEADERS.items() if header in headers
    }
    response["ContentLength"] = int(response["ContentLength"])
    response["LastModified"] = parse_timestamp(response["LastModified"])
    for name, (header, read) in _READ_HEADERS.items():
        if header in headers:
            response[name] = read(headers[header])
    response["Metadata"] = {
        name.removeprefix(_METADATA): value
        for name, value in headers.items()
        if name.startswith(_METADATA)
    }
    return response


_LOCK = "x-amz-object-lock-"

_LOCK_HEADERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ObjectLockMode": (f"{_LOCK}mode", str),
    "ObjectLockRetainUntilDate": (f"{_LOCK}retain-until-date", parse_timestamp),
    "ObjectLockLegalHoldStatus": (f"{_LOCK}legal-hold", str),
    "ObjectLockEventHold": (f"{_LOCK}event-hold", str),
    "ObjectLockEventHoldDurationDays": (f"{_LOCK}event-hold-duration-days", int),
    "ObjectLockEventHoldDurationYears": (f"{_LOCK}event-hold-duration-years", int),
}

_READ_HEADERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    **_LOCK_HEADERS,
    "TagCount": ("x-amz-tagging-count", int),
}

_METADATA = "x-amz-meta-"

_HEAD_HEADERS = {
    "ContentLength": "content-length",
    "ETag": "etag",
    "VersionId": "x-amz-version-id",
    "LastModified": "last-modified",
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentType": "content-type",
    "Expires": "expires",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
    "StorageClass": "x-amz-storage-class",
    "Restore": "x-amz-restore",
    "ArchiveStatus": "x-amz-archive-status",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "ChecksumType": "x-amz-checksum-type",
    **{f"Checksum{name}": f"x-amz-checksum-{name.lower()}" for name in ALGORITHMS},
}
