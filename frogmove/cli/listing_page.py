"""Formats a listing page by page, in any process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from frogmove.cli.listing_view import ListingTotals
from frogmove.core.selection import matching
from frogmove.s3.unparsed_objects import UnparsedObjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frogmove.cli.listing_format import ListingFormat
    from frogmove.core.selection import Selection
    from frogmove.s3.models import S3Object


class Page(NamedTuple):
    """Consecutive objects of one of the selection's folders."""

    folder: str
    objects: Sequence[S3Object]

    @property
    def is_unparsed(self) -> bool:
        """Whether another process can parse it; to send parsed objects takes longer."""
        return isinstance(self.objects, UnparsedObjects)


class PageText(NamedTuple):
    """The selected objects of a page as they are printed, and their totals."""

    text: str
    totals: ListingTotals


@dataclass(frozen=True, slots=True)
class PageFormat:
    """Formats the selected objects of pages."""

    format: ListingFormat
    selection: Selection

    def __call__(self, page: Page) -> PageText:
        """Format a page.

        Raises:
            S3Error: when it is malformed.
        """
        totals = ListingTotals()
        lines = []
        for item in matching(page.objects, self.selection.matcher(page.folder)):
            lines.append(self.format.line(item))
            totals.add(item)
        return PageText("".join(lines), totals)
