"""Looks up keys that may be moved only after a scan.

The function's role may read an object of the source only with the tag of a clean scan, so that no
earlier version of the function, to which the alias is rolled back, moves anything else. S3 reports
an object that may not be read as denied, even if it is gone. So the tags are read first: everybody
who may list the bucket learns from them what is missing and what waits.
https://docs.aws.amazon.com/guardduty/latest/ug/tag-based-access-s3-malware-protection.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.models import Outcome
from frogmove.core.tag_check import lacks
from frogmove.function.key_request import KeyResult
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.etag import etags_match

if TYPE_CHECKING:
    from frogmove.core.lookup import Lookup
    from frogmove.core.required_tags import Tag
    from frogmove.core.tag_check import TagChecker
    from frogmove.function.invocation import Invocation
    from frogmove.function.key_request import KeyRequest
    from frogmove.function.scan_results import ScanResult
    from frogmove.s3.models import Head

REPLACED = KeyResult(
    Outcome.SUPERSEDED, "replaced since it was scanned; kept at the source for its own scan"
)

# The status of a request for the tags of a delete marker.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
_IS_DELETE_MARKER = 405


async def look_up(
    each: KeyRequest, invocation: Invocation, lookup: Lookup
) -> Head | KeyResult | None:
    """Look up a requested key.

    Args:
        each: the request.
        invocation: the invocation.
        lookup: looks up objects of the source.

    Returns:
        the object; the request's result, if its object has to wait; None if there is no object.

    Raises:
        S3Error: when a request fails.
    """
    checker = invocation.checker(each.scan)
    if checker is None:
        return await lookup.head(each.key, each.version_id)
    if each.scan is None:
        is_there, missing = await _read_tags(each.key, each.version_id, checker, lookup)
        if missing is not None or not is_there:
            return None if missing is None else waits(missing)
    try:
        return await lookup.head(each.key, each.version_id)
    except S3Error as error:
        if error.kind is not Kind.DENIED:
            raise
        is_there, missing = await _read_tags(each.key, each.version_id, checker, lookup)
        if not is_there:
            return None
        if missing is None:
            raise
    if each.scan is None:
        return waits(missing)
    return await _of_scan(each, each.scan, checker, lookup)


async def exists(key: str, version_id: str | None, invocation: Invocation, lookup: Lookup) -> bool:
    """Tell whether there is an object, also if it may not be read.

    Raises:
        S3Error: when that cannot be determined.
    """
    checker = invocation.checker(None)
    if checker is None:
        return await lookup.head(key, version_id) is not None
    is_there, _ = await _read_tags(key, version_id, checker, lookup)
    return is_there


async def _of_scan(
    each: KeyRequest, scan: ScanResult, checker: TagChecker, lookup: Lookup
) -> KeyResult:
    """Return the result of a scan whose key holds an object that may not be read."""
    if scan.version_id is not None:
        is_there, missing = await _read_tags(each.key, scan.version_id, checker, lookup)
        if missing is None or not is_there:
            return REPLACED
    listed = await lookup.listed(each.key)
    if listed is not None and not etags_match(listed.etag, scan.etag):
        return REPLACED
    return not_tagged_yet(scan)


async def _read_tags(
    key: str, version_id: str | None, checker: TagChecker, lookup: Lookup
) -> tuple[bool, Tag | None]:
    """Tell whether there is an object, and return a tag that it lacks."""
    try:
        return True, await checker.missing(key, version_id)
    except S3Error as error:
        if version_id is not None and error.status == _IS_DELETE_MARKER:
            # The HEAD request will report it.
            return True, None
        if error.kind is not Kind.MISSING:
            raise
    await lookup.check_bucket()
    return False, None


def waits(tag: Tag) -> KeyResult:
    """Return the result of an object that lacks a tag."""
    return KeyResult(Outcome.WAITING, f"{lacks(tag)}; it stays at the source")


def not_tagged_yet(scan: ScanResult) -> KeyResult:
    """Return the result of a scan whose tag is not there yet; the event is delivered again."""
    reason = f"its scan ended as {scan.status}, but the object does not have that tag yet"
    return KeyResult(Outcome.WAITING, f"{reason}; it stays at the source", retrying_helps=True)
