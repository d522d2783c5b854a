"""The objects that wait at the source: how many, how large, since when, in which folders."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from frogmove.s3.listing import list_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object
    from frogmove.s3.uri import Location

# The folders that are counted, so that memory stays bounded.
_MAX_FOLDERS = 10_000
_FOLDERS_SHOWN = 100

PROGRESS_SECONDS = 10.0
_PAGE = 1000


@dataclass(slots=True)
class Backlog:
    """The objects at the source.

    Attributes:
        objects: how many.
        size: their bytes.
        oldest: the object that has been there for the longest time; None for none.
        folders: the numbers of objects below each folder of the source; ``""`` for no folder.
    """

    objects: int = 0
    size: int = 0
    oldest: S3Object | None = None
    folders: Counter[str] = field(default_factory=Counter)

    def add(self, item: S3Object, folder: str) -> None:
        """Count an object."""
        self.objects += 1
        self.size += item.size
        if self.oldest is None or item.last_modified < self.oldest.last_modified:
            self.oldest = item
        if folder in self.folders or len(self.folders) < _MAX_FOLDERS:
            self.folders[folder] += 1

    def record(self) -> dict[str, Any]:
        """Return the JSON fields."""
        oldest = self.oldest
        return {
            "objects": self.objects,
            "bytes": self.size,
            "oldest_key": None if oldest is None else oldest.key,
            "oldest": None if oldest is None else oldest.last_modified.isoformat(),
            "folders": dict(self.folders.most_common(_FOLDERS_SHOWN)),
        }


def count(s3: S3, source: Location, on_progress: Callable[[int], None]) -> Backlog:
    """List the source.

    Args:
        s3: the client.
        source: the source.
        on_progress: called every ten seconds with the number of objects so far.

    Raises:
        S3Error: when a request fails.
    """
    backlog = Backlog()
    last_report = time.monotonic()
    for item in list_prefix(s3, source.bucket, source.prefix):
        folder, slash, _ = item.key.removeprefix(source.prefix).partition("/")
        backlog.add(item, folder + slash if slash else "")
        if backlog.objects % _PAGE == 0 and time.monotonic() - last_report >= PROGRESS_SECONDS:
            last_report = time.monotonic()
            on_progress(backlog.objects)
    return backlog
