"""Parses the options that select objects and map their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, TypedDict

from frogmove.core.filters import Filters, Pattern, patterns
from frogmove.core.key_mapping import KeyMapping
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.selection import select
from frogmove.core.units import parse_size, parse_time
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.uri import split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from frogmove.core.models import Route
    from frogmove.s3.uri import Location

_Texts = str | Sequence[str] | None
_Time = str | datetime | timedelta | None


class SelectionOptions(TypedDict, total=False):
    """Which objects are selected, and which keys they get.

    Attributes:
        prefix: one or more folders below the source's prefix, or S3 URIs inside the source.
        everything: all of the source.
        from_file: a file of keys, or a stream of bytes: a key a line, as ``frogmove ls`` prints
            keys or lines, and other texts as they are.
        nul: whether the keys of the file end in NULs, and all are as they are.
        version_id: a version of the only key.
        include: patterns for keys below the folder; keys that match none are not selected.
        exclude: patterns for keys that are not selected, even if they match ``include``.
        patterns: both kinds in one sequence: the last one that matches decides.
        newer_than: only objects written at this time or later: a time, a text such as ``7d`` or
            ``2026-03-01``, or an age.
        older_than: only objects written before this time.
        min_size: bytes, or a text such as ``10MiB``; no smaller objects.
        max_size: no larger objects.
        storage_class: only objects of these storage classes.
        to_prefix: a folder below the destination's prefix, or an S3 URI of one.
        strip_prefix: the folder below the source's prefix that is removed from keys.
        rename: a template of the new key; see :class:`~frogmove.core.key_mapping.KeyMapping`.
        new_key: the new key of the only object, or its S3 URI.
    """

    prefix: _Texts
    everything: bool
    from_file: str | Path | IO[bytes] | None
    nul: bool
    version_id: str | None
    include: _Texts
    exclude: _Texts
    patterns: Sequence[Pattern]
    newer_than: _Time
    older_than: _Time
    min_size: int | str | None
    max_size: int | str | None
    storage_class: _Texts
    to_prefix: str | None
    strip_prefix: str | None
    rename: str | None
    new_key: str | None


def choose(spec: RunSpec, keys: Sequence[str], chosen: SelectionOptions, key_list: Path) -> RunSpec:
    """Return a run with this selection.

    Args:
        spec: the run; ages are relative to its start.
        keys: keys below the source's prefix, or S3 URIs inside the source.
        chosen: the other options.
        key_list: the file that the keys of a list will be kept in.

    Raises:
        UsageError: when the selection is not valid.
    """
    route = spec.route()
    prefixes = _texts(chosen.get("prefix"))
    everything = chosen.get("everything", False)
    is_list = chosen.get("from_file") is not None
    if chosen.get("nul", False) and not is_list:
        raise UsageError("-0 goes with --from-file.")
    if spec.command is Command.SYNC and not (keys or prefixes or is_list):
        everything = True
    selection = select(
        route,
        keys,
        prefixes,
        everything=everything,
        version_id=chosen.get("version_id"),
        key_list=key_list if is_list else None,
        filters=read_filters(chosen, datetime.fromisoformat(spec.started)),
    )
    mapping = _read_mapping(chosen, route)
    if mapping.new_key is not None and len(selection.keys) != 1:
        raise UsageError("--as needs exactly one KEY.", "Use --rename or --to-prefix.")
    if (mapping.new_key or "").endswith("/") and not selection.keys[0].endswith("/"):
        raise UsageError(
            f"--as gives the whole key, and {in_quotes(mapping.new_key or '')} is a folder.",
            "Use --to-prefix to keep the name, or add a name.",
        )
    return replace(spec, selection=selection, mapping=mapping)


def read_filters(chosen: SelectionOptions, now: datetime) -> Filters:
    """Parse the filters.

    Raises:
        UsageError: when an option is not valid.
    """
    return Filters(
        patterns=(
            *(Pattern(is_include, glob) for is_include, glob in chosen.get("patterns", ())),
            *patterns(_texts(chosen.get("include")), _texts(chosen.get("exclude"))),
        ),
        newer_than=_time(chosen.get("newer_than"), now),
        older_than=_time(chosen.get("older_than"), now),
        min_size=_size(chosen.get("min_size")),
        max_size=_size(chosen.get("max_size")),
        storage_classes=tuple(each.upper() for each in _texts(chosen.get("storage_class"))),
    )


def _read_mapping(chosen: Mapping[str, object], route: Route) -> KeyMapping:
    def text(name: str, end: Location) -> str | None:
        given = chosen.get(name)
        return None if given is None else _below(str(given), end, name)

    rename = chosen.get("rename")
    return KeyMapping(
        strip_prefix=text("strip_prefix", route.source) or "",
        to_prefix=text("to_prefix", route.destination) or "",
        new_key=text("new_key", route.destination),
        rename=None if rename is None else str(rename),
    )


def _below(text: str, end: Location, name: str) -> str:
    """Return the key of a name below a prefix of the route, or of an S3 URI inside it."""
    if text.startswith("s3://"):
        bucket, key = split(text)
        if bucket != end.bucket or not key.startswith(end.prefix):
            raise UsageError(f"{in_quotes(text)} is not inside {end}.")
        text = key.removeprefix(end.prefix)
    if not text:
        option = "as" if name == "new_key" else name.replace("_", "-")
        raise UsageError(f"--{option} must not be empty.")
    return text


def _texts(given: _Texts) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _time(given: _Time, now: datetime) -> datetime | None:
    if isinstance(given, timedelta):
        return now - given
    if isinstance(given, datetime) and given.tzinfo is None:
        raise UsageError(f"{given} has no time zone.", "Give it one, such as datetime.UTC.")
    return parse_time(given, now) if isinstance(given, str) else given


def _size(given: int | str | None) -> int | None:
    return parse_size(given) if isinstance(given, str) else given
