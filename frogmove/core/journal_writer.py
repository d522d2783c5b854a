"""Writes the journal of a run as a JSON Lines file.

The file begins with a ``run`` record and, if the run finished, ends with an ``end`` record. In
between there are ``copying`` (a copy is about to be sent; in the file before that), ``not-sent``
(it was not sent, because the run was stopped, or was refused, and its object is skipped),
``unanswered`` (it had no response), ``upload`` (a multipart upload exists), ``copied`` (a verified
copy is at the destination; on disk before the source's delete is sent), ``deleting`` (a destination
object is about to be deleted; on disk before that) and ``result`` records.

The records that each object gets are formatted directly, in a quarter of the CPU time of
:func:`json.dumps` with a dict (measured).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import IO, TYPE_CHECKING

from frogmove.core.journal import VERSION, segment_number, segments_of
from frogmove.core.journal_lock import hold
from frogmove.core.models import Replaced
from frogmove.errors import RunError, UsageError
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from frogmove.core.models import Action, BackupCopy, Result, VerifiedCopy
    from frogmove.core.records import Record, Summary
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.models import Copy, S3Object

# Buffer size in bytes. Records are written to disk before each batch of deletes; more frequent
# writes would only cost time.
BUFFER = 1 << 20


class JournalWriter:
    """Writes one run's journal; see :class:`frogmove.core.journal.Journal`.

    Args:
        path: a file that does not exist yet.
        spec: the run.
        uploads: multipart uploads that may be resumed, by :func:`upload_name`; they are recorded
            again, so that they are known if this run is interrupted as well.

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
            # Readable only by this user: keys may be confidential.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from error
        hold(descriptor)
        self._file: IO[str] = os.fdopen(descriptor, "w", BUFFER, "ascii")
        try:
            self._write({"type": "run", "version": VERSION, **spec.record()})
            for name, upload_id in self._uploads.items():
                self._write_upload(name, upload_id)
            self._header_records = self._records
            self.commit()
            _sync_directory(path.parent)
        except (OSError, RunError) as error:
            # Without a complete header it is not a journal, and nothing was started yet.
            self.close()
            path.unlink(missing_ok=True)
            raise _unwritable(path, error.__cause__ or error) from error

    def copying(self, copy: Copy, backup: BackupCopy | None = None) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        replaced = "null"
        if copy.replaces is not None:
            replaced = json.dumps(asdict(Replaced(copy.replaces, copy.replaces_version, backup)))
        source = copy.source
        line = (
            f'"key": {quoted(source.key)}, "etag": {quoted(source.etag)}, '
            f'"destination_key": {quoted(copy.to_key)}, "replaced": {replaced}'
        )
        # It records no change, so it does not count as content: see end().
        self._append_line(f'{{"type": "copying", {line}}}\n')

    def unanswered(self, copy: Copy) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        self._append({"type": "unanswered", **_place(copy)})

    def not_sent(self, copy: Copy) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        self._append({"type": "not-sent", **_place(copy)})

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        version = "null" if copy.version_id is None else quoted(copy.version_id)
        modified = "null" if copy.modified is None else quoted(copy.modified.isoformat())
        replaced = "null" if copy.replaced is None else json.dumps(asdict(copy.replaced))
        held = "true" if copy.held else "false"
        resent = "true" if copy.resent else "false"
        self._write_line(
            f'{{"type": "copied", "key": {quoted(item.key)}, "size": {item.size}, '
            f'"etag": {quoted(item.etag)}, "storage_class": {quoted(item.storage_class)}, '
            f'"destination_key": {quoted(copy.key)}, "destination_etag": {quoted(copy.etag)}, '
            f'"destination_version_id": {version}, "held": {held}, "resent": {resent}, '
            f'"modified": {modified}, "replaced": {replaced}}}\n'
        )

    def deleting(self, action: Action, backup: BackupCopy | None) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        item = action.object
        self._write(
            {
                "type": "deleting",
                "key": item.key,
                "size": item.size,
                "etag": item.etag,
                "storage_class": item.storage_class,
                "destination_key": action.destination_key,
                "backup": None if backup is None else asdict(backup),
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
        """See :class:`frogmove.core.journal.Journal`; the object's result implies it."""

    def abandon_uploads(self) -> list[tuple[str, str]]:
        """Return the destination key and id of each upload that could be resumed but was not."""
        left = [(json.loads(name)[2], upload_id) for name, upload_id in self._uploads.items()]
        self._uploads.clear()
        return left

    def finished(self, result: Result) -> None:
        """See :class:`frogmove.core.journal.Journal`; skipped objects are only counted."""
        if not result.outcome.is_counted_only:
            item, now = result.action.object, datetime.now(UTC)
            self._write_line(
                f'{{"type": "result", "key": {quoted(item.key)}, '
                f'"destination_key": {quoted(result.destination_key)}, "size": {item.size}, '
                f'"etag": {quoted(item.etag)}, "outcome": {quoted(result.outcome.value)}, '
                f'"reason": {quoted(result.reason)}, '
                f'"time": "{now.isoformat(timespec="milliseconds")}"}}\n'
            )

    def has_segment(self, path: Path) -> None:
        """Record that a worker has written to a segment, so that it is missed if it gets lost."""
        self._write({"type": "segment", "number": segment_number(path)})
        self.flush()

    def flush(self) -> None:
        """See :class:`frogmove.core.journal.Journal`; other processes see the records as well."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._broken(error) from error

    def commit(self) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._broken(error) from error

    def end(self, summary: Summary) -> None:
        """Close the journal.

        A journal without content is removed, unless something can be resumed, or it continues
        another run.
        """
        has_records = not self._is_empty() or segments_of(self.path)
        is_unused = not (has_records or self._continues or summary.interrupted)
        self._write({**summary.record(), "type": "end"})
        self.commit()
        self._file.close()
        if is_unused:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write the buffered records and close the file of a run that did not finish."""
        with suppress(OSError):
            self._file.close()

    def discard_if_empty(self) -> None:
        """Remove the closed file if it has no content."""
        if self._is_empty():
            self.path.unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        return self._records == self._header_records and not self._uploads

    def _write_upload(self, name: str, upload_id: str) -> None:
        key = json.loads(name)[0]
        self._write({"type": "upload", "name": name, "key": key, "upload_id": upload_id})

    def _write(self, record: Record) -> None:
        self._write_line(json.dumps(record) + "\n")

    def _write_line(self, line: str) -> None:
        self._records += 1
        self._append_line(line)

    def _append(self, record: Record) -> None:
        """Write a record that is not content: without others the journal is empty."""
        self._append_line(json.dumps(record) + "\n")

    def _append_line(self, line: str) -> None:
        try:
            self._file.write(line)
        except OSError as error:
            raise self._broken(error) from error

    def _broken(self, error: OSError) -> RunError:
        return RunError(
            f"The journal {in_quotes(str(self.path))} cannot be written: {error.strerror}.",
            "No source was deleted without its record. Fix the cause, then rerun.",
        )


def _place(copy: Copy) -> Record:
    return {"key": copy.source.key, "destination_key": copy.to_key}


def _unwritable(path: Path, error: BaseException) -> UsageError:
    reason = getattr(error, "strerror", None) or error
    if isinstance(error, FileExistsError) and not path.exists():
        # It was raised for the directory.
        reason = f"{in_quotes(str(path.parent))} is not a directory"
    return UsageError(
        f"The journal {in_quotes(str(path))} cannot be written: {reason}.",
        "Nothing was changed. Use another --journal FILE, or another directory in FROGMOVE_STATE.",
    )


def upload_name(key: str, etag: str, destination_key: str, part_size: int) -> str:
    """Return a name for the content, destination and part size that an upload belongs to."""
    return json.dumps([key, etag, destination_key, part_size])


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
