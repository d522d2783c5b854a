"""Whether a copy has its source's tags, where the server could not be told to carry them."""

from frogmove.core.scheduler import wait_for
from frogmove.s3.errors import S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Copy


async def missing_tags(s3: S3, copy: Copy) -> str:
    """Compare the tags of a copy with its source's.

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
