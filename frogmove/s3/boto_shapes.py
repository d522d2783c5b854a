"""Converts between frogmove's values and boto3's parameters and responses."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    Page,
    Part,
    S3Object,
    UnfinishedUpload,
)

ALGORITHMS = ("CRC64NVME", "CRC32", "CRC32C", "SHA1", "SHA256")

# Bytes of a response that are in memory at a time.
_CHUNK = 256 * 1024

# https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
_WEAK = 'W/"'


def quoted(etag: str) -> str:
    """Return an ETag in the form for HTTP conditions."""
    return etag if etag.startswith(_WEAK) else f'"{etag}"'


def unquoted(etag: str) -> str:
    """Return an ETag without quotation marks; some servers omit them.

    A weak one keeps them, so that conditions can use it unchanged.
    """
    etag = etag.strip()
    return etag if etag.startswith(_WEAK) else etag.strip('"')


def version(version_id: str | None) -> dict[str, Any]:
    """Return the parameter for a version id, if there is one."""
    return {} if version_id is None else {"VersionId": version_id}


def content(body: Any) -> bytes:  # noqa: ANN401
    """Read the whole body of a response.

    Raises:
        ValueError: when it is cut short.
    """
    with _to_the_end():
        read: bytes = body.read()
    return read


def content_md5(body: Any) -> bytes:  # noqa: ANN401
    """Read the whole body of a response, and return its MD5.

    Raises:
        ValueError: when it is cut short.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with _to_the_end():
        while chunk := body.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


@contextmanager
def _to_the_end() -> Iterator[None]:
    from botocore.exceptions import IncompleteReadError

    try:
        yield
    except IncompleteReadError as error:
        raise ValueError(str(error)) from error


def problem(error: Exception) -> str:
    """Describe what is wrong with a response, from the exception of its parser."""
    if isinstance(error, KeyError):
        return f"the response has no {error.args[0]}"
    return " ".join(str(error).split())


def copy_source(copy: Copy) -> dict[str, str]:
    """Return the CopySource parameter of a copy."""
    place = {"Bucket": copy.bucket, "Key": copy.source.key}
    if copy.source.version_id is not None:
        place["VersionId"] = copy.source.version_id
    return place


def source_condition(copy: Copy) -> dict[str, Any]:
    """Return the parameter for the source condition of a copy."""
    return {"CopySourceIfMatch": quoted(copy.source.etag)} if copy.guard_source else {}


def destination_condition(copy: Copy) -> dict[str, Any]:
    """Return the parameter for the destination condition of a copy."""
    if not copy.guard_destination:
        return {}
    return {"IfNoneMatch": "*"} if copy.replaces is None else {"IfMatch": quoted(copy.replaces)}


def part(number: int, response: Mapping[str, Any]) -> Part:
    """Read a part of a multipart upload."""
    return Part(number, etag_of(response), next(iter(checksums(response, whole=True)), None))


def completed_part(part: Part) -> dict[str, Any]:
    """Return a part in the form for CompleteMultipartUpload."""
    listed: dict[str, Any] = {"PartNumber": part.number, "ETag": quoted(part.etag)}
    if part.checksum is not None:
        listed[f"Checksum{part.checksum.algorithm}"] = part.checksum.value
    return listed


def uploads(page: Mapping[str, Any]) -> list[UnfinishedUpload]:
    """Read a page of multipart uploads; not every server encodes their keys."""
    decode = _decoded_upload if page.get("EncodingType") == "url" else str
    return [
        UnfinishedUpload(decode(entry["Key"]), entry["UploadId"])
        for entry in page.get("Uploads", [])
    ]


def _decoded_upload(key: str) -> str:
    """Decode a key; some servers say that it is encoded and leave it as it is."""
    if _RAW.search(key):
        return key
    # S3 writes a space as a plus; a server that writes it as %20 means the plus.
    return unquote(key) if "%20" in key else unquote_plus(key)


def versions(pages: Iterable[Mapping[str, Any]], key: str) -> list[S3Object]:
    """Read the versions of one key from listings with it as prefix, as far as needed."""
    found = []
    for page in pages:
        listed = page.get("Versions", [])
        ours = [entry for entry in listed if is_key(entry["Key"], key)]
        found += [_version(key, entry) for entry in ours]
        # In key order, the key itself comes before all others with it as prefix.
        if len(ours) < len(listed):
            break
    return found


def is_key(listed: str, key: str) -> bool:
    """Tell whether a name in a listing of versions with a key as prefix is that key.

    botocore decodes a plus as a space, because S3 encodes it so; some servers leave a plus as it
    is. The prefix tells them apart.
    """
    return listed in {key, key.replace("+", " ")}


def _version(key: str, entry: Mapping[str, Any]) -> S3Object:
    return S3Object(
        key=key,
        size=entry["Size"],
        etag=etag_of(entry),
        last_modified=entry["LastModified"],
        storage_class=entry.get("StorageClass") or "STANDARD",
        version_id=entry["VersionId"],
    )


def checksums(response: Mapping[str, Any], *, whole: bool) -> tuple[Checksum, ...]:
    """Read the checksums of a response; one with a number of parts is composed of theirs."""
    values = {name: response.get(f"Checksum{name}") for name in ALGORITHMS}
    return tuple(
        Checksum(name, value, whole and "-" not in value) for name, value in values.items() if value
    )


