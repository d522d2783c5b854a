"""Holds back objects without the required tags, such as those that a scanner sets on clean objects.

An ETag says nothing about tags: a tagged object may be replaced by an untagged one with the same
ETag. If the bucket keeps versions, the tags of one version are read and exactly that version is
copied. Otherwise the object must be the same before and after its tags were read.

Permission to read an object may depend on its tags, so its tags are read first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, Verb
from frogmove.core.scheduler import run_in_order, run_tasks, wait_for
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.models import NULL_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Event

    from frogmove.core.required_tags import Tag
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head, S3Object

_CHANGED = "it changed while its tags were read"


class TagChecker:
    """Checks the tags of objects of one bucket.

    Args:
        s3: the client.
        bucket: the bucket.
        tags: the required tags.

    Attributes:
        tags: the same.
    """

    def __init__(self, s3: S3, bucket: str, tags: Iterable[Tag]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self.tags = tuple(tags)
        self._lookup = Lookup(s3, bucket)

    async def check(self, action: Action, seen: Head | None = None) -> Action:
        """Return an action unchanged if its object has the tags.

        Args:
            action: an action; only one that copies is held back.
            seen: a recent HEAD response of its object, if there is one.

        Returns:
            the action, pinned to the version whose tags were read if the bucket keeps versions; or
            an action with the verb WAIT.

        Raises:
            S3Error: when its tags cannot be read.
        """
        if action.verb not in {Verb.MOVE, Verb.COPY, Verb.COMPARE}:
            return action
        try:
            return await self._checked(action, seen)
        except S3Error as error:
            if _is_gone(error):
                return _gone(action)
            if error.kind is not Kind.DENIED or not await self._lacks_tags(action.object):
                raise
            return _wait(action, _CHANGED)

    async def has_tags(self, item: S3Object) -> bool:
        """Tell whether an object has the tags.

        Raises:
            S3Error: when they cannot be read.
        """
        return not await self.missing(item.key, item.version_id)

    async def missing(self, key: str, version_id: str | None) -> Tag | None:
        """Return a tag that an object lacks; None if it has all.

        Raises:
            S3Error: when its tags cannot be read.
        """
        there = await wait_for(self._s3.tags(self._bucket, key, version_id))
        return next((tag for tag in self.tags if there.get(tag.key) != tag.value), None)

    async def _checked(self, action: Action, seen: Head | None) -> Action:
        item = action.object
        if seen is None:
            missing = await self.missing(item.key, item.version_id)
            if missing:
                return _wait(action, lacks(missing))
        seen = seen or await self._lookup.head(item.key, item.version_id)
        if seen is None:
            return _gone(action)
        if not etags_match(seen.object.etag, item.etag):
            return _wait(action, "it was replaced after it was listed")
        version = item.version_id or seen.version_id
        pinned = None if version == NULL_VERSION else version
        missing = await self.missing(item.key, pinned or item.version_id)
        if missing:
            return _wait(action, lacks(missing))
        if pinned is None:
            again = await self._lookup.head(item.key, item.version_id)
            if again is None:
                return _gone(action)
            if not _is_same(seen, again):
                return _wait(action, _CHANGED)
        return replace(action, pinned=pinned)

    async def _lacks_tags(self, item: S3Object) -> bool:
        """Tell whether the current object at a key is known to lack the tags."""
        try:
            return not await self.has_tags(item)
        except S3Error:
            return False


def lacks(tag: Tag) -> str:
    """Return why an object waits that lacks a tag."""
    return f"it does not have the tag {tag}"


def hold_back_untagged(
    actions: Iterable[Action],
    checker: TagChecker,
    size: int,
    stop: Event,
    *,
    is_reviewed: bool = False,
) -> Iterator[Action]:
    """Turn each action whose object lacks a tag into WAIT; yield other actions unchanged.

    An object that had the tags when its plan was made is a CONFLICT instead.

    Args:
        actions: a plan.
        checker: checks the tags.
        size: maximum concurrent checks.
        stop: once set, no further action is started.
        is_reviewed: whether the actions are those of a reviewed plan.

    Yields:
        the actions, in the order in which they are resolved.

    Raises:
        S3Error: when the error affects every object.
    """
    if not checker.tags:
        return iter(actions)

    async def one(action: Action) -> Action:
        try:
            checked = await checker.check(action)
        except S3Error as error:
            if error.ends_the_run:
                raise
            reason = describe(error, "Its tags could not be read, and nothing was copied")
            return _otherwise(action, Verb.REFUSE, reason)
        if is_reviewed and checked.verb is not action.verb:
            return _otherwise(action, Verb.CONFLICT, checked.reason)
        return checked

    return run_tasks((one(action) for action in actions), size, stop)


def only_tagged(objects: Iterable[S3Object], checker: TagChecker, size: int) -> Iterator[S3Object]:
    """Yield the objects that have the tags, in their order.

    Args:
        objects: a listing.
        checker: checks the tags.
        size: maximum concurrent checks.

    Raises:
        S3Error: when tags cannot be read.
    """

    async def one(item: S3Object) -> S3Object | None:
        try:
            return item if await checker.has_tags(item) else None
        except S3Error as error:
            if _is_gone(error):
                return None
            raise

    return (item for item in run_in_order(one, objects, size) if item is not None)


def _is_gone(error: S3Error) -> bool:
    return error.kind is Kind.MISSING and error.code != "NoSuchBucket"


def _is_same(one: Head, other: Head) -> bool:
    return (
        etags_match(one.object.etag, other.object.etag)
        and one.object.last_modified == other.object.last_modified
    )


def _wait(action: Action, why: str) -> Action:
    return _otherwise(action, Verb.WAIT, f"{why}; it stays at the source")


def _gone(action: Action) -> Action:
    return _otherwise(action, Verb.SKIP, "no longer at the source")


def _otherwise(action: Action, verb: Verb, reason: str) -> Action:
    # The forecast of a reviewed plan is that of its transfer.
    return replace(action, verb=verb, reason=reason, forecast=None)
