"""Which of the source's objects uploads, sweeps and syncs are about. Pure.

Whoever names a key moves it all the same: a direct request, or a job.
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
    """Which objects the function moves without being told their keys.

    Attributes:
        base: the source's prefix, below which patterns match.
        prefixes: a key begins with one of these, if there are any.
        suffixes: and ends with one of these, if there are any.
        without: and is none of these.
        options: patterns, ages, sizes and storage classes; ages are counted back from the moment
            of an invocation.
    """

    base: str = ""
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    options: SelectionOptions = field(default_factory=SelectionOptions)

    def filters(self, now: datetime) -> Filters:
        """Return the filters of one invocation.

        Args:
            now: its moment.
        """
        return read_filters(self.options, now)

    @cached_property
    def _is_named(self) -> Callable[[str], bool]:
        return self.filters(datetime.now(UTC)).names()

    def matches(self, key: str) -> bool:
        """Tell by its key whether an object may be one of them."""
        return (
            (not self.prefixes or key.startswith(self.prefixes))
            and (not self.suffixes or key.endswith(self.suffixes))
            and key not in self.without
            and self._is_named(key.removeprefix(self.base))
        )

    def matcher(self, now: datetime) -> Callable[[S3Object], bool]:
        """Return what tells in an invocation whether an object is one of them."""
        is_like = self.filters(now).objects()
        return lambda item: self.matches(item.key) and is_like(item)

    def record(self) -> dict[str, Any]:
        """Return what is set, for people."""
        return {
            "key_prefixes": list(self.prefixes),
            "key_suffixes": list(self.suffixes),
            **{name.lower(): self.options.get(name.lower()) for name in _PARSERS},
        }


def read_object_filter(
    environment: Mapping[str, str], base: str, without: frozenset[str]
) -> ObjectFilter:
    """Read which objects uploads, sweeps and syncs are about.

    Args:
        environment: the function's environment variables.
        base: the source's prefix.
        without: keys that are never moved.

    Raises:
        UsageError: when a variable cannot be read, or they leave nothing.
    """
    read = {
        name.lower(): read_variable(environment, name, parse, None)
        for name, parse in _PARSERS.items()
    }
    options = cast(
        "SelectionOptions", {name: value for name, value in read.items() if value is not None}
    )
    made = ObjectFilter(
        base,
        read_variable(environment, "KEY_PREFIXES", parse_list, ()),
        read_variable(environment, "KEY_SUFFIXES", parse_list, ()),
        without,
        options,
    )
    made.filters(datetime.now(UTC))
    return made


def _patterns(text: str) -> tuple[str, ...]:
    globs = parse_list(text)
    for glob in globs:
        glob_regex(glob)
    return globs


def _time(text: str) -> str:
    parse_time(text, datetime.now(UTC))
    return text


# By what follows FROGMOVE_ in the variable's name; in lower case it is the option's.
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "INCLUDE": _patterns,
    "EXCLUDE": _patterns,
    "NEWER_THAN": _time,
    "OLDER_THAN": _time,
    "MIN_SIZE": parse_size,
    "MAX_SIZE": parse_size,
    "STORAGE_CLASS": parse_list,
}
