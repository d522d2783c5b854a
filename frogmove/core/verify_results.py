"""The results of comparing both sides of a route."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from frogmove.core.advice import describe
from frogmove.errors import RunError
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frogmove.core.records import Record
    from frogmove.s3.models import S3Object


class Status(StrEnum):
    """The result of comparing one key on both sides."""

    SAME = "same"
    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    NOT_DELETED = "not-deleted"
    NOT_COMPARED = "not-compared"


class VerifyResult(NamedTuple):
    """The result of comparing one key on both sides.

    Attributes:
        status: the result.
        key: the source key, even if the source does not have it.
        destination_key: the key at the destination; empty if there is none.
        reason: the evidence, or what to do, for the operator.
        source: the source's object, if it has one.
        destination: the destination's object, if it has one.
    """

    status: Status
    key: str
    destination_key: str
    reason: str = ""
    source: S3Object | None = None
    destination: S3Object | None = None

    @property
    def size(self) -> int:
        """The size of the object; of the source's if there are two."""
        item = self.source or self.destination
        return 0 if item is None else item.size

    def record(self) -> Record:
        """Return the JSON record of the result."""
        ends = {"source": self.source, "destination": self.destination}
        return {
            "type": "verified",
            "key": self.key,
            "destination_key": self.destination_key,
            "status": self.status.value,
            "reason": self.reason,
            **{name: None if item is None else _end(item) for name, item in ends.items()},
        }


def _end(item: S3Object) -> Record:
    modified = item.last_modified.isoformat()
    return {"size": item.size, "etag": item.etag, "last_modified": modified}


class SameObjects(NamedTuple):
    """Objects that are the same on both sides, and of which only the number is shown.

    Attributes:
        number: how many.
        size: their total size.
    """

    number: int
    size: int

    @property
    def status(self) -> Status:
        """The result of each."""
        return Status.SAME


class VerifySummary:
    """Counts the results of a verification.

    Attributes:
        counts: the number of results of each status.
        bytes: the total size of the objects, each counted once.
        complete: whether everything was compared; False until the end of the iteration.
    """

    def __init__(self) -> None:
        self.counts: Counter[Status] = Counter(dict.fromkeys(Status, 0))
        self.bytes = 0
        self.complete = False

    def add(self, result: VerifyResult | SameObjects) -> None:
        """Count a result."""
        self.counts[result.status] += 1 if isinstance(result, VerifyResult) else result.number
        self.bytes += result.size

    @property
    def done(self) -> int:
        """The number of all results; may be read from any thread."""
        return self.counts.total()

    @property
    def unproven(self) -> int:
        """The number of results other than same; may be read from any thread."""
        return self.done - self.counts[Status.SAME]

    @property
    def same(self) -> bool:
        """Whether everything was compared, and nothing differs."""
        return self.complete and not self.unproven

    def record(self) -> Record:
        """Return the summary's JSON record."""
        return {
            "type": "summary",
            "counts": {status.value: self.counts[status] for status in Status},
            "complete": self.complete,
        }


class Verification:
    """A verification. Iterate over it for its results, once; it starts with the iteration.

    Args:
        results: the results, computed lazily. Objects that are only counted are not yielded.

    Attributes:
        summary: the counts so far.
    """

    def __init__(self, results: Iterable[VerifyResult | SameObjects]) -> None:
        self._results = results
        self.summary = VerifySummary()

    def __iter__(self) -> Iterator[VerifyResult]:
        """Yield the results.

        Raises:
            RunError: when a listing or every further request fails: the rest was not compared.
        """
        try:
            for result in self._results:
                self.summary.add(result)
                if isinstance(result, VerifyResult):
                    yield result
        except S3Error as error:
            raise RunError(
                f"The verification is incomplete: {describe(error, 'The rest was not compared')}.",
                "Fix the cause, then verify again.",
            ) from error
        self.summary.complete = True
