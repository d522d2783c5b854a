"""Whether two objects hold the same bytes, and how that is known. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from frogmove.s3 import Head

_MD5 = re.compile(r"[0-9a-f]{32}")


class Verify(StrEnum):
    """How much proof of a copy is wanted before its source is deleted."""

    AUTO = "auto"
    STRICT = "strict"


class Likeness(StrEnum):
    """What a comparison showed."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a comparison showed and by what."""

    likeness: Likeness
    by: str


def same_etag(one: str, other: str) -> bool:
    """Tell whether two ETags prove the same bytes: equal, and each an MD5 of a whole object.

    Only equality proves anything. Objects encrypted with KMS or written in parts have ETags that
    are no MD5 of the bytes, so the same bytes may well have two.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    return one == other and _MD5.fullmatch(one) is not None


def compare(one: Head, other: Head) -> Evidence:
    """Compare two objects by the best proof there is: ETag, then checksum, then size.

    Returns:
        SAME or DIFFERENT with the proof; UNKNOWN when only their sizes could be compared.
    """
    if one.object.size != other.object.size:
        return Evidence(Likeness.DIFFERENT, "size")
    if same_etag(one.object.etag, other.object.etag):
        return Evidence(Likeness.SAME, "ETag")
    theirs = {checksum.algorithm: checksum for checksum in other.checksums if checksum.full_object}
    for checksum in one.checksums:
        match = theirs.get(checksum.algorithm)
        if match is not None and checksum.full_object:
            equal = checksum.value == match.value
            return Evidence(Likeness.SAME if equal else Likeness.DIFFERENT, checksum.algorithm)
    if _etag_is_md5(one) and _etag_is_md5(other):
        return Evidence(Likeness.DIFFERENT, "ETag")
    return Evidence(Likeness.UNKNOWN, "size")


def _etag_is_md5(head: Head) -> bool:
    plain = head.encryption in {None, "AES256"}
    return plain and _MD5.fullmatch(head.object.etag) is not None
