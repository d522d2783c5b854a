"""What a run's process and its workers tell each other, over a pipe. Values alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.config import Config
    from frogmove.core.models import Result
    from frogmove.core.options import TransferOptions
    from frogmove.core.run_spec import RunSpec
    from frogmove.s3.limits import Limits
    from frogmove.s3.range_listing import KeyRange


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs before its first range.

    Attributes:
        config: the endpoint and the credentials.
        limits: its share of what is asked of S3.
        spec: the run.
        options: how objects are moved, on this server.
        segment: the file of its part of the journal.
        uploads: multipart uploads that may be resumed.
    """

    config: Config
    limits: Limits
    spec: RunSpec
    options: TransferOptions
    segment: Path
    uploads: dict[str, str]


@dataclass(frozen=True, slots=True)
class Take:
    """To a worker: do this range.

    Attributes:
        keys: the range.
        leaves_first: whether its first key is done with the range before it, which was cut.
    """

    keys: KeyRange
    leaves_first: bool


@dataclass(frozen=True, slots=True)
class GiveAway:
    """To a worker: give a part of what is not listed yet away."""


@dataclass(frozen=True, slots=True)
class ReachTo:
    """To a worker: where its range ends, after it gave a part away."""

    last: str | None
    met: bool


@dataclass(frozen=True, slots=True)
class Share:
    """To a worker: its share of the run's limits from now on."""

    concurrency: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: begin nothing more, and finish what is in flight."""


@dataclass(frozen=True, slots=True)
class End:
    """To a worker: there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it can take a range."""


@dataclass(frozen=True, slots=True)
class Began:
    """From a worker: the first key of its range; None where it has none."""

    first: str | None


@dataclass(frozen=True, slots=True)
class Gave:
    """From a worker: the range that it gives away; None where there is nothing to give."""

    keys: KeyRange | None


@dataclass(frozen=True, slots=True)
class Results:
    """From a worker: what became of some objects, and how many actions were planned so far."""

    results: list[Result]
    planned: int


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: it has done its range.

    Attributes:
        is_broken: whether the range behind did not follow on from it.
        error: why it ended early; empty when it did not.
        remedy: what to do about that.
        could_begin: whether its range could be listed at all.
    """

    is_broken: bool
    error: str = ""
    remedy: str = ""
    could_begin: bool = True
