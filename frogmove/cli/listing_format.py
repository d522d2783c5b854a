"""Formats objects and folders of a listing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frogmove.cli.key_argument import key_argument
from frogmove.core.records import Record, object_record

if TYPE_CHECKING:
    from frogmove.cli.listing_view import ListingView
    from frogmove.s3.models import S3Object
    from frogmove.s3.uri import Location

    # An object, or the prefix of a folder.
    Entry = S3Object | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFormat:
    """The format of a listing.

    Attributes:
        side: the location that keys are relative to.
        view: how sizes and keys are written.
        json_lines: whether as JSON lines.
        encoding: the encoding of the output.
        is_plain: whether without styles.
    """

    side: Location
    view: ListingView
    json_lines: bool
    encoding: str
    is_plain: bool

    def line(self, entry: Entry) -> str:
        """Return a plain line with its end."""
        if self.json_lines:
            return json.dumps(_record(entry)) + "\n"
        if self.view.null:
            key = entry if isinstance(entry, str) else entry.key
            return f"{key.removeprefix(self.side.prefix)}\0"
        first, modified, name = self._fields(entry)
        return f"{first:>13}  {modified:19}  {name}\n"

    def styled(self, entry: Entry) -> list[tuple[str, str]]:
        """Return the same line without its end, as texts with their styles."""
        first, modified, name = self._fields(entry)
        return [(f"{first:>13}  ", "cyan"), (f"{modified:19}  ", "dim"), (name, "")]

    def _fields(self, entry: Entry) -> tuple[str, str, str]:
        if isinstance(entry, str):
            return "PRE", "", key_argument(entry, self.side, self.encoding)
        modified = entry.last_modified.isoformat(" ", "seconds")[:19]
        name = key_argument(entry.key, self.side, self.encoding)
        return self.view.size(entry.size), modified, name


def _record(entry: Entry) -> Record:
    return {"type": "folder", "key": entry} if isinstance(entry, str) else object_record(entry)
