"""Finds what was selected at the source, as it is now."""

from collections.abc import Iterable, Iterator
from threading import Event

from frogmove.core.lookup import Lookup
from frogmove.core.route import Route
from frogmove.core.selection import Keys, Selection
from frogmove.core.window import Window
from frogmove.errors import UsageError
from frogmove.s3 import S3, S3Object
from frogmove.s3.failure import S3Error
from frogmove.s3.listing import list_folder

# How many objects are looked at at once before a run.
LOOK_AHEAD = 64

# A page of 1,000 keys takes S3 less time than their copies at its 3,500 a second do: read page by
# page, one ahead, a listing is never waited for, and no request more than needed is sent.
LISTING_WAYS = 1


def find(selection: Selection, s3: S3, route: Route, size: int) -> Iterable[S3Object]:
    """Find the objects of a selection.

    Args:
        selection: keys or a folder of the source.
        s3: where the source is.
        route: which bucket.
        size: how many keys may be looked at at once.

    Returns:
        the objects; those of a folder are listed as they are taken.

    Raises:
        UsageError: when a key that was named is not there.
        S3Error: when the source cannot be looked at.
    """
    objects = still_there(selection, s3, route, size)
    if not isinstance(selection, Keys):
        return objects
    found = {item.key: item for item in objects}
    missing = [key for key in selection.keys if key not in found]
    if missing:
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise UsageError(
            f"There is no key {missing[0]!r}{others} in s3://{route.source.bucket}.",
            "Look with `frogmove ls`; it may have been moved already.",
        )
    return [found[key] for key in selection.keys]


def still_there(selection: Selection, s3: S3, route: Route, size: int) -> Iterable[S3Object]:
    """Find what is left of a selection that was moved in part: missing keys are no error.

    Raises:
        S3Error: when the source cannot be looked at.
    """
    if not isinstance(selection, Keys):
        return list_folder(s3, route.source.bucket, selection.prefix, LISTING_WAYS)
    seen = look_up(selection.keys, s3, route.source.bucket, size, selection.version_id)
    found = [item for _, item in seen]
    for problem in found:
        if isinstance(problem, S3Error):
            raise problem
    return [item for item in found if isinstance(item, S3Object)]


def look_up(
    keys: Iterable[str], s3: S3, bucket: str, size: int, version_id: str | None = None
) -> Iterator[tuple[str, S3Object | S3Error | None]]:
    """Look at each key.

    Args:
        keys: whole keys.
        s3: where the bucket is.
        bucket: the bucket.
        size: how many may be looked at at once.
        version_id: the version to look at instead of the current one.

    Yields:
        each key with the object that is there now, None where there is none, or why it cannot
        be looked at.
    """

    async def one(key: str) -> tuple[str, S3Object | S3Error | None]:
        try:
            seen = await lookup.head(key, version_id)
        except S3Error as error:
            return key, error
        return key, None if seen is None else seen.object

    lookup = Lookup(s3, bucket)
    return Window(size, size, lambda: None, Event()).run(one(key) for key in keys)
