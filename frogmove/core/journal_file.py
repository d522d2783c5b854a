"""Journals as files: JSON lines, one record each, appended and made durable in time.

A run's file begins with a ``run`` record and, if the run came to its end, ends with an ``end``
record. In between stand ``copying`` (a copy is about to be sent), ``upload`` (a multipart upload
exists), ``copied`` (a verified copy is at the destination; on the disk before the source's delete
is sent) and ``result`` records.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from glob import escape
from itertools import dropwhile, islice
from typing import IO, TYPE_CHECKING, Any

from frogmove.core.models import Outcome
from frogmove.core.records import Record, Summary, cut_off_record, result_record
from frogmove.core.run_spec import Command, RunSpec
from frogmove.errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from frogmove.core.models import Result, VerifiedCopy
    from frogmove.s3.models import Copy, S3Object

VERSION = 3

# Bytes. What matters is written out before each batch of deletes; a write for every few lines in
# between would only cost time.
BUFFER = 1 << 20

# Behind a damaged line; a crash tears the last one, and only a broken disk or an editor more.
LINES_LOOKED_AT = 1000


class JournalFile:
    """Writes one run's journal; see :class:`frogmove.core.journal.Journal`.

    Args:
        path: a file that does not exist yet.
        spec: the run.
        uploads: multipart uploads that may be resumed, by :func:`upload_name`; they are taken
            over, so that a run that is interrupted again still leaves them to the next.

    Raises:
        UsageError: when the file cannot be written.
    """

    keeps_uploads = True
    keeps_failed_uploads = False

    def __init__(self, path: Path, spec: RunSpec, uploads: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._uploads = dict(uploads or {})
        self._records = 0
        self._continues = spec.continues
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Keys may tell more than everybody on this machine should know.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._file: IO[str] = os.fdopen(descriptor, "w", BUFFER, "ascii")
        try:
            self._write({"type": "run", "version": VERSION, **spec.record()})
            for name, upload_id in self._uploads.items():
                self._write_upload(name, upload_id)
            self._opening = self._records
            self.commit()
            _sync_directory(path.parent)
        except (OSError, RunError) as error:
            # Half a header is no journal, and nothing was begun that it would have to tell of.
            self.close()
            path.unlink(missing_ok=True)
            raise _unwritable(path, error.__cause__ or error) from error

    def copying(self, copy: Copy) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        key, place, replaced = json.dumps(copy.source.key), json.dumps(copy.to_key), "null"
        if copy.replaces is not None:
            replaced = json.dumps({"etag": copy.replaces, "version_id": copy.replaces_version})
        # Written by hand, as that takes half the time of a dict (measured), for every object.
        line = f'"key": {key}, "destination_key": {place}, "replaced": {replaced}'
        try:
            # It changes nothing by itself, so it does not count: see end().
            self._file.write(f'{{"type": "copying", {line}}}\n')
            self._file.flush()
        except OSError as error:
            raise self._broken(error) from error

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        self._write(
            {
                "type": "copied",
                "key": item.key,
                "size": item.size,
                "etag": item.etag,
                "storage_class": item.storage_class,
                "destination_key": copy.key,
                "destination_etag": copy.etag,
                "destination_version_id": copy.version_id,
                "held": copy.held,
                "resent": copy.resent,
                "modified": None if copy.modified is None else copy.modified.isoformat(),
                "replaced": None if copy.replaced is None else asdict(copy.replaced),
            }
        )

    def upload_begun(
        self, item: S3Object, destination_key: str, upload_id: str, part_size: int
    ) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        name = upload_name(item.key, item.etag, destination_key, part_size)
        self._write_upload(name, upload_id)

    def upload_to_resume(self, item: S3Object, destination_key: str, part_size: int) -> str | None:
        """See :class:`frogmove.core.journal.Journal`."""
        name = upload_name(item.key, item.etag, destination_key, part_size)
        return self._uploads.pop(name, None)

    def upload_ended(self, upload_id: str) -> None:
        """See :class:`frogmove.core.journal.Journal`; the object's result tells it."""

    def abandon_uploads(self) -> list[tuple[str, str]]:
        """Return destination key and id of each upload that could be resumed and was not."""
        left = [(json.loads(name)[2], upload_id) for name, upload_id in self._uploads.items()]
        self._uploads.clear()
        return left

    def finished(self, result: Result) -> None:
        """See :class:`frogmove.core.journal.Journal`; what was left alone is only counted."""
        if not result.outcome.is_counted_only:
            self._write(result_record(result))

    def commit(self) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._broken(error) from error

    def end(self, summary: Summary) -> None:
        """Close the journal.

        One that took nothing down is removed, unless there is something to be resumed, or it is
        another run's end.
        """
        took_down = not self._is_empty() or segments_of(self.path)
        nothing = not (took_down or self._continues or summary.interrupted)
        self._write({**summary.record(), "type": "end"})
        self.commit()
        self._file.close()
        if nothing:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what is left and close the file of a run that did not come to its end."""
        with suppress(OSError):
            self._file.close()

    def discard_if_empty(self) -> None:
        """Remove the closed file of one that took nothing down."""
        if self._is_empty():
            self.path.unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        return self._records == self._opening and not self._uploads

    def _write_upload(self, name: str, upload_id: str) -> None:
        key = json.loads(name)[0]
        self._write({"type": "upload", "name": name, "key": key, "upload_id": upload_id})

    def _write(self, record: Record) -> None:
        self._records += 1
        try:
            self._file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise self._broken(error) from error

    def _broken(self, error: OSError) -> RunError:
        return RunError(
            f"The journal {str(self.path)!r} cannot be written: {error.strerror}.",
            "No source was deleted without its record; fix the cause, then run it again.",
        )


def _unwritable(path: Path, error: BaseException) -> UsageError:
    reason = getattr(error, "strerror", None) or error
    return UsageError(
        f"The journal {str(path)!r} cannot be written: {reason}.",
        "Nothing was touched. Give another --journal FILE, or another folder in FROGMOVE_STATE.",
    )


def upload_name(key: str, etag: str, destination_key: str, part_size: int) -> str:
    """Name the one content, place and part size that a multipart upload can be resumed for."""
    return json.dumps([key, etag, destination_key, part_size])


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
        """Return the multipart uploads that the run left, as :class:`JournalFile` takes them."""
        left: dict[str, tuple[str, str]] = {}
        for record in self.records():
            if record["type"] == "upload":
                left[record["key"]] = (record["name"], record["upload_id"])
            elif record["type"] == "copied":
                left.pop(record["key"], None)
        return dict(left.values())


def segments_of(path: Path) -> list[Path]:
    """Return the files in which the workers of a run keep their parts of its journal."""
    return sorted(each for each in path.parent.glob(f"{escape(path.name)}.*") if each.is_file())


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


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
