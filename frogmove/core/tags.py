"""Compares the tags of source and destination objects."""

from frogmove.core.scheduler import wait_for
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Copy, Head


async def missing_tags(s3: S3, copy: Copy) -> str:
    """Compare the tags of a copy with its source's, if the server was not asked to copy them.

    Args:
        s3: the client for both buckets.
        copy: the copy that was made.

    Returns:
        a message about missing or unknown tags; empty if the copy has all tags of its source.

    Raises:
        S3Error: when that cannot be determined now, but a retry may succeed.
    """
    try:
        source = await wait_for(s3.tags(copy.bucket, copy.source.key, copy.source.version_id))
        if not source:
            return ""
        there = await wait_for(s3.tags(copy.to_bucket, copy.to_key, None))
    except S3Error as error:
        if error.retrying_helps or error.ends_the_run:
            raise
        return f"the server was not asked to copy tags, and {error}"
    if source == there:
        return ""
    return f"the server does not copy tags: the copy lacks {len(source)} tags of its source"


async def other_tags(s3: S3, copy: Copy, there: Head) -> str:
    """Compare the tags of the destination object with those that a copy would have.

    If they may not be read at the destination, a source without tags is still fine: deleting it
    loses nothing. HEAD returns the number of tags only to callers who may read them.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html

    Args:
        s3: the client for both buckets.
        copy: the copy that would be made.
        there: the destination object.

    Returns:
        a description of the destination object; empty if the tags are the same.

    Raises:
        S3Error: when that cannot be determined.
    """
    ours = await wait_for(s3.tags(copy.bucket, copy.source.key, copy.source.version_id))
    try:
        theirs = await wait_for(s3.tags(copy.to_bucket, copy.to_key, None))
    except S3Error as error:
        if error.kind is not Kind.DENIED:
            raise
        if not ours and not there.tag_count:
            return ""
        return (
            "the same bytes, but its tags could not be read (missing permission: "
            "s3:GetObjectTagging at the destination)"
        )
    return "" if ours == theirs else "the same bytes, but with other tags"
