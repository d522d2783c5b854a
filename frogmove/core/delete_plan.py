"""Plans which objects a sync deletes at the destination: those that the source does not have."""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.backup import obstacle
from frogmove.core.filters import Filters
from frogmove.core.folder_pairs import pair_folder
from frogmove.core.models import Action, Route, Verb
from frogmove.core.options import OnConflict
from frogmove.core.run_spec import Command
from frogmove.core.sync_plan import check_listing_order
from frogmove.errors import UnreachableError, UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.errors import S3Error
from frogmove.s3.models import S3Object
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.interface import S3

_REASON = "only at the destination"

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)%")


@dataclass(frozen=True, slots=True)
class MaxDelete:
    """The limit for deletes of a sync.

    Attributes:
        count: maximum number of objects.
        percent: maximum percentage of the selected objects of the destination.
    """

    count: int | None = None
    percent: float | None = None

    @classmethod
    def parse(cls, text: str) -> MaxDelete:
        """Parse ``1000`` or ``10%``.

        Raises:
            UsageError: when it is neither.
        """
        found = _PERCENT.fullmatch(text)
        if found is not None and float(found[1]) <= 100:
            return cls(percent=float(found[1]))
        if text.isascii() and text.isdigit():
            return cls(count=int(text))
        raise UsageError(
            f"--max-delete cannot be {in_quotes(text)}.",
            "Use a number of objects, or a percentage such as 10%.",
        )

    def allows(self, count: int, total: int) -> bool:
        """Tell whether a number of the selected objects of the destination may be deleted."""
        if self.percent is not None:
            return count <= total * self.percent / 100
        return self.count is None or count <= self.count


class Deletions:
    """The objects that a sync deletes, kept in a temporary file; iterate over it for its actions.

    Attributes:
        count: the number of objects.
        bytes: their total size.
        of: the number of selected objects at the destination.
        forecast: turns the actions into what a run would do; None if that is known.
        warning: why an undo could not restore them; empty if it can.
    """

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.of = 0
        self.forecast: Callable[[Iterable[Action]], Iterator[Action]] | None = None
        self.warning = ""
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object

    def add(self, key: str, there: S3Object) -> None:
        """Add an object of the destination.

        Args:
            key: the key that the source does not have.
            there: the object.
        """
        self.count += 1
        self.bytes += there.size
        modified = there.last_modified.isoformat()
        record = [key, there.key, there.size, there.etag, modified, there.storage_class]
        self._file.write(json.dumps(record).encode() + b"\n")

    def flush(self) -> None:
        """Write what is still in memory.

        Raises:
            OSError: when that is not possible.
        """
        self._file.flush()

    def __iter__(self) -> Iterator[Action]:
        """Yield the actions.

        Raises:
            S3Error: when they cannot be forecast.
        """
        return self._read() if self.forecast is None else self.forecast(self._read())

    def _read(self) -> Iterator[Action]:
        self._file.seek(0)
        for line in self._file:
            key, place, size, etag, modified, storage_class = json.loads(line)
            item = S3Object(key, size, etag, datetime.fromisoformat(modified), storage_class)
            yield Action(Verb.DELETE, item, place, _REASON)


