"""Messages between a run's process and its workers, sent over a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from frogmove.config import Config
    from frogmove.core.models import Result
    from frogmove.core.options import TransferOptions
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.sent_copies import SentCopy
    from frogmove.s3.activity import Activity
    from frogmove.s3.limits import Limits
    from frogmove.s3.range_listing import KeyRange


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs before its first range.

    Attributes:
        config: the endpoint and the credentials.
        limits: its share of the run's limits on requests to S3.
        spec: the run.
        options: how objects are moved on this server.
        segment: path of its segment of the journal.
        uploads: multipart uploads that may be resumed.
        sent: copies that the killed run had sent that this one resumes.
        counts_skips: whether it sends only the number of skipped objects, not their results.
        cores: see :func:`frogmove.cpu_scheduling.keep_to`; it keeps to none if this is empty.
    """

    config: Config
    limits: Limits
    spec: RunSpec
    options: TransferOptions
    segment: Path
    uploads: dict[str, str]
    sent: Mapping[str, SentCopy]
    counts_skips: bool
    cores: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Take:
    """To a worker: start on this range.

    Attributes:
        folder: the folder of the selection that contains the range.
        keys: the range.
        skips_first: whether its first key belongs to the range before it, from which it was split.
        done: keys that already have a result, from a worker that died.
        sent: copies that a worker that died had sent.
    """

    folder: str
    keys: KeyRange
    skips_first: bool
    done: frozenset[str] = frozenset()
    sent: Mapping[str, SentCopy] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Split:
    """To a worker: split off a part of what is not listed yet."""


@dataclass(frozen=True, slots=True)
class ExtendTo:
    """To a worker: where its range ends, after a part was split off."""

    last: str | None
    ends_at_key: bool


@dataclass(frozen=True, slots=True)
class SetLimits:
    """To a worker: its share of the run's limits from now on."""

    concurrency: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: start no new object, and finish those in flight."""


@dataclass(frozen=True, slots=True)
class End:
    """To a worker: no work is left; exit."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it is ready for a range."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """From a worker: it runs, so it was not stopped."""


@dataclass(frozen=True, slots=True)
class Began:
    """From a worker: the first key of its range; None if the range is empty."""

    first: str | None


@dataclass(frozen=True, slots=True)
class SplitOff:
    """From a worker: the range that it split off; None if it cannot split."""

    keys: KeyRange | None


@dataclass(frozen=True, slots=True)
class Results:
    """From a worker: results and progress.

    Attributes:
        results: the results since the last message.
        skipped: how many more objects were skipped since then.
        planned: how many actions it has planned so far.
        is_planned: whether its range is completely planned.
        activity: its current activity.
    """

    results: list[Result]
    skipped: int
    planned: int
    is_planned: bool
    activity: Activity


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: its range is done.

    Attributes:
        is_broken: see :class:`frogmove.s3.range_listing.RangeListing`.
        gap: see :class:`frogmove.s3.range_listing.RangeListing`.
        error: why it ended early; empty if it did not.
        remedy: what the operator can do about the error.
        could_begin: whether the first page of the range could be listed.
    """

    is_broken: bool = False
    gap: KeyRange | None = None
    error: str = ""
    remedy: str = ""
    could_begin: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker: it exits because of an error that was not expected."""

    error: str


@dataclass(frozen=True, slots=True)
class TaskDone:
    """From a worker of a :class:`~frogmove.processes.task_pool.TaskPool`: a result."""

    result: object


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """From such a worker: a task raised an error."""
