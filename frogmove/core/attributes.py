"""Attributes that S3 does not copy: they are copied on request, or else reported.

A website redirect, retention, a legal hold and an ACL are not copied with an object.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from frogmove.core.scheduler import wait_for
from frogmove.errors import UsageError
from frogmove.s3.bucket_features import Feature
from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.s3.bucket_features import BucketFeatures
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head


class Attribute(StrEnum):
    """An attribute of an object that is copied only on request."""

    REDIRECT = "redirect"
    RETENTION = "retention"
    LEGAL_HOLD = "legal-hold"
    ACL = "acl"


_WORDS = {
    Attribute.REDIRECT: "website redirect",
    Attribute.RETENTION: "retention",
    Attribute.LEGAL_HOLD: "legal hold",
    Attribute.ACL: "ACL",
}

# The names of each in a HEAD response, which are also the parameters of a copy.
_MODE, _UNTIL = "ObjectLockMode", "ObjectLockRetainUntilDate"
_RETENTION = (
    _MODE,
    _UNTIL,
    "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays",
    "ObjectLockEventHoldDurationYears",
)
_HOLD = "ObjectLockLegalHoldStatus"

_LOCKS = {
    Attribute.RETENTION: "GetObjectRetention",
    Attribute.LEGAL_HOLD: "GetObjectLegalHold",
}

# The attributes of an object, each with the parameters that a copy needs to get it.
AttributeValues = dict[Attribute, "Mapping[str, Any]"]


def parse_attributes(text: str) -> frozenset[Attribute]:
    """Parse a comma-separated list of attributes.

    Raises:
        UsageError: when a name is unknown.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Attribute)]
    if unknown:
        raise UsageError(
            f"Unknown attribute {unknown[0]!a}.", f"Known attributes: {', '.join(Attribute)}."
        )
    return frozenset(map(Attribute, names))


def describe_attributes(missing: AttributeValues) -> str:
    """Format the attributes that a copy lacks, for a message."""
    return ", ".join(
        words if missing[attribute] else f"{words} (if it has any: {_LOCKS[attribute]} is denied)"
        for attribute, words in _WORDS.items()
        if attribute in missing
    )


def warnings(features: BucketFeatures, carry: frozenset[Attribute]) -> list[str]:
    """Return warnings that are printed once per run, not per object."""
    messages = []
    if Feature.ACLS in features.on and Attribute.ACL not in carry:
        messages.append(
            "The source bucket uses ACLs, which are not copied: the copies get the access rules of "
            "the destination bucket. To copy them, use --carry acl."
        )
    unknown = ", ".join(feature for feature in Feature if feature in features.unknown)
    if unknown:
        messages.append(
            f"It cannot be determined whether the source bucket uses {unknown}: redirects, "
            "retention, legal holds and ACLs are copied only with --carry. To check, allow "
            "s3:GetBucketWebsite, s3:GetBucketObjectLockConfiguration and "
            "s3:GetBucketOwnershipControls."
        )
    return messages


class AttributeReader:
    """Reads the attributes of objects, if the source bucket uses them.

    Args:
        s3: the client for both buckets.
        carry: the attributes to copy.
        features: the features of the source bucket.
        strict: whether a copy that lacks one of them fails.

    Attributes:
        kinds: the attributes that objects of the source may have and that must be checked.
    """

    def __init__(
        self, s3: S3, carry: frozenset[Attribute], features: BucketFeatures, *, strict: bool
    ) -> None:
        self._s3 = s3
        self._carry = carry
        self._required = frozenset(Attribute) if strict else carry
        self._readable: set[Attribute] = set()
        kinds = self._required & {Attribute.REDIRECT, Attribute.ACL}
        if Attribute.ACL not in carry and Feature.ACLS not in features.on:
            kinds -= {Attribute.ACL}
        if Feature.WEBSITE in features.on:
            kinds |= {Attribute.REDIRECT}
        if Feature.OBJECT_LOCK in features.on:
            kinds |= _LOCKS.keys()
        elif Feature.OBJECT_LOCK in features.unknown:
            kinds |= _LOCKS.keys() & self._required
        self.kinds = kinds

    def parameters(self, found: AttributeValues) -> dict[str, Any]:
        """Return the copy parameters for the attributes to copy."""
        return {
            name: value
            for attribute in self._carry & found.keys()
            for name, value in found[attribute].items()
        }

    async def of_source(self, bucket: str, head: Head) -> AttributeValues:
        """Return the attributes of a source object.

        Raises:
            S3Error: when one is denied and has to be copied.
        """
        found = await self._read(bucket, head, self.kinds)
        item = head.object
        for attribute in (_LOCKS.keys() & self.kinds) - found.keys() - self._readable:
            # HEAD silently omits attributes that the caller has no permission to read.
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
            request = self._s3.read_lock(bucket, item.key, item.version_id, _LOCKS[attribute])
            try:
                await wait_for(request)
            except S3Error as error:
                if error.kind is not Kind.DENIED or attribute in self._required:
                    raise
                found[attribute] = {}
            else:
                self._readable.add(attribute)
        return found

    async def missing(self, found: AttributeValues, bucket: str, head: Head) -> AttributeValues:
        """Return the source's attributes that an object at the destination lacks."""
        there = await self._read(bucket, head, frozenset(found))
        return {
            attribute: value
            for attribute, value in found.items()
            if not value or not _covers(there.get(attribute, {}), value)
        }

    def requires(self, missing: AttributeValues) -> bool:
        """Tell whether a copy that lacks these fails."""
        return not self._required.isdisjoint(missing)

    async def _read(self, bucket: str, head: Head, kinds: frozenset[Attribute]) -> AttributeValues:
        found: AttributeValues = {}
        redirect = head.headers.get("WebsiteRedirectLocation")
        if redirect:
            found[Attribute.REDIRECT] = {"WebsiteRedirectLocation": redirect}
        if _is_kept(head):
            found[Attribute.RETENTION] = {
                name: head.lock[name] for name in _RETENTION if name in head.lock
            }
        if head.lock.get(_HOLD) == "ON":
            found[Attribute.LEGAL_HOLD] = {_HOLD: "ON"}
        if Attribute.ACL in kinds:
            item = head.object
            grants = await wait_for(self._s3.read_grants(bucket, item.key, item.version_id))
            if grants:
                found[Attribute.ACL] = grants
        return {attribute: value for attribute, value in found.items() if attribute in kinds}


def _is_kept(head: Head) -> bool:
    """Tell whether retention is in effect; S3 refuses one that has ended."""
    until = head.lock.get(_UNTIL)
    if until is not None:
        return bool(until > datetime.now(UTC))
    return head.lock.get("ObjectLockEventHold") == "ON"


def _covers(there: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Tell whether a copy has its source's attribute; its retention may be longer."""
    if there == value:
        return True
    if _UNTIL not in there or _UNTIL not in value:
        return False
    is_as_strict = there[_MODE] in {value[_MODE], "COMPLIANCE"}
    return is_as_strict and bool(there[_UNTIL] >= value[_UNTIL])
