"""Whether what the destination holds has its source's tags."""

from frogmove.core.scheduler import wait_for
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Copy, Head


async def missing_tags(s3: S3, copy: Copy) -> str:
    """Compare the tags of a copy with its source's, where the server was not told to carry them.

    Args:
        s3: where both are.
        copy: the copy, as it was made.

    Returns:
        in words what is missing or unknown; empty where the copy has all of its source's tags.

    Raises:
        S3Error: when that cannot be found out now, but may be later.
    """
    try:
        source = await wait_for(s3.tags(copy.bucket, copy.source.key, copy.source.version_id))
        if not source:
            return ""
        there = await wait_for(s3.tags(copy.to_bucket, copy.to_key, None))
    except S3Error as error:
        if error.retrying_helps or error.ends_the_run:
            raise
        return f"the server could not be told to carry tags, and {error}"
    if source == there:
        return ""
    return f"the server does not carry tags: the copy lacks {len(source)} of its source"


async def other_tags(s3: S3, copy: Copy, there: Head) -> str:
    """Compare the tags of what the destination held already with those that a copy would have.

    Where they may not be read there, an object without tags still needs none: to delete its source
    loses nothing. HEAD tells the number only to whoever may read them.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html

    Args:
        s3: where both are.
        copy: the copy that would be made.
        there: what the destination holds.

    Returns:
        in words what the destination holds instead; empty where the tags are the same.

    Raises:
        S3Error: when that cannot be found out.
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
            "the same bytes, but with tags that may not be read "
            "(it needs permission: s3:GetObjectTagging at the destination)"
        )
    return "" if ours == theirs else "the same bytes, but with other tags"
