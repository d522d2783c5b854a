"""Which objects are meant, by name, folder or age; and those of them that are there now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from frogmove.core.lookup import Lookup
from frogmove.core.models import Route
from frogmove.core.scheduler import Scheduler
from frogmove.errors import UsageError
from frogmove.s3.errors import S3Error
from frogmove.s3.interface import S3
from frogmove.s3.listing import list_folder
from frogmove.s3.models import S3Object
from frogmove.s3.uri import check_key


@dataclass(frozen=True, slots=True)
class Keys:
    """Exactly these keys of the source, each once; or one version of the only one."""

    keys: tuple[str, ...]
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """The key ``prefix`` and every key under ``prefix/``; ``""`` is all there is.

    ``logs`` selects ``logs`` and ``logs/…`` but never ``logs2/…``.
    """

    prefix: str


Selection = Keys | Folder


def select(
    route: Route,
    names: Iterable[str],
    folder: str | None,
    *,
    everything: bool,
    version_id: str | None = None,
) -> Selection:
    """Read what an operator chose, in exactly one of three ways.

    Args:
        route: names are relative to its source.
        names: keys, or S3 URIs inside the source.
        folder: a folder, relative to the source.
        everything: all of the source.
        version_id: a version of the one key that is named.

    Raises:
        UsageError: when nothing was chosen, or in more ways than one, or it cannot be a key.
    """
    chosen = tuple(dict.fromkeys(route.source_key(name) for name in names))
    ways = [bool(chosen), folder is not None, everything].count(True)
    if ways == 0:
        raise UsageError(
            "Nothing was chosen.",
            "Name keys, or a folder with --prefix, or everything with --all.",
        )
    if ways > 1:
        raise UsageError("Choose keys, --prefix or --all, not several of them.")
    if version_id is not None and len(chosen) != 1:
        raise UsageError("--version-id goes with exactly one KEY.")
    if chosen:
        return Keys(chosen, version_id)
    if everything:
        return Folder(route.source.prefix)
    if not folder:
        raise UsageError("An empty --prefix means everything.", "Say --all if that is meant.")
    return Folder(check_key(route.source.prefix + folder))


def older_than(objects: Iterable[S3Object], before: datetime) -> Iterator[S3Object]:
    """Pass those objects on that were there before a time.

    Younger ones are left to their own events, which are on their way.
    """
    return (item for item in objects if item.last_modified <= before)


# How many objects are looked at at once before a run.
HEAD_CONCURRENCY = 64


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
    objects = find_remaining(selection, s3, route, size)
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


def find_remaining(selection: Selection, s3: S3, route: Route, size: int) -> Iterable[S3Object]:
    """Find what is left of a selection that was moved in part: missing keys are no error.

    Raises:
        S3Error: when the source cannot be looked at.
    """
    if not isinstance(selection, Keys):
        return list_folder(s3, route.source.bucket, selection.prefix, LISTING_WAYS)
    seen = head_each(selection.keys, s3, route.source.bucket, size, selection.version_id)
    found = [item for _, item in seen]
    for problem in found:
        if isinstance(problem, S3Error):
            raise problem
    return [item for item in found if isinstance(item, S3Object)]


def head_each(
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
    return Scheduler(size, size, lambda: None, Event()).run(one(key) for key in keys)
