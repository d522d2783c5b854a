"""The journal that the move protocol writes: everything needed if the run ends here."""

import re
from collections.abc import Iterator
from glob import escape
from itertools import count
from pathlib import Path
from typing import Protocol

from frogmove.core.models import Action, BackupCopy, Result, VerifiedCopy
from frogmove.s3.models import Copy, S3Object

# The version of the file format.
VERSION = 3

# How the names of segments end.
_NUMBER = re.compile(r"\.[0-9]{1,9}\Z")


class Journal(Protocol):
    """Records what a run does. Nothing is durable before :meth:`commit` returns."""

    def copying(self, copy: Copy, backup: BackupCopy | None = None) -> None:
        """Record that a copy is about to be sent, after the next :meth:`flush`.

        Args:
            copy: the copy.
            backup: the copy of the object that it replaces, if there is one.
        """

    def flush(self) -> None:
        """Write all records to the file; they survive a killed process, not a system crash."""

    def unanswered(self, copy: Copy) -> None:
        """Record that a copy was sent, but no response tells whether it took place."""

    def not_sent(self, copy: Copy) -> None:
        """Record that a copy did not take place: it was not sent, or was refused and skipped."""

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        """Record that a verified copy of ``item`` is at the destination."""

    def deleting(self, action: Action, backup: BackupCopy | None) -> None:
        """Record that a destination object is about to be deleted, and its copy, if any."""

    def upload_begun(
        self, item: S3Object, destination_key: str, upload_id: str, part_size: int
    ) -> None:
        """Record that a multipart upload for a copy of ``item`` exists."""

    def upload_to_resume(self, item: S3Object, destination_key: str, part_size: int) -> str | None:
        """Return the upload that an earlier run left for exactly this content, or None."""

    def upload_ended(self, upload_id: str) -> None:
        """Record that a multipart upload was completed or aborted, or no longer exists."""

    def finished(self, result: Result) -> None:
        """Record the result of an action."""

    def commit(self) -> None:
        """Write all records to disk; they survive a crash of the machine."""

    @property
    def keeps_uploads(self) -> bool:
        """Whether interrupted multipart uploads are kept because they can be resumed."""
        ...

    @property
    def keeps_failed_uploads(self) -> bool:
        """Whether uploads that failed temporarily are kept because they will be resumed."""
        ...


class NoJournal:
    """Records nothing, for callers that need no undo."""

    keeps_uploads = False
    keeps_failed_uploads = False

    def copying(self, copy: Copy, backup: BackupCopy | None = None) -> None:
        """See :class:`Journal`."""

    def flush(self) -> None:
        """See :class:`Journal`."""

    def unanswered(self, copy: Copy) -> None:
        """See :class:`Journal`."""

    def not_sent(self, copy: Copy) -> None:
        """See :class:`Journal`."""

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        """See :class:`Journal`."""

    def deleting(self, action: Action, backup: BackupCopy | None) -> None:
        """See :class:`Journal`."""

    def upload_begun(
        self, item: S3Object, destination_key: str, upload_id: str, part_size: int
    ) -> None:
        """See :class:`Journal`."""

    def upload_to_resume(self, item: S3Object, destination_key: str, part_size: int) -> str | None:
        """See :class:`Journal`."""
        return None

    def upload_ended(self, upload_id: str) -> None:
        """See :class:`Journal`."""

    def finished(self, result: Result) -> None:
        """See :class:`Journal`."""

    def commit(self) -> None:
        """See :class:`Journal`."""


def segment_number(path: Path) -> int:
    """Return the number at the end of a segment's name."""
    return int(path.suffix[1:])


def segments_of(path: Path) -> list[Path]:
    """Return the files whose names are those of journal segments, which workers write."""
    named = (each for each in path.parent.glob(f"{escape(path.name)}.*") if each.is_file())
    return sorted((each for each in named if _NUMBER.match(each.suffix)), key=segment_number)


def free_segments(path: Path) -> Iterator[Path]:
    """Return names for further segments of a journal, each of which no file has."""
    numbered = (segment_of(path, number) for number in count(1))
    return (segment for segment in numbered if not segment.exists())


def segment_of(path: Path, number: int) -> Path:
    """Return the path of a journal's segment."""
    return path.with_name(f"{path.name}.{number}")