def list_options(token: str | None, start_after: str, delimiter: str) -> dict[str, Any]:
    """Return the listing parameters for token, start and delimiter."""
    options = {"ContinuationToken": token, "StartAfter": start_after, "Delimiter": delimiter}
    return {name: value for name, value in options.items() if value}


def page(response: Mapping[str, Any]) -> Page:
    """Read a page of a listing whose keys are still encoded.

    Raises:
        KeyError: when something required is missing.
        ValueError: when a value is not valid.
        S3Error: when a key cannot be decoded.
    """
    is_encoded = response.get("EncodingType") == "url"
    decode = decoded if is_encoded else str
    contents = response.get("Contents", [])
    token = response.get("NextContinuationToken")
    return Page(
        [
            S3Object(
                decode(entry["Key"]),
                valid_size(int(entry["Size"])),
                etag_of(entry),
                with_zone(entry["LastModified"]),
                entry.get("StorageClass") or "STANDARD",
            )
            for entry in contents
        ],
        next_token(token, more=response["IsTruncated"]),
        [decode(entry["Prefix"]) for entry in response.get("CommonPrefixes", [])],
        encoded_samples([entry["Key"] for entry in contents]) if is_encoded else (),
    )


def next_token(token: str | None, *, more: bool) -> str | None:
    """Return the token of the next page; None if there is none.

    Raises:
        ValueError: when the listing is truncated but has no token.
    """
    if more and not token:
        raise ValueError("the listing is truncated and has no NextContinuationToken")
    return token if more else None


def etag_of(response: Mapping[str, Any]) -> str:
    """Return the ETag of a response.

    Raises:
        KeyError: when it has none, or an empty one.
    """
    etag = unquoted(response["ETag"])
    if not etag:
        raise KeyError("ETag")
    return etag


# Characters that are always URL-encoded.
_RAW = re.compile(r"[^!-~]|%(?![0-9A-Fa-f]{2})")


def decoded(key: str) -> str:
    """Decode a URL-encoded key; a plus is a space, because some servers encode it so.

    Raises:
        S3Error: when it is not encoded, or is not UTF-8.
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


def decoded_keys(keys: Sequence[str]) -> Sequence[str]:
    """Decode the keys of a page, all at once: that takes a fifth of the time (measured).

    Raises:
        S3Error: see :func:`decoded`.
    """
    if not _has_encoded(keys):
        return keys
    try:
        read = unquote_plus("\n".join(keys), errors="strict").split("\n")
    except UnicodeDecodeError:
        read = []
    # A key with a line feed makes more lines than keys. A slash continues no escape before it.
    is_clear = len(read) == len(keys) and not _RAW.search("/".join(keys))
    return read if is_clear else [decoded(key) for key in keys]


def _has_encoded(keys: Sequence[str]) -> bool:
    text = "".join(keys)
    return not (text.isascii() and text.isprintable()) or any(char in text for char in " %+")


def encoded_samples(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return one key of each kind that may be decoded wrongly: as encoded, and as decoded.

    Some servers do not encode keys although they say so, or do not encode a plus.
    """
    if not _has_encoded(keys):
        return []
    escaped = next((key for key in keys if "%" in key and "+" not in key), None)
    plus = next((key for key in keys if "+" in key), None)
    return [(key, decoded(key)) for key in (escaped, plus) if key is not None]


def _unreadable(message: str) -> S3Error:
    return S3Error("ListObjectsV2", INVALID_KEY, 400, message)


def parse_timestamp(text: str) -> datetime:
    """Parse a time in ISO 8601 or in HTTP's format; in UTC unless it has a time zone.

    Raises:
        ValueError: when it is not valid.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = parsedate_to_datetime(text)
    return with_zone(read)


def with_zone(time: datetime) -> datetime:
    """Return a time with a time zone; some servers omit that it is UTC."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def valid_size(count: int) -> int:
    """Return a number of bytes.

    Raises:
        ValueError: when it is not valid.
    """
    if count < 0:
        raise ValueError(f"the size in the response is {count}")
    return count


def identifier(deletion: Deletion) -> dict[str, str]:
    """Return a key in the form for DeleteObjects."""
    if deletion.version_id is not None:
        return {"Key": deletion.key, "VersionId": deletion.version_id}
    if deletion.etag is not None:
        return {"Key": deletion.key, "ETag": quoted(deletion.etag)}
    return {"Key": deletion.key}


def delete_results(
    deletions: Sequence[Deletion], response: Mapping[str, Any]
) -> dict[str, S3Error | None]:
    """Read a DeleteObjects response; a key that it does not mention may or may not be deleted."""
    silence = S3Error("DeleteObjects", "NotMentioned", 500, "The response does not mention the key")
    found: dict[str, S3Error | None] = {deletion.key: silence for deletion in deletions}
    found.update((entry["Key"], None) for entry in response.get("Deleted", []))
    for entry in response.get("Errors", []):
        code, message = entry.get("Code", ""), entry.get("Message", "")
        found[entry["Key"]] = S3Error("DeleteObjects", code, 400, message)
    return found
