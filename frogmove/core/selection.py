"""Which objects are meant: keys by name, everything in a folder, or what is old enough. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from frogmove.core.route import Route
from frogmove.errors import UsageError
from frogmove.s3 import S3Object
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
            "Nothing was chosen to be moved.",
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


def left_behind(objects: Iterable[S3Object], before: datetime) -> Iterator[S3Object]:
    """Pass those objects on that were there before a time.

    Younger ones are left to their own events, which are on their way.
    """
    return (item for item in objects if item.last_modified <= before)
