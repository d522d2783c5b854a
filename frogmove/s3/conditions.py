"""Which conditional requests a server honours; many S3-compatible ones silently ignore some."""

import contextlib
import uuid
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from frogmove.s3 import S3, Copy, Deletion, S3Error, S3Object
from frogmove.s3.failure import Kind

_OTHER_ETAG = "0" * 32


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which conditions a server honours rather than ignores.

    Attributes:
        copy_source: a copy only of the ETag named.
        copy_destination: a copy only where the destination holds nothing, or what was named.
        delete: a delete only of the ETag named.
        delete_many: the same for each key of a batch.
    """

    copy_source: bool
    copy_destination: bool
    delete: bool
    delete_many: bool

    @property
    def ignored(self) -> list[str]:
        """The conditions the server ignores, in words."""
        words = {
            "copy-source-if-match": self.copy_source,
            "if-none-match on copies": self.copy_destination,
            "if-match on deletes": self.delete,
            "ETags in batched deletes": self.delete_many,
        }
        return [name for name, honoured in words.items() if not honoured]


# Copies and deletes with conditions, per key in batches too, since 2025.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
ALL = Conditions(copy_source=True, copy_destination=True, delete=True, delete_many=True)


def probe(s3: S3, bucket: str, prefix: str) -> Conditions:
    """Find out what a server honours, by requests that it must refuse.

    Works on two throw-away keys under the destination's prefix and deletes them again. The
    source is left alone, as objects there set off notifications.

    Args:
        s3: the server.
        bucket: the destination bucket.
        prefix: the destination prefix.

    Raises:
        S3Error: when the throw-away keys cannot be written.
    """
    key = f"{prefix}.frogmove-probe-{uuid.uuid4().hex}"
    other = key + "-copy"
    written = s3.put(bucket, key, b"frogmove asks which conditions this server honours").result()
    # By version, where there are versions: a plain delete would leave a marker for ever.
    left = [Deletion(key, None, written.version_id)]

    def is_refused(source: S3Object, *, guarded: bool) -> bool:
        copied = s3.copy(Copy(bucket, source, bucket, other, guard_destination=guarded))
        if copied.exception() is None:
            left.append(Deletion(other, None, copied.result().version_id))
        return _refuses(copied)

    try:
        seen = s3.head(bucket, key).result().object
        copy_source = is_refused(seen._replace(etag=_OTHER_ETAG), guarded=False)
        is_refused(seen, guarded=False)  # Now there is something that a copy must not replace.
        copy_destination = is_refused(seen, guarded=True)
        delete = _refuses(s3.delete(bucket, Deletion(key, _OTHER_ETAG)))
        batch = s3.delete_many(bucket, [Deletion(other, _OTHER_ETAG)]).result()
        return Conditions(copy_source, copy_destination, delete, _changed(batch[other]))
    finally:
        for deletion in left:
            with contextlib.suppress(S3Error):
                s3.delete(bucket, deletion).result()


def _refuses(future: Future[Any]) -> bool:
    error = future.exception()
    if error is not None and not isinstance(error, S3Error):
        raise error
    return _changed(error)


def _changed(error: S3Error | None) -> bool:
    return error is not None and error.kind is Kind.CHANGED
