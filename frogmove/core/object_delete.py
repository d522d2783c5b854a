"""Deletes objects, each only if it has not changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from frogmove.core.batch_delete import BatchDeleter
from frogmove.core.lookup import Lookup
from frogmove.core.scheduler import wait_for
from frogmove.s3.capabilities import Capabilities
from frogmove.s3.errors import MALFORMED, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import Deletion, Head, S3Object

# Attempts for single keys that fail in a successful batch response; a failed batch is retried as a
# whole.
DELETE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """The result of a delete; without any of these, the object is deleted.

    Attributes:
        has_changed: whether the key holds another object, which was not deleted.
        error: why it may still exist.
        note: a remark for the operator.
    """

    has_changed: bool = False
    error: S3Error | None = None
    note: str = ""


class ObjectDeleter:
    """Deletes objects of one bucket, each on the condition that it has not changed.

    Args:
        s3: the client.
        lookup: looks up objects of the bucket.
        bucket: the bucket.
        capabilities: the conditions that the server honours.
        before: called before each request is sent.

    Attributes:
        batches: the deletes that wait for their batch.
    """

    def __init__(
        self,
        s3: S3,
        lookup: Lookup,
        bucket: str,
        capabilities: Capabilities,
        before: Callable[[], None],
    ) -> None:
        self._capabilities = capabilities
        self._lookup = lookup
        batched = capabilities.delete and capabilities.delete_many
        self.batches = BatchDeleter(s3, bucket, before, batched=batched)

    async def delete(self, item: S3Object) -> DeleteResult:
        """Delete an object if it has not changed.

        Raises:
            S3Error: when that cannot be determined.
        """
        deletion = self._deletion(item)
        note = "" if deletion.seen is None else "checked by HEAD, then deleted"
        refusal = await self._delete(deletion)
        if refusal is not None and (refusal.kind is Kind.CHANGED or _is_unclear(refusal)):
            # Some servers return the same for a missing key, as after a delete whose response was
            # lost; and a 404 may be a gateway's, or that of a missing bucket.
            left = await self._head_after_refusal(item)
            if left is None:
                return DeleteResult(note=note)
            if not etags_match(left.object.etag, item.etag):
                return DeleteResult(has_changed=True)
            if left.object.etag != item.etag:
                # Some servers list ETags in a form that they do not accept in conditions.
                refusal = await self._delete(self._deletion(left.object))
        is_gone = refusal is None or (refusal.kind is Kind.MISSING and not _is_unclear(refusal))
        return DeleteResult(note=note) if is_gone else DeleteResult(error=refusal)

    async def _head_after_refusal(self, item: S3Object) -> Head | None:
        """Look up an object whose delete was refused; None if it is gone."""
        seen = await self._lookup.head(item.key, item.version_id)
        if seen is None or etags_match(seen.object.etag, item.etag):
            return seen
        return await self._lookup.find(item)

    def _deletion(self, item: S3Object) -> Deletion:
        """Return a delete that applies only to the listed object."""
        if item.version_id is not None or self._capabilities.delete:
            return Deletion(item.key, item.etag, item.version_id)
        condition = item.etag if self._capabilities.sends("delete") else None
        return Deletion(item.key, condition, seen=item.etag)

    async def _delete(self, deletion: Deletion) -> S3Error | None:
        for _ in range(DELETE_ATTEMPTS):
            refusal = await wait_for(self.batches.add(deletion))
            if refusal is not None and refusal.kind is Kind.REFUSED and deletion.seen is not None:
                # The condition itself may have been refused: use a HEAD request instead.
                deletion = replace(deletion, etag=None)
            elif refusal is None or not refusal.retrying_helps:
                break
        return refusal


def _is_unclear(error: S3Error) -> bool:
    """Tell whether the response to a delete does not say whether the key exists."""
    if error.kind is Kind.MISSING:
        return error.code not in {"NoSuchKey", "NoSuchVersion"}
    return error.code == MALFORMED
