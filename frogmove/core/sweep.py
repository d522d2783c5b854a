"""Which objects a sweep takes: those that no event has moved. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from frogmove.s3 import S3Object


def left_behind(objects: Iterable[S3Object], before: datetime) -> Iterator[S3Object]:
    """Pass those objects on that were there before a time.

    Younger ones are left to their own events, which are on their way.
    """
    return (item for item in objects if item.last_modified <= before)
