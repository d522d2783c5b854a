"""Compares destination objects with the planned copies; writes nothing.

Runs and dry runs share these decisions.
"""

from dataclasses import dataclass, replace

from frogmove.core.attributes import AttributeReader, AttributeValues, describe_attributes
from frogmove.core.conflict import superseded
from frogmove.core.content import ContentComparer
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, Effect, Outcome, Result, Route, Verb
from frogmove.core.options import TransferOptions
from frogmove.core.scheduler import wait_for
from frogmove.core.tags import other_tags
from frogmove.core.verify import Match, Verify, compare, has_key, same_attributes
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import NULL_VERSION, Copy, Head, S3Object

OTHER_ANNOTATIONS = "the same bytes, but with other annotations"


@dataclass(frozen=True, slots=True)
class Occupied:
    """An object at the key that a copy would get.

    Attributes:
        copy: the copy, with the source's ETag in the form that the server accepts.
        source: the source object.
        there: the object at the destination.
    """

    copy: Copy
    source: Head
    there: Head


@dataclass(frozen=True, slots=True)
class DestinationCheck:
    """Checks the destinations of the copies of one run.

    Attributes:
        s3: the client for both buckets.
        route: source and destination.
        options: how objects are copied.
        source: looks up objects in the source bucket.
        attributes: reads the attributes that S3 does not copy.
        content: compares bytes where ETags and checksums are inconclusive.
    """

    s3: S3
    route: Route
    options: TransferOptions
    source: Lookup
    attributes: AttributeReader
    content: ContentComparer

    @classmethod
    def make(cls, s3: S3, route: Route, options: TransferOptions) -> "DestinationCheck":
        """Create the check of a run."""
        strict = options.verify is Verify.STRICT
        return cls(
            s3,
            route,
            options,
            Lookup(s3, route.source.bucket),
            AttributeReader(s3, options.carry, options.features, strict=strict),
            ContentComparer(s3, options.max_compare_size),
        )

    async def first_copy(
        self, action: Action, to_bucket: str | None = None
    ) -> tuple[Copy, AttributeValues]:
        """Return the copy to try first, and the source's attributes that S3 does not copy.

        Args:
            action: the object and its destination key.
            to_bucket: the bucket to copy to; by default the route's destination.

        Raises:
            S3Error: when a request failed.
        """
        copy = Copy(
            bucket=self.route.source.bucket,
            source=_pinned(action),
            to_bucket=to_bucket or self.route.destination.bucket,
            to_key=action.destination_key,
            replaces=action.replaces,
        )
        if not self.attributes.kinds:
            return copy, {}
        source = await self.source.find(copy.source)
        if source is None or not etags_match(source.object.etag, copy.source.etag):
            return copy, {}
        found = await self.attributes.of_source(copy.bucket, source)
        return replace(copy, attributes=self.attributes.parameters(found)), found

    async def look_up(self, action: Action, copy: Copy) -> Copy | Occupied | Result:
        """Look up both ends of a copy.

        Returns:
            the copy to try, if its destination key is free; the object at that key; or the action's
            result, if the source is not the object that was listed.

        Raises:
            S3Error: when a request failed.
        """
        item = action.object
        source = await self.source.find(item)
        if source is None:
            return Result(action, Outcome.GONE, "no longer at the source")
        if not etags_match(source.object.etag, item.etag):
            return superseded(action, "nothing was copied")
        # Some servers list ETags in a form that they do not accept in conditions.
        copy = replace(copy, source=copy.source._replace(etag=source.object.etag))
        there = await self.head(copy.to_bucket, copy.to_key)
        if there is not None:
            return Occupied(copy, source, there)
        if action.verb is Verb.RESTORE and action.replaces is not None:
            return Result(action, Outcome.GONE, "the object it should replace is gone")
        if action.effect in {Effect.REPLACE, Effect.ALREADY_THERE}:
            return Result(action, Outcome.CONFLICT, _NO_LONGER_THERE, copy.to_key)
        return replace(copy, replaces=None, replaces_version=None)

    async def difference(self, seen: Occupied, found: AttributeValues) -> str:
        """Describe how the destination differs from a copy of the source; empty if it does not.

        Annotations are not compared.

        Args:
            seen: the objects of both sides.
            found: the source's attributes that S3 does not copy.

        Raises:
            S3Error: when a request failed.
        """
        copy, source, there = seen.copy, seen.source, seen.there
        other = await self._describe_difference(copy, source, there)
        if copy.attributes and not other:
            lacking = await self.attributes.missing(found, copy.to_bucket, there)
            if self.attributes.requires(lacking):
                return f"the same bytes, but without the source's {describe_attributes(lacking)}"
        return other

    async def _describe_difference(self, copy: Copy, source: Head, there: Head) -> str:
        verdict = compare(source, there).match
        if verdict is Match.UNKNOWN:
            verdict = await self.compare_bytes(copy, source.object, there.object)
        if verdict is Match.UNKNOWN:
            return (
                "something of the same size that is too large to compare "
                f"(over {self.options.max_compare_size:,} bytes)"
            )
        if verdict is Match.DIFFERENT:
            return "something else"
        if not same_attributes(source, there):
            return "the same bytes, but with other content headers or metadata"
        if not has_key(there, self.options.kms_key_id):
            return "the same bytes, but not encrypted with the requested KMS key"
        return await other_tags(self.s3, copy, there)

    async def compare_bytes(self, copy: Copy, source: S3Object, there: S3Object) -> Match:
        """Compare the bytes of a copy's two sides; see :class:`ContentComparer`."""
        return await self.content.compare((copy.bucket, source), (copy.to_bucket, there))

    async def head(self, bucket: str, key: str, version_id: str | None = None) -> Head | None:
        """Look up one object; None if it does not exist.

        Raises:
            S3Error: when the request fails.
        """
        if bucket == self.route.source.bucket:
            return await self.source.head(key, version_id)
        try:
            return await wait_for(self.s3.head(bucket, key, version_id))
        except S3Error as error:
            if error.kind is Kind.MISSING:
                return None
            raise

    async def identify(self, action: Action) -> Action | Result:
        """Return the action with its object identified; or its result, if it must not move.

        The id ``null`` does not identify a version: it may refer to other bytes later. A copy
        deletes nothing, so any version is fine.

        Raises:
            S3Error: when a request failed.
        """
        item = action.object
        if item.version_id != NULL_VERSION or action.verb is Verb.COPY:
            return action
        current = await self.source.head(item.key)
        if current is None or current.object.etag != item.etag:
            return Result(action, Outcome.FAILED, _NOT_CURRENT)
        return replace(action, object=item._replace(version_id=None))


_NO_LONGER_THERE = (
    "the destination no longer holds the object that it held when this was planned; source kept"
)

_NOT_CURRENT = (
    "the version null is not the current one, and S3 cannot delete it conditionally; nothing was "
    "copied, source kept. Delete the newer version first, or use frogmove copy"
)


def may_be_itself(source: S3Object, there: S3Object) -> bool:
    """Tell whether the destination object may be the source object under another name.

    The bucket may have two names, and some servers take ``a//b`` for ``a/b``.
    """
    same_time = source.last_modified == there.last_modified
    return same_time and etags_match(source.etag, there.etag)


def _pinned(action: Action) -> S3Object:
    """Return the object to copy, with its version, if one is known."""
    item = action.object
    return item if action.pinned is None else item._replace(version_id=action.pinned)
