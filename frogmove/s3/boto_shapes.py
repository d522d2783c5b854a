"""Translates between frogmove's values and the shapes that boto3 takes and gives. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, unquote_plus

from frogmove.quoting import in_quotes
from frogmove.s3.errors import INVALID_KEY, S3Error
from frogmove.s3.models import (
    Checksum,
    Copy,
    Deletion,
    Head,
    Page,
    Part,
    S3Object,
    UnfinishedUpload,
)

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


# https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
_WEAK = 'W/"'


def quoted(etag: str) -> str:
    """Return an ETag as HTTP conditions carry it: as the server wrote it."""
    return etag if etag.startswith(_WEAK) else f'"{etag}"'


def unquoted(etag: str) -> str:
    """Return an ETag without quotation marks; some servers leave them out by themselves.

    A weak one keeps them, so that conditions can name it as the server did.
    """
    etag = etag.strip()
    return etag if etag.startswith(_WEAK) else etag.strip('"')


def version(version_id: str | None) -> dict[str, Any]:
    """Return what names a version, where one was named."""
    return {} if version_id is None else {"VersionId": version_id}


def content(body: Any) -> bytes:  # noqa: ANN401
    """Read all of an answer's content.

    Raises:
        ValueError: when it is cut short.
    """
    from botocore.exceptions import IncompleteReadError

    try:
        read: bytes = body.read()
    except IncompleteReadError as error:
        raise ValueError(str(error)) from error
    return read


def problem(error: Exception) -> str:
    """Say what is wrong with an answer, as a reader of it found out."""
    if isinstance(error, KeyError):
        return f"the answer has no {error.args[0]}"
    return " ".join(str(error).split())


def copy_source(copy: Copy) -> dict[str, str]:
    """Return what a copy is made of."""
    place = {"Bucket": copy.bucket, "Key": copy.source.key}
    if copy.source.version_id is not None:
        place["VersionId"] = copy.source.version_id
    return place


def source_condition(copy: Copy) -> dict[str, Any]:
    """Return the condition a copy is made under at its source."""
    return {"CopySourceIfMatch": quoted(copy.source.etag)} if copy.guard_source else {}


def destination_condition(copy: Copy) -> dict[str, Any]:
    """Return the condition a copy is made under at its destination."""
    if not copy.guard_destination:
        return {}
    return {"IfNoneMatch": "*"} if copy.replaces is None else {"IfMatch": quoted(copy.replaces)}


def part(number: int, answer: Mapping[str, Any]) -> Part:
    """Read a part of a multipart upload."""
    return Part(number, etag_of(answer), next(iter(_checksums(answer, whole=True)), None))


def completed_part(part: Part) -> dict[str, Any]:
    """Return a part as it is named when an upload is completed."""
    listed: dict[str, Any] = {"PartNumber": part.number, "ETag": quoted(part.etag)}
    if part.checksum is not None:
        listed[f"Checksum{part.checksum.algorithm}"] = part.checksum.value
    return listed


def uploads(page: Mapping[str, Any]) -> list[UnfinishedUpload]:
    """Read a page of multipart uploads; not every server encodes their keys when asked to."""
    decode = unquote if page.get("EncodingType") == "url" else str
    return [
        UnfinishedUpload(decode(entry["Key"]), entry["UploadId"])
        for entry in page.get("Uploads", [])
    ]


def versions(pages: Iterable[Mapping[str, Any]], key: str) -> list[S3Object]:
    """Read the versions of one key from listings of all that begin with it, as far as needed."""
    found = []
    for page in pages:
        decode = unquote if page.get("EncodingType") == "url" else str
        listed = [(decode(entry["Key"]), entry) for entry in page.get("Versions", [])]
        found += [_version(key, entry) for name, entry in listed if name == key]
        # In the order of keys, and no other that begins so comes before this one.
        if any(name != key for name, _ in listed):
            break
    return found


def _version(key: str, entry: Mapping[str, Any]) -> S3Object:
    return S3Object(
        key=key,
        size=entry["Size"],
        etag=etag_of(entry),
        last_modified=entry["LastModified"],
        storage_class=entry.get("StorageClass") or "STANDARD",
        version_id=entry["VersionId"],
    )


def _checksums(answer: Mapping[str, Any], *, whole: bool) -> tuple[Checksum, ...]:
    """Read the checksums of an answer; one that ends in a number of parts is made of theirs."""
    values = {name: answer.get(f"Checksum{name}") for name in ALGORITHMS}
    return tuple(
        Checksum(name, value, whole and "-" not in value) for name, value in values.items() if value
    )


def list_options(token: str | None, start_after: str, delimiter: str) -> dict[str, Any]:
    """Return how a listing goes on, begins or is rolled up."""
    options = {"ContinuationToken": token, "StartAfter": start_after, "Delimiter": delimiter}
    return {name: value for name, value in options.items() if value}


def page(answer: Mapping[str, Any]) -> Page:
    """Read a page of a listing, whose keys are still as they came.

    Raises:
        KeyError: when something is missing that has to be there.
        ValueError: when something makes no sense.
        S3Error: when a key cannot be told from the text that stands for it.
    """
    is_encoded = answer.get("EncodingType") == "url"
    decode = decoded if is_encoded else str
    contents = answer.get("Contents", [])
    token = answer.get("NextContinuationToken")
    return Page(
        [
            S3Object(
                decode(entry["Key"]),
                _size(int(entry["Size"])),
                etag_of(entry),
                _with_zone(entry["LastModified"]),
                entry.get("StorageClass") or "STANDARD",
            )
            for entry in contents
        ],
        following(token, more=answer["IsTruncated"]),
        [decode(entry["Prefix"]) for entry in answer.get("CommonPrefixes", [])],
        encoded_samples([entry["Key"] for entry in contents]) if is_encoded else (),
    )


def following(token: str | None, *, more: bool) -> str | None:
    """Return the token that asks for the next page, None where there is none.

    Raises:
        ValueError: when the rest cannot be asked for: the listing would look whole.
    """
    if more and not token:
        raise ValueError("the listing is truncated and has no NextContinuationToken")
    return token if more else None


def etag_of(answer: Mapping[str, Any]) -> str:
    """Return the ETag of an answer.

    Raises:
        KeyError: when it has none, or an empty one: no condition could name the object.
    """
    etag = unquoted(answer["ETag"])
    if not etag:
        raise KeyError("ETag")
    return etag


# What no encoding leaves as it is.
_RAW = re.compile(r"[^!-~]|%(?![0-9A-Fa-f]{2})")


def decoded(key: str) -> str:
    """Decode a key that is said to be URL-encoded; a plus is a space, as some encode it.

    Raises:
        S3Error: when it is not encoded at all, or the bytes it stands for are no text.
    """
    if _RAW.search(key):
        raise _unreadable(
            f"the server calls its keys URL-encoded, but {in_quotes(key)} is not: "
            "no key of this listing can be trusted"
        )
    if "%" not in key and "+" not in key:
        return key
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError as error:
        raise _unreadable(
            f"the key {in_quotes(key)}, as the server encodes it, is not UTF-8; S3 has no such "
            "keys, and no request could name it"
        ) from error


def encoded_samples(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return one key of each kind that can be misread, where there is one: as written, and as read.

    Some servers call keys encoded that are not, or leave a plus as it is.
    """
    escaped = next((key for key in keys if "%" in key and "+" not in key), None)
    plus = next((key for key in keys if "+" in key), None)
    return [(key, decoded(key)) for key in (escaped, plus) if key is not None]


