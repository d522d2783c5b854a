"""Reads the journals of runs, whether these came to their end or not."""

from __future__ import annotations

import json
from itertools import dropwhile, islice
from typing import IO, TYPE_CHECKING, Any

from frogmove.core.journal import VERSION, segments_of
from frogmove.core.models import Outcome
from frogmove.core.records import Record, cut_off_record
from frogmove.core.run_spec import Command, RunSpec
from frogmove.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Behind a damaged line; a crash tears the last one, and only a broken disk or an editor more.
LINES_LOOKED_AT = 1000


class JournalReader:
    """Reads a journal, whether its run came to its end or not.

    Args:
        path: the file.

    Attributes:
        spec: what the run was asked to do.
        path: the file.

    Raises:
        UsageError: when it is not a journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        first = next(_lines(path), None)
        if first is None and path.stat().st_size == 0:
            raise UsageError(
                f"{str(path)!r} is not a journal: it is empty, as its run ended at its very start.",
                "It did nothing: delete the file.",
            )
        try:
            if first is None or first["type"] != "run" or first["version"] != VERSION:
                raise UsageError(
                    f"{str(path)!r} is not a journal of this version of frogmove.",
                    "Name another run, or read it with the version that wrote it.",
                )
            self.spec = RunSpec.of_record(first)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"{str(path)!r} is not a journal of frogmove.") from error

    def records(self) -> Iterator[Record]:
        """Read the records behind the header.

        A line that a crash left torn ends the journal: what it told was never acted upon, as a
        source is deleted only once its record is on the disk.
        """
        for path in (self.path, *segments_of(self.path)):
            yield from islice(_lines(path), 1, None)

    def of_type(self, kind: str) -> Iterator[Record]:
        """Read the records of one type."""
        return (record for record in self.records() if record["type"] == kind)

    def failed_keys(self) -> list[str]:
        """Return the keys that failed, and those of which the run had no time to tell more."""
        results = self.of_type("result")
        failed = (each for each in results if each["outcome"] == Outcome.FAILED.value)
        return [record["key"] for record in (*failed, *self.cut_off())]

    def cut_off(self) -> list[Record]:
        """Return, as ``result`` records, the copies of which the run had no time to tell more."""
        copied: dict[str, Record] = {}
        for record in self.records():
            if record["type"] == "copied":
                copied[record.get("key", "")] = record
            elif record["type"] == "result":
                copied.pop(record.get("key", ""), None)
        reason = "the run was cut off"
        if self.spec.command not in {Command.SYNC, Command.COPY}:
            reason += "; the delete of its source may have been sent"
        return [cut_off_record(record, reason) for record in copied.values()]

    def end(self) -> Record | None:
        """Return the ``end`` record; None when the run did not come to its end."""
        return next(self.of_type("end"), None)

    def is_torn(self) -> bool:
        """Tell whether the file ends in something that is no whole record."""
        return bool(self._damage()) and not self.is_damaged()

    def is_damaged(self) -> bool:
        """Tell whether records stand behind something that is none; they are not read."""
        return True in self._damage()

    def _damage(self) -> list[bool]:
        """Return, for what stands from the first damaged line on, whether each is a record."""
        with _open(self.path) as file:
            lines = (_parse(line) is not None for line in file)
            return list(islice(dropwhile(bool, lines), LINES_LOOKED_AT))

    def uploads(self) -> dict[str, str]:
        """Return the multipart uploads that the run left, as a further run's journal takes them."""
        left: dict[str, tuple[str, str]] = {}
        for record in self.records():
            if record["type"] == "upload":
                left[record["key"]] = (record["name"], record["upload_id"])
            elif record["type"] == "copied":
                left.pop(record["key"], None)
        return dict(left.values())


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
            f"The journal {str(path)!r} cannot be read: {error.strerror}.",
            "`frogmove runs` lists the runs there are.",
        ) from error


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None
