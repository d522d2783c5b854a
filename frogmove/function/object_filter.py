"""Selects the objects that uploads, sweeps and syncs move.

Keys in a direct request or in a job are moved regardless of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from frogmove.core.glob import glob_regex
from frogmove.core.selection_options import SelectionOptions, read_filters
from frogmove.core.units import parse_size, parse_time
from frogmove.function.variables import parse_list, read_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from frogmove.core.filters import Filters
    from frogmove.s3.models import S3Object


@dataclass(frozen=True)
class ObjectFilter:
    """Which objects the function moves, unless a request names their keys.

    Attributes:
        base: the source's prefix; patterns match the part of a key after it.
        prefixes: if any, a key must begin with one of these.
        suffixes: if any, a key must end with one of these.
        without: excluded keys.
        options: patterns, ages, sizes and storage classes; ages are relative to the time of an
            invocation.
    """

    base: str = ""
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    options: SelectionOptions = field(default_factory=SelectionOptions)

    def filters(self, now: datetime) -> Filters:
        """Return the filters of one invocation.

        Args:
            now: its time.
        """
        return read_filters(self.options, now)

    @cached_property
    def _matches_name(self) -> Callable[[str], bool]:
        return self.filters(datetime.now(UTC)).names()

    def matches(self, key: str) -> bool:
        """Tell by its key whether an object may be selected."""
        return (
            (not self.prefixes or key.startswith(self.prefixes))
            and (not self.suffixes or key.endswith(self.suffixes))
            and key not in self.without
            and self._matches_name(key.removeprefix(self.base))
        )

    def matcher(self, now: datetime) -> Callable[[S3Object], bool]:
        """Return a function that tells in an invocation whether an object is selected."""
        matches_object = self.filters(now).objects()
        return lambda item: self.matches(item.key) and matches_object(item)

    def record(self) -> dict[str, Any]:
        """Return the settings for a response."""
        return {
            "key_prefixes": list(self.prefixes),
            "key_suffixes": list(self.suffixes),
            **{name.lower(): self.options.get(name.lower()) for name in _PARSERS},
        }


def read_object_filter(
    environment: Mapping[str, str], base: str, without: frozenset[str]
) -> ObjectFilter:
    """Read the settings that select objects.

    Args:
        environment: the function's environment variables.
        base: the source's prefix.
        without: keys that are never moved.

    Raises:
        UsageError: when a variable is not valid, or no object can be selected.
    """
    read = {
        name.lower(): read_variable(environment, name, parse, None)
        for name, parse in _PARSERS.items()
    }
    options = cast(
        "SelectionOptions", {name: value for name, value in read.items() if value is not None}
    )
    object_filter = ObjectFilter(
        base,
        read_variable(environment, "KEY_PREFIXES", parse_list, ()),
        read_variable(environment, "KEY_SUFFIXES", parse_list, ()),
        without,
        options,
    )
    object_filter.filters(datetime.now(UTC))
    return object_filter


def _patterns(text: str) -> tuple[str, ...]:
    globs = parse_list(text)
    for glob in globs:
        glob_regex(glob)
    return globs


def _time(text: str) -> str:
    parse_time(text, datetime.now(UTC))
    return text


# By the part of the variable's name after FROGMOVE_, which in lower case is the option's name.
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "INCLUDE": _patterns,
    "EXCLUDE": _patterns,
    "NEWER_THAN": _time,
    "OLDER_THAN": _time,
    "MIN_SIZE": parse_size,
    "MAX_SIZE": parse_size,
    "STORAGE_CLASS": parse_list,
}
