"""What an object has that no single copy carries: carried where asked for, else said.

A website redirect, retention, a legal hold and an ACL belong to one object and do not follow it.
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
    """Something that belongs to one object and is carried on request."""

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

# Each by its names in HEAD, which are those of a copy's parameters.
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

# What an object has, by attribute: the parameters that give it to a copy.
Found = dict[Attribute, "Mapping[str, Any]"]


def parse_attributes(text: str) -> frozenset[Attribute]:
    """Read a list of attributes, separated by commas.

    Raises:
        UsageError: when one is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Attribute)]
    if unknown:
        raise UsageError(
            f"Unknown attribute {unknown[0]!a}.", f"What can be carried: {', '.join(Attribute)}."
        )
    return frozenset(map(Attribute, names))


def in_words(missing: Found) -> str:
    """Name for people what a copy lacks."""
    return ", ".join(
        words if missing[attribute] else f"{words} (if it has any: {_LOCKS[attribute]} is denied)"
        for attribute, words in _WORDS.items()
        if attribute in missing
    )


def warnings(features: BucketFeatures, carry: frozenset[Attribute]) -> list[str]:
    """Say once a run what is not said for each object."""
    said = []
    if Feature.ACLS in features.on and Attribute.ACL not in carry:
        said.append(
            "The source bucket uses ACLs, which are not carried: access follows the destination "
            "bucket. --carry acl carries them."
        )
    unknown = ", ".join(feature for feature in Feature if feature in features.unknown)
    if unknown:
        said.append(
            f"It is not known whether the source bucket uses {unknown}: redirects, retention, "
            "legal holds and ACLs are carried only where --carry asks for them. To know, allow "
            "s3:GetBucketWebsite, s3:GetBucketObjectLockConfiguration and "
            "s3:GetBucketOwnershipControls."
        )
    return said


class AttributeReader:
    """Reads what objects have, where they may have any of it.

    Args:
        s3: where the buckets are.
        carry: what is to be carried.
        features: those of the source bucket.
        strict: whether a copy that lacks one of them is refused.

    Attributes:
        kinds: what an object of the source may have, as far as it matters.
    """

    def __init__(
        self, s3: S3, carry: frozenset[Attribute], features: BucketFeatures, *, strict: bool
    ) -> None:
        self._s3 = s3
        self._carry = carry
        self._insist = frozenset(Attribute) if strict else carry
        self._told: set[Attribute] = set()
        kinds = self._insist & {Attribute.REDIRECT, Attribute.ACL}
        if Attribute.ACL not in carry and Feature.ACLS not in features.on:
            kinds -= {Attribute.ACL}
        if Feature.WEBSITE in features.on:
            kinds |= {Attribute.REDIRECT}
        if Feature.OBJECT_LOCK in features.on:
            kinds |= _LOCKS.keys()
        elif Feature.OBJECT_LOCK in features.unknown:
            kinds |= _LOCKS.keys() & self._insist
        self.kinds = kinds

    def parameters(self, found: Found) -> dict[str, Any]:
        """Return what tells a copy to carry what is to be carried."""
        return {
            name: value
            for attribute in self._carry & found.keys()
            for name, value in found[attribute].items()
        }

    async def of_source(self, bucket: str, head: Head) -> Found:
        """Return what an object of the source has; nothing known of an attribute is empty.

        Raises:
            S3Error: when it may not be known and has to be.
        """
        found = await self._read(bucket, head, self.kinds)
        item = head.object
        for attribute in (_LOCKS.keys() & self.kinds) - found.keys() - self._told:
            # HEAD leaves out what one may not know, and says nothing of it.
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
            asked = self._s3.read_lock(bucket, item.key, item.version_id, _LOCKS[attribute])
            try:
                await wait_for(asked)
            except S3Error as error:
                if error.kind is not Kind.DENIED or attribute in self._insist:
                    raise
                found[attribute] = {}
            else:
                self._told.add(attribute)
        return found

    async def missing(self, found: Found, bucket: str, head: Head) -> Found:
        """Return what the source has and an object at the destination has not."""
        there = await self._read(bucket, head, frozenset(found))
        return {
            attribute: value
            for attribute, value in found.items()
            if not value or not _covers(there.get(attribute, {}), value)
        }

    def insists_on(self, missing: Found) -> bool:
        """Tell whether a copy that lacks these is refused."""
        return not self._insist.isdisjoint(missing)

    async def _read(self, bucket: str, head: Head, kinds: frozenset[Attribute]) -> Found:
        found: Found = {}
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
    """Tell whether retention is in effect; one that has ended cannot be given to a copy."""
    until = head.lock.get(_UNTIL)
    if until is not None:
        return bool(until > datetime.now(UTC))
    return head.lock.get("ObjectLockEventHold") == "ON"


def _covers(there: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Tell whether a copy has what its source has; the bucket's own rule may keep it longer."""
    if there == value:
        return True
    if _UNTIL not in there or _UNTIL not in value:
        return False
    is_as_strict = there[_MODE] in {value[_MODE], "COMPLIANCE"}
    return is_as_strict and bool(there[_UNTIL] >= value[_UNTIL])
