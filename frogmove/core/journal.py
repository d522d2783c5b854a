"""The journal of a run, as the protocol writes it: what must be known if the run ends here."""

from glob import escape
from pathlib import Path
from typing import Protocol

from frogmove.core.models import Result, VerifiedCopy
from frogmove.s3.models import Copy, S3Object

# Of the format of its files.
VERSION = 3


class Journal(Protocol):
    """Takes down what a run does. Nothing is durable before :meth:`commit` returns."""

    def copying(self, copy: Copy) -> None:
        """A copy is about to be sent; known of from now on, if only the process is killed."""

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        """A verified copy of ``item`` is at the destination."""

    def upload_begun(
        self, item: S3Object, destination_key: str, upload_id: str, part_size: int
    ) -> None:
        """A multipart upload for a copy of ``item`` exists."""

    def upload_to_resume(self, item: S3Object, destination_key: str, part_size: int) -> str | None:
        """Return the upload that an earlier run left for just this content; None without one."""

    def upload_ended(self, upload_id: str) -> None:
        """A multipart upload has been completed or thrown away, or is not there any more."""

    def finished(self, result: Result) -> None:
        """An action has its result."""

    def commit(self) -> None:
        """Make all of that survive a crash of the machine."""

    @property
    def keeps_uploads(self) -> bool:
        """Whether an interrupted multipart upload is kept, as somebody can resume it."""
        ...

    @property
    def keeps_failed_uploads(self) -> bool:
        """Whether one that failed for the moment is kept too, as somebody is sure to resume it."""
        ...


class NoJournal:
    """Forgets everything: for runs that need no undo."""

    keeps_uploads = False
    keeps_failed_uploads = False

    def copying(self, copy: Copy) -> None:
        """See :class:`Journal`."""

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
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


def segments_of(path: Path) -> list[Path]:
    """Return the files in which the workers of a run keep their parts of its journal."""
    return sorted(each for each in path.parent.glob(f"{escape(path.name)}.*") if each.is_file())
