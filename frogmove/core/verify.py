"""Whether two objects hold the same bytes, and how that is known. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from frogmove.s3.etag import bare, etags_match
from frogmove.s3.models import Head

_MD5 = re.compile(r"[0-9a-f]{32}")

# Nobody can make other bytes with the same one to order, MD5s compared besides.
_STRONG = frozenset({"SHA256", "SHA1"})


class Verify(StrEnum):
    """How much proof of a copy is wanted before its source is deleted."""

    AUTO = "auto"
    STRICT = "strict"


class CompareBy(StrEnum):
    """What tells sync that the destination has an object already."""

    AUTO = "auto"
    SIZE = "size"
    CHECKSUM = "checksum"
    CONTENT = "content"


class Match(StrEnum):
    """What a comparison showed."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison showed and by what."""

    match: Match
    by: str


def same_etag(one: str, other: str) -> bool:
    """Tell whether two ETags prove the same bytes: equal, and each an MD5 of a whole object.

    Only equality proves anything. Objects encrypted with KMS or written in parts have ETags that
    are no MD5 of the bytes, so the same bytes may well have two.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    return etags_match(one, other) and _MD5.fullmatch(bare(one)) is not None


def compare(one: Head, other: Head, *, is_our_copy: bool = False) -> Comparison:
    """Compare two objects by what S3 tells of them.

    MD5s or checksums that differ prove that the objects do, whatever else is equal. A CRC can be
    made to order, so equal ones prove nothing about an object that somebody else may have written.

    Args:
        one: an object.
        other: another.
        is_our_copy: whether one is the copy that this run has just made of the other, under the
            condition that it had the ETag it has now; then equal CRCs show that it arrived whole.

    Returns:
        SAME or DIFFERENT with the proof; UNKNOWN when only their sizes could be compared.
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
    """Tell whether two objects have the content headers and metadata that a copy carries."""
    return _carried(one) == _carried(other)


def has_key(head: Head, kms_key_id: str | None) -> bool:
    """Tell whether an object is encrypted with a KMS key, where one is asked for.

    An alias is not what S3 tells of an object: any KMS key is taken for it.
    """
    if kms_key_id is None:
        return True
    if not (head.encryption or "").startswith("aws:kms"):
        return False
    alias = ":alias/" in kms_key_id or kms_key_id.startswith("alias/")
    return alias or (head.kms_key or "").rpartition("/")[2] == kms_key_id.rpartition("/")[2]


def _carried(head: Head) -> tuple[dict[str, str], dict[str, str]]:
    # No copy carries a website redirect.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    headers = {
        name: value for name, value in head.headers.items() if name != "WebsiteRedirectLocation"
    }
    return headers, dict(head.metadata)


def _etag_is_md5(head: Head) -> bool:
    plain = head.encryption in {None, "AES256"}
    return plain and _MD5.fullmatch(bare(head.object.etag)) is not None
