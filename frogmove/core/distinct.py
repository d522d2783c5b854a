"""Whether two places are one under two names, as behind an access-point alias."""

import contextlib
import uuid

from frogmove.core.window import Answer
from frogmove.s3 import S3, Deletion
from frogmove.s3.failure import Kind, S3Error
from frogmove.s3.uri import Location, is_access_point

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
_ALIAS_ENDINGS = ("-s3alias", "-ext-s3alias")


def may_be_alias(bucket: str) -> bool:
    """Tell whether a bucket's name is that of an access point, behind which is another bucket."""
    return is_access_point(bucket) or bucket.endswith(_ALIAS_ENDINGS)


async def are_one(s3: S3, looked_at: Location, written_to: Location) -> bool:
    """Find out by writing a throw-away key to one place and looking for it at the other.

    Raises:
        S3Error: when that cannot be done.
    """
    name = f".frogmove-probe-{uuid.uuid4().hex}"
    bucket, key = written_to.bucket, written_to.prefix + name
    written = await Answer(s3.put(bucket, key, b"frogmove asks where this is"))
    try:
        seen = await Answer(s3.head(looked_at.bucket, looked_at.prefix + name))
    except S3Error as error:
        if error.kind is not Kind.MISSING:
            raise
        return False
    else:
        return seen.object.etag == written.etag
    finally:
        with contextlib.suppress(S3Error):
            await Answer(s3.delete(bucket, Deletion(key, None, written.version_id)))
