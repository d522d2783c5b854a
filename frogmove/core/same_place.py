"""Checks whether two names mean the same bucket, or two keys the same object.

An access point is another name of a bucket, some servers give a bucket several names, and some
treat ``a//b`` as ``a/b``.
"""

from contextlib import suppress

from frogmove.core.scheduler import wait_for
from frogmove.s3.capabilities import OTHER_ETAG, as_written, probe_name
from frogmove.s3.empty_upload import create_empty_upload
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import Copied, Deletion
from frogmove.s3.uri import Location, is_access_point

# No bucket's name ends with them.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_ALIAS_ENDINGS = ("-s3alias", "--ol-s3")


def may_be_alias(bucket: str) -> bool:
    """Tell whether a name may be that of an access point for another bucket."""
    return is_access_point(bucket) or bucket.endswith(_ALIAS_ENDINGS)


async def is_same_place(s3: S3, read_from: Location, written_to: Location) -> bool:
    """Find out by writing to one place and reading from the other.

    Behind an access point, and where a temporary key could not be deleted, that is a multipart
    upload, which is invisible to readers and triggers no notification. Otherwise it is a temporary
    key: some servers treat two keys as one only when they are written.

    Raises:
        S3Error: when a request fails.
    """
    name = probe_name()
    here = Location(read_from.bucket, read_from.prefix + name)
    there = Location(written_to.bucket, written_to.prefix + name)
    if may_be_alias(here.bucket) or may_be_alias(there.bucket):
        return await _shares_upload(s3, here, there)
    try:
        await wait_for(s3.delete(there.bucket, Deletion(there.prefix, OTHER_ETAG)))
    except S3Error as error:
        if error.kind is Kind.DENIED:
            return await _shares_upload(s3, here, there)
    return await _shares_key(s3, here, there)


async def _shares_upload(s3: S3, here: Location, there: Location) -> bool:
    upload_id = await wait_for(create_empty_upload(s3, there.bucket, there.prefix))
    try:
        await wait_for(s3.list_parts(here.bucket, here.prefix, upload_id))
    except S3Error as error:
        if error.kind is not Kind.NO_UPLOAD:
            raise
        return False
    else:
        return True
    finally:
        with suppress(S3Error):
            await wait_for(s3.abort_upload(there.bucket, there.prefix, upload_id))


async def _shares_key(s3: S3, here: Location, there: Location) -> bool:
    sent = s3.put(there.bucket, there.prefix, b"frogmove asks where this is")
    written: Copied | None = None
    try:
        written = await wait_for(sent)
        seen = await wait_for(s3.head(here.bucket, here.prefix))
    except S3Error as error:
        if error.kind is not Kind.MISSING:
            raise
        return False
    else:
        return etags_match(seen.object.etag, written.etag)
    finally:
        with suppress(S3Error):
            if written is None:
                # The response of an earlier attempt may have been lost.
                lost = await wait_for(s3.head(there.bucket, there.prefix))
                written = Copied(lost.object.etag)
            await wait_for(s3.delete(there.bucket, as_written(there.prefix, written)))
