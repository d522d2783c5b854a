"""Tells whether two objects hold the same bytes."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from frogmove.s3.etag import bare, etags_match
from frogmove.s3.models import Copied, Head

_MD5 = re.compile(r"[0-9a-f]{32}")

# The ETag of an object in parts: the MD5 of their MD5s, and their number.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
_PARTS = re.compile(r"[0-9a-f]{32}-([1-9][0-9]{0,4})")

# Checksums for which nobody can construct other bytes with the same checksum.
_STRONG = frozenset({"SHA256", "SHA1"})


class Verify(StrEnum):
    """How much proof of a copy is required before its source is deleted."""

    AUTO = "auto"
    STRICT = "strict"


class CompareBy(StrEnum):
    """How a sync compares objects."""

    AUTO = "auto"
    SIZE = "size"
    CHECKSUM = "checksum"
    CONTENT = "content"


class Match(StrEnum):
    """The result of a comparison."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison and its evidence."""

    match: Match
    by: str


def same_etag(one: str, other: str) -> bool:
    """Tell whether two ETags prove the same bytes: equal, and each an MD5 of a whole object.

    Different ETags prove nothing: objects encrypted with KMS or written in parts have ETags that
    are not MD5s of the bytes.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    return etags_match(one, other) and _MD5.fullmatch(bare(one)) is not None


def same_parts(source: str, copied: Copied) -> bool:
    """Tell whether ETags prove a copy in parts that this run has just made.

    The source's ETag has to be that of the copy, and the one that the ETags of the copy's parts add
    up to. So S3 computed all of them from the same bytes, in parts of the same sizes.

    Args:
        source: the source's ETag, on which each part was conditional.
        copied: the response to the copy.
    """
    is_of_parts = part_count(copied.parts_etag) is not None
    return is_of_parts and bare(source) == bare(copied.etag) == copied.parts_etag


def part_count(etag: str) -> int | None:
    """Return the number of parts of the object with this ETag; None if the ETag tells none."""
    found = _PARTS.fullmatch(bare(etag))
    return None if found is None else int(found[1])


def etag_of_parts(md5s: Sequence[bytes]) -> str:
    """Return the ETag of an object in parts with these MD5s."""
    digest = hashlib.md5(b"".join(md5s), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(md5s)}"


def compare(one: Head, other: Head, *, is_our_copy: bool = False) -> Comparison:
    """Compare two objects by their ETags and checksums.

    Different MD5s or checksums prove that the objects differ. Equal CRCs prove nothing about an
    object that somebody else may have written, because bytes with a given CRC can be constructed.

    Args:
        one: an object.
        other: the other object.
        is_our_copy: whether one is a copy of the other that this run has just made, conditional on
            the source's ETag; then equal CRCs prove that it is complete.

    Returns:
        SAME or DIFFERENT with the evidence; UNKNOWN if only the sizes could be compared.
    """
    if one.object.size != other.object.size:
        return Comparison(Match.DIFFERENT, "size")
    md5s = _etag_is_md5(one) and _etag_is_md5(other)
    if md5s and not same_etag(one.object.etag, other.object.etag):
        return Comparison(Match.DIFFERENT, "ETag")
    equal = []
    theirs = {(total.algorithm, total.full_object): total.value for total in other.checksums}
    for checksum in one.checksums:
        value = theirs.get((checksum.algorithm, checksum.full_object))
        if value == checksum.value:
            equal.append(checksum)
        elif value is not None and checksum.full_object:
            return Comparison(Match.DIFFERENT, checksum.algorithm)
    if md5s:
        return Comparison(Match.SAME, "ETag")
    for checksum in equal:
        if is_our_copy or (checksum.full_object and checksum.algorithm in _STRONG):
            return Comparison(Match.SAME, checksum.algorithm)
    return Comparison(Match.UNKNOWN, "size")


def same_attributes(one: Head, other: Head) -> bool:
    """Tell whether two objects have the same content headers and metadata."""
    return _carried(one) == _carried(other)


def has_key(head: Head, kms_key_id: str | None) -> bool:
    """Tell whether an object is encrypted with the requested KMS key, if one is requested.

    S3 does not return the alias of a key: if an alias is requested, any KMS key is accepted.
    """
    if kms_key_id is None:
        return True
    if not (head.encryption or "").startswith("aws:kms"):
        return False
    alias = ":alias/" in kms_key_id or kms_key_id.startswith("alias/")
    return alias or (head.kms_key or "").rpartition("/")[2] == kms_key_id.rpartition("/")[2]


def _carried(head: Head) -> tuple[dict[str, str], dict[str, str]]:
    # S3 does not copy a website redirect.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    headers = {
        name: value for name, value in head.headers.items() if name != "WebsiteRedirectLocation"
    }
    return headers, dict(head.metadata)


def has_plain_etag(head: Head) -> bool:
    """Tell whether an object's ETag is made of MD5s: with KMS it is not."""
    return head.encryption in {None, "AES256"}


def _etag_is_md5(head: Head) -> bool:
    return has_plain_etag(head) and _MD5.fullmatch(bare(head.object.etag)) is not None
