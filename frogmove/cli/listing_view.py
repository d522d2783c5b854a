"""The options for the output of ``frogmove ls``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.cli import quantities
from frogmove.errors import UsageError
from frogmove.plural import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.core.records import Record
    from frogmove.s3.models import S3Object


@dataclass(frozen=True, slots=True)
class ListingView:
    """The format of a listing.

    Attributes:
        human: sizes such as ``1.2 MB`` in text.
        null: only raw keys, each terminated by a NUL.
        summarize: the totals at the end, on stdout.
    """

    human: bool = False
    null: bool = False
    summarize: bool = False

    def check(self, *, json_lines: bool) -> None:
        """Check that the options do not contradict each other.

        Raises:
            UsageError: when they do.
        """
        if self.null and (json_lines or self.summarize or self.human):
            raise UsageError(
                "--null shows only keys: it cannot be combined with --output json, --summarize and "
                "--human-readable."
            )

    def size(self, count: int) -> str:
        """Format a number of bytes."""
        return quantities.size(count) if self.human else str(count)


# Sizes in bytes.
PLAIN = ListingView()


@dataclass(slots=True)
class ListingTotals:
    """The totals of a listing.

    Attributes:
        objects: how many objects.
        size: their bytes.
        folders: how many folders; None if folders are not shown.
    """

    objects: int = 0
    size: int = 0
    folders: int | None = None

    def add(self, item: S3Object) -> None:
        """Count an object."""
        self.objects += 1
        self.size += item.size

    def add_all(self, other: ListingTotals) -> None:
        """Add the totals of another part; its folders are not shown."""
        self.objects += other.objects
        self.size += other.size

    def record(self) -> Record:
        """Return the JSON record."""
        folders = {} if self.folders is None else {"folders": self.folders}
        return {"type": "summary", "objects": self.objects, **folders, "bytes": self.size}

    def lines(self, view: ListingView) -> Iterator[str]:
        """Yield the lines with the totals, as in the AWS CLI."""
        if self.folders is not None:
            yield f"Total Folders: {self.folders}"
        yield f"Total Objects: {self.objects}"
        yield f"   Total Size: {view.size(self.size)}"

    def words(self) -> str:
        """Return the totals in one line."""
        totals = f"{quantities.objects(self.objects)}, {quantities.size(self.size)}"
        if self.folders is None:
            return totals
        return f"{counted(self.folders, 'folder', 'folders')}, {totals}"
