"""Filters for objects: by name, time, size and storage class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from frogmove.core.glob import glob_regex
from frogmove.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from frogmove.s3.models import S3Object


class Pattern(NamedTuple):
    """One pattern: whether it includes or excludes keys, and the glob; see ``glob.py``."""

    is_include: bool
    glob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which objects are selected; by default all.

    Attributes:
        patterns: matched against the key below the selected folder; the last one that matches
            decides. If none matches, the key is selected if the first pattern is an exclude.
        newer_than: written at this time or later.
        older_than: written before this time.
        min_size: bytes; no smaller objects.
        max_size: bytes; no larger objects.
        storage_classes: only objects of these, in capitals; any where there are none.

    Raises:
        UsageError: when a pattern is not valid, or no object can satisfy the limits.
    """

    patterns: tuple[Pattern, ...] = ()
    newer_than: datetime | None = None
    older_than: datetime | None = None
    min_size: int | None = None
    max_size: int | None = None
    storage_classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            glob_regex(pattern.glob)
        globs = [pattern.glob for pattern in self.patterns]
        if self.patterns and self.patterns[0] == (False, "*") and self.has_include:
            raise UsageError(
                "The pattern '*' does not exclude keys in folders, because '*' does not match '/'.",
                "Remove it: keys that match no included pattern are not selected. Or write '**'.",
            )
        if any(glob.startswith("s3://") for glob in globs):
            raise UsageError(
                "A pattern cannot be a URI: it is matched against the key below the prefix.",
                "Write it as --prefix FOLDER --include '*.csv'.",
            )
        if self.newer_than and self.older_than and self.newer_than >= self.older_than:
            raise UsageError(
                "No object can be that new and that old: newer-than must be before older-than."
            )
        if min(self.min_size or 0, self.max_size or 0) < 0:
            raise UsageError("A size cannot be negative.")
        if self.min_size and self.max_size is not None and self.min_size > self.max_size:
            raise UsageError("The smallest size must not be larger than the largest.")

    @property
    def has_include(self) -> bool:
        """Whether any pattern includes."""
        return any(pattern.is_include for pattern in self.patterns)

    def names(self) -> Callable[[str], bool]:
        """Return a filter for the name of a key below the prefix."""
        if not self.patterns:
            return lambda _: True
        ordered = self.patterns[::-1]
        regex = re.compile("|".join(f"({glob_regex(each.glob)})" for each in ordered), re.DOTALL)
        default = not self.patterns[0].is_include

        def matches(name: str) -> bool:
            found = regex.match(name)
            if found is None or found.lastindex is None:
                return default
            return ordered[found.lastindex - 1].is_include

        return matches

    def objects(self) -> Callable[[S3Object], bool]:
        """Return a filter for everything but the key of an object."""
        newer, older = self.newer_than, self.older_than
        smallest, largest = self.min_size, self.max_size
        classes = frozenset(self.storage_classes)

        def matches(item: S3Object) -> bool:
            return (
                (newer is None or item.last_modified >= newer)
                and (older is None or item.last_modified < older)
                and (smallest is None or item.size >= smallest)
                and (largest is None or item.size <= largest)
                and (not classes or item.storage_class.upper() in classes)
            )

        return matches

    def record(self) -> dict[str, Any]:
        """Return the filters as a JSON value; see :meth:`of_record`."""
        values = {
            "patterns": [
                ["include" if each.is_include else "exclude", each.glob] for each in self.patterns
            ],
            "newer_than": self.newer_than and self.newer_than.isoformat(),
            "older_than": self.older_than and self.older_than.isoformat(),
            "min_size": self.min_size,
            "max_size": self.max_size,
            "storage_classes": list(self.storage_classes),
        }
        return {name: value for name, value in values.items() if value not in (None, [])}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Filters:
        """Read what :meth:`record` returned.

        Raises:
            TypeError, ValueError: when it is not a valid record.
        """
        newer, older = record.get("newer_than"), record.get("older_than")
        return cls(
            patterns=tuple(
                Pattern({"include": True, "exclude": False}[word], glob)
                for word, glob in record.get("patterns", ())
            ),
            newer_than=newer and datetime.fromisoformat(newer),
            older_than=older and datetime.fromisoformat(older),
            min_size=record.get("min_size"),
            max_size=record.get("max_size"),
            storage_classes=tuple(record.get("storage_classes", ())),
        )


# All objects.
NO_FILTERS = Filters()


def patterns(include: Sequence[str], exclude: Sequence[str]) -> tuple[Pattern, ...]:
    """Return the patterns with the excludes last, so that they take precedence."""
    return (*(Pattern(True, glob) for glob in include), *(Pattern(False, each) for each in exclude))
