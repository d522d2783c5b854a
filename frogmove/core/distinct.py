"""Whether two places are one under two names, as behind an access-point alias."""

import contextlib
import uuid
from datetime import UTC, datetime

from frogmove.core.window import Answer
from frogmove.s3 import S3, Copied, Copy, Deletion, Head, S3Object
from frogmove.s3.failure import Kind, S3Error
from frogmove.s3.uri import Location, is_access_point

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
_ALIAS_ENDINGS = ("-s3alias", "-ext-s3alias")

_OTHER_ETAG = "0" * 32


def may_be_alias(bucket: str) -> bool:
    """Tell whether a bucket's name is that of an access point, behind which is another bucket."""
    return is_access_point(bucket) or bucket.endswith(_ALIAS_ENDINGS)


async def are_one(s3: S3, looked_at: Location, written_to: Location) -> bool:
    """Find out by something that is begun at one place and looked for at the other.

    Between buckets of AWS, and where a throw-away key could not be deleted again, that is a
    multipart upload, which no reader sees and which sets off no notification. Elsewhere uploads
    do not tell: some servers take two keys for one only once they are written.

    Raises:
        S3Error: when that cannot be done.
    """
    name = f".frogmove-probe-{uuid.uuid4().hex}"
    here = Location(looked_at.bucket, looked_at.prefix + name)
    there = Location(written_to.bucket, written_to.prefix + name)
    if may_be_alias(here.bucket) or may_be_alias(there.bucket):
        return await _share_an_upload(s3, here, there)
    try:
        await Answer(s3.delete(there.bucket, Deletion(there.prefix, _OTHER_ETAG)))
    except S3Error as error:
        if error.kind is Kind.DENIED:
            return await _share_an_upload(s3, here, there)
    return await _share_a_key(s3, here, there)


async def _share_an_upload(s3: S3, here: Location, there: Location) -> bool:
    nothing = S3Object(there.prefix, 0, "", datetime.now(UTC))
    copy = Copy(there.bucket, nothing, there.bucket, there.prefix)
    upload_id = await Answer(s3.create_upload(copy, Head(nothing), {}, None))
    try:
        await Answer(s3.list_parts(here.bucket, here.prefix, upload_id))
    except S3Error as error:
        if error.kind is not Kind.NO_UPLOAD:
            raise
        return False
    else:
        return True
    finally:
        with contextlib.suppress(S3Error):
            await Answer(s3.abort_upload(there.bucket, there.prefix, upload_id))


async def _share_a_key(s3: S3, here: Location, there: Location) -> bool:
    sent = s3.put(there.bucket, there.prefix, b"frogmove asks where this is")
    written: Copied | None = None
    try:
        written = await Answer(sent)
        seen = await Answer(s3.head(here.bucket, here.prefix))
    except S3Error as error:
        if error.kind is not Kind.MISSING:
            raise
        return False
    else:
        return seen.object.etag == written.etag
    finally:
        version_id = written.version_id if written is not None else None
        with contextlib.suppress(S3Error):
            await Answer(s3.delete(there.bucket, Deletion(there.prefix, None, version_id)))
