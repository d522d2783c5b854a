"""Selections of objects by key, folder, pattern, time and size, and how they are found."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import is_normalized
from urllib.parse import unquote

from frogmove.core.filters import NO_FILTERS, Filters
from frogmove.core.lookup import Lookup
from frogmove.core.scheduler import run_in_order
from frogmove.core.typographic import begins_with_dash, typographic_hint
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.errors import DELETE_MARKER, S3Error
from frogmove.s3.listing import list_folder
from frogmove.s3.models import Page, S3Object
from frogmove.s3.uri import check_key, folder_prefix, is_like_uri, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from threading import Event

    from frogmove.core.models import Route
    from frogmove.s3.interface import S3
    from frogmove.s3.uri import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a source are selected: keys or folders, and filters.

    Keys and folders are complete: they include the source's prefix.

    Attributes:
        base: the source's prefix; patterns match the part of a key after it.
        keys: exactly these keys, each once.
        version_id: one version of the only key.
        key_list: a file of keys, each once and terminated by a NUL.
        folders: the key of each name and every key under it; ``""`` is everything. None is inside
            another. ``logs`` selects ``logs`` and ``logs/…``, but not ``logs2/…``.
        filters: further conditions; patterns match the names below the folder.
    """

    base: str = ""
    keys: tuple[str, ...] = ()
    version_id: str | None = None
    key_list: str | None = None
    folders: tuple[str, ...] = ()
    filters: Filters = NO_FILTERS

    @property
    def is_of_folders(self) -> bool:
        """Whether objects are found by listing; keys are looked up one by one."""
        return bool(self.folders)

    def named_keys(self) -> Iterable[str]:
        """Return the keys, if no folders are selected; those of a list are read lazily.

        Raises:
            UsageError: when the list cannot be read.
        """
        if self.key_list is None:
            return self.keys
        # Lazy: it imports sqlite3, which other runs do not need.
        from frogmove.core.key_list import read_key_list

        return read_key_list(Path(self.key_list))

    def matcher(self, folder: str | None = None) -> Callable[[S3Object], bool] | None:
        """Return a function that tells whether an object is selected.

        Args:
            folder: the folder where it was found; None for the source.

        Returns:
            the function; None if all objects are selected.
        """
        if self.filters == NO_FILTERS:
            return None
        base = self.base if folder is None else folder_prefix(folder)
        # The key that has the folder's own name is matched by its last part.
        own = None if folder is None or folder == base else folder
        above = "" if own is None else own[: own.rfind("/") + 1]
        matches_name, matches_object = self.filters.names(), self.filters.objects()
        return lambda item: (
            matches_object(item)
            and matches_name(item.key.removeprefix(above if item.key == own else base))
        )

    def record(self) -> dict[str, Any]:
        """Return the selection as a JSON value; see :meth:`of_record`."""
        values = {
            "base": self.base,
            "keys": list(self.keys),
            "version_id": self.version_id,
            "key_list": self.key_list,
            "folders": list(self.folders),
            "filters": self.filters.record(),
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Selection:
        """Read what :meth:`record` returned.

        Raises:
            AttributeError, TypeError, ValueError, KeyError: when it is not valid.
        """
        more = {
            "keys": tuple(record.get("keys", ())),
            "folders": tuple(record.get("folders", ())),
            "filters": Filters.of_record(record.get("filters", {})),
        }
        return cls(**{**record, **more})


def select(
    route: Route,
    names: Iterable[str] = (),
    prefixes: Iterable[str] = (),
    *,
    everything: bool = False,
    version_id: str | None = None,
    key_list: Path | None = None,
    filters: Filters = NO_FILTERS,
) -> Selection:
    """Make a selection from one of four kinds of arguments.

    Args:
        route: the route; names are relative to its source.
        names: keys, or S3 URIs inside the source.
        prefixes: folders, relative to the source, or S3 URIs inside it.
        everything: all of the source; implied by an include pattern if nothing else is given.
        version_id: a version of the only key.
        key_list: a file of complete keys; see :class:`Selection`.
        filters: further conditions.

    Raises:
        UsageError: when nothing is selected, when several kinds are combined, or when a key is not
            valid.
    """
    chosen = tuple(dict.fromkeys(route.source_key(name) for name in names))
    prefixes = tuple(prefixes)
    kinds = [bool(chosen), bool(prefixes), everything, key_list is not None].count(True)
    if kinds == 0 and not filters.has_include:
        raise UsageError("Nothing is selected.", "Give KEYs, a folder with --prefix, or --all.")
    if kinds > 1:
        given = (key.removeprefix(route.source.prefix) for key in chosen)
        pasted = next(filter(begins_with_dash, given), "")
        raise UsageError(
            "Give only one of KEYs, --prefix, --from-file and --all.", typographic_hint(pasted)
        )
    if version_id is not None and len(chosen) != 1:
        raise UsageError("--version-id needs exactly one KEY.")
    if version_id == "":
        # Some servers ignore an empty id, and would delete the version that is current then.
        raise UsageError("An empty --version-id names no version.", "Leave it out, or give an id.")
    base = route.source.prefix
    if chosen:
        return Selection(base=base, keys=chosen, version_id=version_id, filters=filters)
    if key_list is not None:
        return Selection(base=base, key_list=str(key_list), filters=filters)
    folders = outermost(folder_inside(route.source, prefix) for prefix in prefixes) or (base,)
    return Selection(base=base, folders=folders, filters=filters)


def folder_inside(end: Location, prefix: str) -> str:
    """Parse a folder as an operator writes it: relative to an end of a route, or as an S3 URI.

    Raises:
        UsageError: when it cannot be a folder or is not inside that end.
    """
    if not prefix:
        raise UsageError("An empty --prefix would select everything.", "Use --all for that.")
    if not prefix.startswith("s3://"):
        return check_key(end.prefix + prefix)
    bucket, folder = split(prefix)
    # The end's URI without its final slash is also the end.
    if bucket != end.bucket or not folder_prefix(folder).startswith(end.prefix):
        raise UsageError(f"{in_quotes(prefix)} is not inside {end}.", "Use a folder under it.")
    whole = max(folder, end.prefix)
    return check_key(whole) if whole else whole


def outermost(folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders in order, without those that are inside another."""
    kept: list[str] = []
    for folder in sorted(set(folders), key=folder_prefix):
        # `logs/` is inside `logs`, which also contains the key `logs`.
        if kept and folder_prefix(folder).startswith(folder_prefix(kept[-1])):
            kept[-1] = min(kept[-1], folder, key=len)
        else:
            kept.append(folder)
    return tuple(kept)


# Maximum concurrent HEAD requests before a run.
HEAD_CONCURRENCY = 64


# Listed page by page, one ahead: S3 returns a page of 1,000 keys faster than it copies them (3,500
# per second), so a run does not wait for the listing.
RUN_LISTING_CONCURRENCY = 1


def find(
    selection: Selection, s3: S3, route: Route, size: int, stop: Event | None = None
) -> Iterable[S3Object]:
    """Find the objects of a selection of keys or folders.

    Args:
        selection: of the source.
        s3: the client for the source.
        route: the route.
        size: maximum concurrent HEAD requests.
        stop: see :func:`list_folders`.

    Returns:
        the objects; folders are listed lazily.

    Raises:
        UsageError: when a selected key does not exist.
        S3Error: when a request fails.
    """
    if selection.is_of_folders:
        return find_remaining(selection, s3, route, size, stop)
    found = {item.key: item for item in _named(selection, s3, route, size)}
    missing = [key for key in selection.keys if key not in found]
    if missing:
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        version = selection.version_id
        which = f"version {in_quotes(version)} of the key" if version else "key"
        raise UsageError(
            f"There is no {which} {in_quotes(missing[0])}{others} in s3://{route.source.bucket}.",
            _suggestion(missing, s3, route),
        )
    return list(matching(found.values(), selection.matcher()))


def _suggestion(missing: list[str], s3: S3, route: Route) -> str:
    """Suggest what may have been meant by keys that do not exist."""
    key = missing[0]
    typed = key.removeprefix(route.source.prefix)
    name = shlex.quote(typed)
    try:
        page = s3.list_page(route.source.bucket, folder_prefix(key)).result()
    except S3Error:
        # Listing may be denied; the error to report is that the key does not exist.
        page = Page((), None)
    count = len(page.objects)
    if count:
        number = f"More than {count:,} objects lie" if page.token else f"{count:,} objects lie"
        number = "1 object lies" if count == 1 else number
        return f"{number} under it: use --prefix {name}."
    if hint := typographic_hint(typed) or _misspelling(typed, route.source):
        return hint
    if key.endswith("/"):
        return f"Nothing lies under it. For a folder of the destination, use --to-prefix {name}."
    if len(missing) > 1:
        return "Check with `frogmove ls`. A key that contains spaces has to be quoted."
    return "It may have been moved already. Check with `frogmove ls`."


def _misspelling(typed: str, source: Location) -> str:
    """Say how a key was probably misspelt; empty if it does not look so."""
    if source.prefix and typed.startswith(source.prefix):
        name = shlex.quote(typed.removeprefix(source.prefix))
        return f"A KEY is relative to the source, {source}: write {name}."
    if is_like_uri(typed):
        return "A URI begins with s3://."
    if "?versionId=" in typed:
        return "A version is given with --version-id."
    if any(char in typed for char in "*?["):
        return f"A KEY is not a pattern: use --include {shlex.quote(typed)}."
    if typed != typed.strip():
        return "It begins or ends with white space."
    if typed.startswith(("/", "./")):
        name = typed.removeprefix(".").lstrip("/")
        return f"A key is not a path: it may be {in_quotes(name)}."
    if (decoded := unquote(typed)) != typed:
        return f"It is percent-encoded: the key may be {in_quotes(decoded)}."
    if not is_normalized("NFC", typed):
        return "Its accents are separate characters, as on macOS: copy it from `frogmove ls`."
    return ""


def find_remaining(
    selection: Selection, s3: S3, route: Route, size: int, stop: Event | None = None
) -> Iterable[S3Object]:
    """Find the remaining objects of a selection that is partly moved; missing keys are no error.

    Raises:
        S3Error: when a request fails.
    """
    if not selection.is_of_folders:
        return matching(_named(selection, s3, route, size), selection.matcher())
    return list_folders(selection, s3, route.source.bucket, RUN_LISTING_CONCURRENCY, stop)


def list_folders(
    selection: Selection, s3: S3, bucket: str, concurrency: int, stop: Event | None = None
) -> Iterator[S3Object]:
    """List the objects of a selection of folders.

    Args:
        selection: of the bucket.
        s3: the client for the bucket.
        bucket: the bucket.
        concurrency: see :func:`frogmove.s3.listing.list_prefix`.
        stop: once set, no further object is matched; without filters every one is used.

    Raises:
        S3Error: when a request fails.
    """
    return chain.from_iterable(
        matching(list_folder(s3, bucket, folder, concurrency), selection.matcher(folder), stop)
        for folder in selection.folders
    )


def matching(
    objects: Iterable[S3Object],
    matches: Callable[[S3Object], bool] | None,
    stop: Event | None = None,
) -> Iterable[S3Object]:
    """Yield the objects that match, until stopped; all if there is no condition."""
    if matches is None:
        return objects
    if stop is not None:
        objects = takewhile(lambda _: not stop.is_set(), objects)
    return filter(matches, objects)


def _named(selection: Selection, s3: S3, route: Route, size: int) -> list[S3Object]:
    seen = head_each(selection.keys, s3, route.source.bucket, size, selection.version_id)
    found = [item for _, item in seen]
    for problem in found:
        if isinstance(problem, S3Error) and problem.code == DELETE_MARKER:
            raise UsageError(
                f"The version {in_quotes(selection.version_id)} of the key "
                f"{in_quotes(selection.keys[0])} is a delete marker, which has no content.",
                "Give the --version-id of an object.",
            ) from problem
        if isinstance(problem, S3Error):
            raise problem
    return [item for item in found if isinstance(item, S3Object)]


def head_each(
    keys: Iterable[str], s3: S3, bucket: str, size: int, version_id: str | None = None
) -> Iterator[tuple[str, S3Object | S3Error | None]]:
    """Send a HEAD request for each key, in order.

    Args:
        keys: complete keys.
        s3: where the bucket is.
        bucket: the bucket.
        size: maximum concurrent requests.
        version_id: the version; by default the current one.

    Yields:
        each key with its object, None if there is none, or the error of its request.
    """

    async def one(key: str) -> tuple[str, S3Object | S3Error | None]:
        try:
            seen = await lookup.head(key, version_id)
        except S3Error as error:
            return key, error
        return key, None if seen is None else seen.object

    lookup = Lookup(s3, bucket)
    return run_in_order(one, keys, size)