def check_deletes(spec: RunSpec) -> None:
    """Refuse options that contradict deletes, and a backup inside the source or destination.

    Raises:
        UsageError: when there is one.
    """
    if spec.backup is not None:
        backup = parse_location(spec.backup)
        for end in (parse_location(spec.destination), parse_location(spec.source)):
            if end.overlaps(backup):
                raise UsageError(
                    f"The backup {backup} and {end} overlap: the next sync would handle the "
                    "backups like other objects.",
                    "Choose another bucket or prefix for --backup.",
                )
    if spec.command is Command.UNDO or not spec.delete:
        return
    if spec.command is not Command.SYNC:
        raise UsageError("Only a sync can delete.")
    MaxDelete.parse(spec.max_delete)
    selection = spec.selection
    if not selection.is_of_folders:
        raise UsageError(
            "--delete cannot be combined with KEYs or --from-file.",
            "Select folders with --prefix instead.",
        )
    if spec.mapping.rename is not None:
        raise UsageError(
            "--delete cannot be combined with --rename: the source key of an object at the "
            "destination is not known.",
            "Use --strip-prefix or --to-prefix instead.",
        )
    if selection.filters != Filters(patterns=selection.filters.patterns) or spec.required_tags():
        raise UsageError(
            "--delete cannot be combined with times, sizes, storage classes or tags.",
            "Use --prefix, --include and --exclude instead.",
        )
    if spec.on_conflict is OnConflict.KEEP_BOTH:
        raise UsageError(
            "--delete cannot be combined with --on-conflict keep-both.",
            "The next sync would delete the objects that this one copies to other keys.",
        )


def find_extras(s3: S3, spec: RunSpec) -> Deletions:
    """List both sides completely, and find the objects to delete.

    Args:
        s3: the client for both buckets.
        spec: the sync.

    Raises:
        UnreachableError: when a listing fails.
        RunError: when a listing is not in key order.
        UsageError: when a folder is empty at the source but not at the destination, too many
            objects would be deleted, or the list of them cannot be written.
    """
    check_listing_order(spec.route())
    try:
        with _complete_list() as found:
            for folder in spec.selection.folders:
                _find_extras_of(folder, s3, spec, found)
    except S3Error as error:
        reason = describe(error, "Nothing was changed")
        raise UnreachableError(f"The objects to delete could not be listed: {reason}.") from error
    if not MaxDelete.parse(spec.max_delete).allows(found.count, found.of):
        raise UsageError(
            f"{found.count:,} of {found.of:,} objects would be deleted at {spec.destination}, "
            f"more than --max-delete {spec.max_delete}. Nothing was changed.",
            "To see them, use --dry-run and a larger --max-delete.",
        )
    return found


def planned_deletions(actions: Iterable[Action]) -> Deletions:
    """Return what the deletes of a reviewed plan delete.

    Raises:
        UsageError: when the list of them cannot be written.
    """
    with _complete_list() as found:
        for action in actions:
            found.add(action.object.key, action.object._replace(key=action.destination_key))
    return found


@contextmanager
def _complete_list() -> Iterator[Deletions]:
    """Return an empty list of deletes, all of which is in its file afterwards.

    Raises:
        UsageError: when it cannot be written.
    """
    try:
        found = Deletions()
        yield found
        found.flush()
    except OSError as error:
        raise UsageError(
            f"The list of objects to delete cannot be written: {error.strerror}.",
            "Nothing was changed. Free some space, or set TMPDIR to another directory.",
        ) from error


def _find_extras_of(folder: str, s3: S3, spec: RunSpec, found: Deletions) -> None:
    route, mapping = spec.route(), spec.mapping
    to_backup = None if spec.backup is None else Route.parse(spec.destination, spec.backup)
    sources, before = 0, found.count
    for item, _, there in pair_folder(s3, spec, folder):
        sources += item is not None
        found.of += there is not None
        if item is None and there is not None:
            key = mapping.source_key(there.key, route)
            if key is not None:
                if to_backup is not None:
                    _check_backup(to_backup, there.key)
                found.add(key, there)
    if not sources and found.count > before:
        where = f"s3://{route.source.bucket}/{folder}"
        raise UsageError(
            f"{in_quotes(where)} has no selected objects, so everything would be deleted at the "
            "destination. Nothing was changed.",
            "Check the route. To delete everything anyway, use another tool.",
        )


def _check_backup(route: Route, key: str) -> None:
    reason = obstacle(route, key)
    if reason:
        raise UsageError(
            f"{in_quotes(key)} cannot be backed up: {reason}. Nothing was changed.",
            "Use a --backup with a shorter prefix.",
        )
