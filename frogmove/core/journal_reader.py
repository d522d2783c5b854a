"""Reads the journals of runs, finished or not."""

from __future__ import annotations

import json
from io import SEEK_END
from itertools import dropwhile, islice
from typing import IO, TYPE_CHECKING, Any

from frogmove.core.journal import VERSION, segment_of, segments_of
from frogmove.core.journal_lock import is_held
from frogmove.core.models import Outcome
from frogmove.core.records import Record, cut_off_record
from frogmove.core.run_spec import Command, RunSpec
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Damaged lines other than the last one, which a crash may leave incomplete.
MAX_LINES_CHECKED = 1000

# More bytes than an ``end`` record has.
_LAST_BYTES = 1 << 14


class JournalReader:
    """Reads a journal, finished or not.

    Args:
        path: the file.

    Attributes:
        spec: the run's description.
        path: the file.

    Raises:
        UsageError: when it is not a journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        first = next(_lines(path), None)
        if first is None and path.stat().st_size == 0:
            raise UsageError(
                f"{in_quotes(str(path))} is not a journal: it is empty, because its run ended "
                "before it did anything.",
                "Delete the file.",
            )
        if first is None or (first["type"], first.get("version")) != ("run", VERSION):
            raise UsageError(
                f"{in_quotes(str(path))} is not a journal of this version of frogmove.",
                "Choose another run, or use the version of frogmove that wrote it.",
            )
        try:
            self.spec = _spec(first)
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
            raise UsageError(f"{in_quotes(str(path))} is not a journal of frogmove.") from error

    def records(self) -> Iterator[Record]:
        """Yield the records after the header.

        An incomplete line ends the journal. Nothing depended on it: a source is deleted only after
        its record is on disk.
        """
        for path in self._paths():
            yield from islice(_lines(path), 1, None)

    def of_type(self, kind: str) -> Iterator[Record]:
        """Yield the records of one type."""
        return (record for record in self.records() if record["type"] == kind)

    def about(self, key: str) -> Iterator[Record]:
        """Yield the records about a key of either side; lines without it are not parsed."""
        needle = json.dumps(key).encode()
        for path in self._paths():
            with _open(path) as file:
                for line in file:
                    record = _parse(line) if needle in line else None
                    if record is not None and key in {
                        record.get("key"),
                        record.get("destination_key"),
                    }:
                        yield record

    def deletes(self) -> Iterator[Record]:
        """Yield the ``deleting`` records, without those of objects that were found replaced."""
        superseded = {
            record.get("key")
            for record in self.of_type("result")
            if record.get("outcome") == Outcome.SUPERSEDED.value
        }
        return (each for each in self.of_type("deleting") if each.get("key") not in superseded)

    def failed_keys(self) -> list[str]:
        """Return the keys that failed, and those without a result because the run was cut off."""
        results = self.of_type("result")
        failed = (each for each in results if each["outcome"] == Outcome.FAILED.value)
        return [record["key"] for record in (*failed, *self.cut_off())]

    def copied_by_dead_workers(self) -> list[Record]:
        """Return the ``copied`` records of workers that died: others may have copied them again."""
        paths = self._paths()
        if len(paths) == 1:
            return []
        return [record for path in paths for record in _without_result(path).values()]

    def sent(self) -> list[tuple[Record, bool]]:
        """Return the ``copying`` records without a verified copy, and whether the copy failed."""
        return [each for path in self._paths() for each in _sent(path)]

    def sent_by_dead_workers(self) -> list[Record]:
        """Return the ``copying`` records of workers that died: others may have found the copies."""
        paths = self._paths()
        if len(paths) == 1:
            return []
        return [record for path in paths for record, has_failed in _sent(path) if not has_failed]

    def cut_off(self) -> list[Record]:
        """Return the copies and deletes without a result, as ``result`` records."""
        copied = _without_result(self.path)
        twice = self.copied_by_dead_workers()
        copied |= {record.get("key", ""): record for record in twice}
        if twice:
            # What a worker that died had copied, another may have finished.
            for record in self.of_type("result"):
                copied.pop(record.get("key", ""), None)
        reason = "the run was cut off"
        if self.spec.command not in {Command.SYNC, Command.COPY}:
            reason += "; its source may have been deleted"
        cut_off = [cut_off_record(record, reason) for record in copied.values()]
        # Only the run's own process deletes at the destination.
        deletes = _without_result(self.path, "deleting").values()
        reason = "the run was cut off; it may still be at the destination"
        return cut_off + [cut_off_record(each, reason, Outcome.DELETED) for each in deletes]

    def end(self) -> Record | None:
        """Return the ``end`` record; None if the run did not finish."""
        return next(self.of_type("end"), None)

    def is_running(self) -> bool:
        """Tell whether the run is still running, as far as the system knows."""
        return is_held(self.path)

    def last_end(self) -> Record | None:
        """Return the ``end`` record if the file ends with it; what is before it is not read."""
        with _open(self.path) as file:
            file.seek(max(0, file.seek(0, SEEK_END) - _LAST_BYTES))
            lines = file.read().splitlines(keepends=True)
        last = _parse(lines[-1]) if lines else None
        return last if last is not None and last["type"] == "end" else None

    def is_incomplete(self) -> bool:
        """Tell whether the file, or one of its segments, ends with an incomplete record."""
        return any(map(_damage, self._all_paths())) and not self.is_damaged()

    def is_damaged(self) -> bool:
        """Tell whether a segment is missing, or there are records after a damaged line.

        These are not read.
        """
        return bool(self.missing()) or any(True in _damage(path) for path in self._all_paths())

    def missing(self) -> list[Path]:
        """Return the segments that are no longer next to the file."""
        found = self._all_paths()
        records = (each for each in _lines(self.path) if each["type"] == "segment")
        named = (segment_of(self.path, record.get("number", 0)) for record in records)
        return [path for path in named if path not in found]

    def _paths(self) -> list[Path]:
        """Return the journal's file and those of its segments; others may have such names, too."""
        header = next(_lines(self.path), None)
        return [path for path in self._all_paths() if next(_lines(path), None) == header]

    def _all_paths(self) -> list[Path]:
        """Return the same with those whose beginning is damaged."""
        header = next(_lines(self.path), None)
        named = (self.path, *segments_of(self.path))
        return [path for path in named if next(_lines(path), header) == header]

    def uploads(self) -> dict[str, str]:
        """Return the multipart uploads that the run left, in the form for a new journal."""
        left: dict[str, tuple[str, str]] = {}
        for record in self.records():
            if record["type"] == "upload":
                left[record["key"]] = (record["name"], record["upload_id"])
            elif record["type"] == "copied":
                left.pop(record["key"], None)
        return dict(left.values())


