"""Reads from a dead worker's journal segment what it had done."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from frogmove.core.journal_reader import JournalReader
from frogmove.core.models import Outcome
from frogmove.core.records import result_of
from frogmove.core.selection import HEAD_CONCURRENCY, head_each
from frogmove.core.sent_copies import sent_copies
from frogmove.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from frogmove.core.models import Result
    from frogmove.core.sent_copies import SentCopy
    from frogmove.s3.interface import S3


class DeadWorker:
    """A worker that died.

    Args:
        segment: its segment of the journal.
        received: how many of the results in it were received.
    """

    def __init__(self, segment: Path, received: int) -> None:
        self._received = received
        self._journal: JournalReader | None = None
        try:
            self._journal = JournalReader(segment)
        except UsageError:
            # It died before it wrote anything.
            return

    def done(self) -> frozenset[str]:
        """Return the keys that have a result."""
        if self._journal is None:
            return frozenset()
        return frozenset(record["key"] for record in self._journal.of_type("result"))

    def sent(self) -> dict[str, SentCopy]:
        """Return the copies of which it is not known whether they took place."""
        return {} if self._journal is None else sent_copies(self._journal)

    def unreported(self) -> Iterator[Result]:
        """Yield the results that were not received."""
        if self._journal is not None:
            for record in islice(self._journal.of_type("result"), self._received, None):
                yield result_of(record)

    def moved(self, s3: S3, bucket: str) -> Iterator[Result]:
        """Yield results for keys that were copied, have none, and are gone from the source.

        Args:
            s3: the client.
            bucket: the source bucket.
        """
        if self._journal is None:
            return
        copied = {record["key"]: record for record in self._journal.cut_off()}
        for key, seen in head_each(copied, s3, bucket, HEAD_CONCURRENCY):
            # A source that still exists is listed again with the rest of the range.
            if seen is None:
                moved = {"outcome": Outcome.MOVED.value, "reason": "its worker process died"}
                yield result_of(copied[key] | moved)
