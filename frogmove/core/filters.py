"""Which of the objects that were found are meant: by name, time, size and storage class. Pure."""

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
    """One pattern: whether the keys that match are meant or not, and the glob; see ``glob.py``."""

    is_include: bool
    glob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which objects are meant; all, unless something is said.

    Attributes:
        patterns: of the key below the folder that was chosen; the last one that matches decides.
            What none matches is meant where the first pattern excludes.
        newer_than: written at this time or later.
        older_than: written before this time.
        min_size: bytes; no smaller objects.
        max_size: bytes; no larger objects.
        storage_classes: only objects of these, in capitals; any where there are none.

    Raises:
        UsageError: when a pattern is none, or the limits leave nothing between them.
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
                "--exclude '*' leaves keys in folders selected, as '*' does not cross '/'.",
                "Leave it out: what no --include matches is not selected. Or write '**'.",
            )
        if any(glob.startswith("s3://") for glob in globs):
            raise UsageError(
                "A pattern is no URI: it is matched against the key below the prefix.",
                "Write it as --prefix FOLDER --include '*.csv'.",
            )
        if self.newer_than and self.older_than and self.newer_than >= self.older_than:
            raise UsageError(
                "No object is both that new and that old: --newer-than has to be the earlier time."
            )
        if min(self.min_size or 0, self.max_size or 0) < 0:
            raise UsageError("A negative number is not a size.")
        if self.min_size and self.max_size is not None and self.min_size > self.max_size:
            raise UsageError("No object is both that large and that small.")

    @property
    def has_include(self) -> bool:
        """Whether any pattern includes."""
        return any(pattern.is_include for pattern in self.patterns)

    @property
    def need_objects(self) -> bool:
        """Whether the name alone does not tell."""
        return self != Filters(patterns=self.patterns)

    def names(self) -> Callable[[str], bool]:
        """Return what tells by its name below the prefix whether a key may be meant."""
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
        """Return what tells by all but its name whether an object is meant."""
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
        """Return what is said, as JSON takes it; see :meth:`of_record`."""
        said = {
            "patterns": [
                ["include" if each.is_include else "exclude", each.glob] for each in self.patterns
            ],
            "newer_than": self.newer_than and self.newer_than.isoformat(),
            "older_than": self.older_than and self.older_than.isoformat(),
            "min_size": self.min_size,
            "max_size": self.max_size,
            "storage_classes": list(self.storage_classes),
        }
        return {name: value for name, value in said.items() if value not in (None, [])}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Filters:
        """Read what :meth:`record` returned.

        Raises:
            TypeError, ValueError: when it is something else.
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
    """Return patterns of which the excluding ones come last, and so decide."""
    return (*(Pattern(True, glob) for glob in include), *(Pattern(False, each) for each in exclude))