def _unreadable(message: str) -> S3Error:
    return S3Error("ListObjectsV2", INVALID_KEY, 400, message)


def moment(text: str) -> datetime:
    """Read a time: ISO 8601 as S3 writes it, or as HTTP does; in UTC unless it says otherwise.

    Raises:
        ValueError: when it is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = parsedate_to_datetime(text)
    return _with_zone(read)


def _with_zone(time: datetime) -> datetime:
    """Return a time that says of which zone it is; some servers leave out that it is UTC."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _size(count: int) -> int:
    """Return a number of bytes as it is.

    Raises:
        ValueError: when it is none.
    """
    if count < 0:
        raise ValueError(f"the answer's size is {count}")
    return count


def head(key: str, version_id: str | None, answer: Mapping[str, Any]) -> Head:
    """Read a HeadObject answer.

    Raises:
        KeyError: when something is missing that has to be there.
        ValueError: when something makes no sense.
    """
    seen = S3Object(
        key=key,
        size=_size(answer["ContentLength"]),
        etag=etag_of(answer),
        last_modified=_with_zone(answer["LastModified"]),
        storage_class=answer.get("StorageClass") or "STANDARD",
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
        answer.get("SSEKMSKeyId"),
        {name: answer[name] for name in _LOCK_HEADERS if name in answer},
        answer.get("VersionId"),
        answer.get("TagCount"),
        _is_archived(answer),
    )


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
_RESTORED = 'ongoing-request="false"'