def _spec(header: Record) -> RunSpec:
    """Return the description of a run that a journal begins with.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, UsageError: when it is not valid. Otherwise
            one edited journal would end the list of all runs.
    """
    spec = RunSpec.of_record(header)
    spec.route()
    if not (spec.id.isprintable() and spec.started.isprintable()):
        raise ValueError("an id or a time with invisible characters")
    return spec


def _damage(path: Path) -> list[bool]:
    """Return, for each line from the first damaged one on, whether it is a record."""
    with _open(path) as file:
        lines = (_parse(line) is not None for line in file)
        return list(islice(dropwhile(bool, lines), MAX_LINES_CHECKED))


def _without_result(path: Path, kind: str = "copied") -> dict[str, Record]:
    """Return, by key, the records of one type and file that have no result there."""
    copied: dict[str, Record] = {}
    for record in islice(_lines(path), 1, None):
        if record["type"] == kind:
            copied[record.get("key", "")] = record
        elif record["type"] == "result":
            copied.pop(record.get("key", ""), None)
    return copied


def _sent(path: Path) -> list[tuple[Record, bool]]:
    """Return what :meth:`JournalReader.sent` does for one file."""
    sent: dict[str, tuple[Record, bool]] = {}
    for record in islice(_lines(path), 1, None):
        kind, key = record["type"], record.get("key", "")
        if kind == "copying":
            sent[key] = record, False
        elif kind == "result" and key in sent and record.get("outcome") == Outcome.FAILED.value:
            sent[key] = sent[key][0], True
        elif kind in {"copied", "not-sent", "result"}:
            sent.pop(key, None)
    return list(sent.values())


def _lines(path: Path) -> Iterator[Record]:
    with _open(path) as file:
        for line in file:
            record = _parse(line)
            if record is None:
                return
            yield record


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(
            f"The journal {in_quotes(str(path))} cannot be read: {error.strerror}.",
            "`frogmove runs` lists the existing runs.",
        ) from error


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None
