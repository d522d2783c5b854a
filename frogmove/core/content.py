"""Reads two objects side by side and compares their bytes."""

from frogmove.core.scheduler import wait_for
from frogmove.s3.interface import S3
from frogmove.s3.models import S3Object

# Of each object, held at once.
CHUNK = 8 * 1024 * 1024


async def same_content(s3: S3, one: tuple[str, S3Object], other: tuple[str, S3Object]) -> bool:
    """Tell whether two objects hold the same bytes; reads until they differ.

    Args:
        s3: where both are.
        one: a bucket and an object of it, as it was seen.
        other: another.

    Raises:
        S3Error: when one cannot be read, or is not what was seen any more.
    """
    if one[1].size != other[1].size:
        return False
    for first in range(0, one[1].size, CHUNK):
        last = min(first + CHUNK, one[1].size) - 1
        ours, theirs = s3.read(*one, first, last), s3.read(*other, first, last)
        if await wait_for(ours) != await wait_for(theirs):
            return False
    return True