def _is_archived(answer: Mapping[str, Any]) -> bool:
    """Tell from a HeadObject answer whether the object has to be restored first."""
    # Said of Intelligent-Tiering alone, and only while the object is archived.
    if answer.get("ArchiveStatus"):
        return True
    return answer.get("StorageClass") in _ARCHIVES and _RESTORED not in answer.get("Restore", "")


def head_answer(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the headers of a HeadObject answer as boto3 gives them.

    Args:
        headers: by their names in lower case.

    Raises:
        KeyError: when one is missing that has to be there.
        ValueError: when one makes no sense.
        UnicodeError: when one is not ASCII: SDKs differ in how they read it.
    """
    for value in headers.values():
        value.encode("ascii")
    answer: dict[str, Any] = {
        name: headers[header] for name, header in _HEAD_HEADERS.items() if header in headers
    }
    answer["ContentLength"] = int(answer["ContentLength"])
    answer["LastModified"] = moment(answer["LastModified"])
    for name, (header, read) in _READ_HEADERS.items():
        if header in headers:
            answer[name] = read(headers[header])
    answer["Metadata"] = {
        name.removeprefix(_METADATA): value
        for name, value in headers.items()
        if name.startswith(_METADATA)
    }
    return answer


_LOCK = "x-amz-object-lock-"

_LOCK_HEADERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ObjectLockMode": (f"{_LOCK}mode", str),
    "ObjectLockRetainUntilDate": (f"{_LOCK}retain-until-date", moment),
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


def identifier(deletion: Deletion) -> dict[str, str]:
    """Return a key as it is named in a batch of deletes."""
    if deletion.version_id is not None:
        return {"Key": deletion.key, "VersionId": deletion.version_id}
    if deletion.etag is not None:
        return {"Key": deletion.key, "ETag": quoted(deletion.etag)}
    return {"Key": deletion.key}


def delete_results(
    deletions: Sequence[Deletion], answer: Mapping[str, Any]
) -> dict[str, S3Error | None]:
    """Read a DeleteObjects answer; a key it does not mention may or may not be deleted."""
    silence = S3Error("DeleteObjects", "NotMentioned", 500, "The answer does not mention the key")
    delete_results: dict[str, S3Error | None] = {deletion.key: silence for deletion in deletions}
    delete_results.update((entry["Key"], None) for entry in answer.get("Deleted", []))
    for entry in answer.get("Errors", []):
        code, message = entry.get("Code", ""), entry.get("Message", "")
        delete_results[entry["Key"]] = S3Error("DeleteObjects", code, 400, message)
    return delete_results
