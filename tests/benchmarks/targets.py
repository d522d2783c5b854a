"""What frogmove is to reach, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.tools import FROGMOVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.results import Entry, Report, RowResult


# What a run sends besides: copies that find out what the server honours, and whatever else does not
# grow with the number of objects.
PROBE_COPIES = 3
REQUESTS_OF_A_RUN = 16

# Copies a second that S3 takes in one partitioned prefix.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
S3_RATE = 3_500


@dataclass(frozen=True, slots=True)
class Target:
    """One target.

    Attributes:
        what: the target, in words.
        measured: what came out, in words.
        met: whether that is enough.
    """

    what: str
    measured: str
    met: bool


def targets(report: Report) -> Iterator[Target]:
    """Give out each target that the rows of a report tell about."""
    for name, peer, factor in (
        ("move", "s5cmd", 2),
        ("move", "rclone", 3),
        ("move", "aws", 10),
        ("list", "s5cmd", 1),
        ("sync", "s5cmd", 1),
        ("sync", "rclone", 1),
        ("sync-million", "s5cmd", 1),
        ("sync-million", "rclone", 1),
    ):
        what = f"{factor}× the rate of {peer}" if factor > 1 else f"faster than {peer}"
        yield from _ratio(report.row(name), peer, factor, what, _rate)
    yield from _ratio(report.row("move"), "s5cmd", 2, "half of s5cmd's CPU an object", _cpu)
    yield from _ratio(report.row("list"), "aws", 10, "10× less CPU a key than aws", _cpu)
    for row in report.rows:
        own = row.of(FROGMOVE)
        if own is None:
            continue
        if row.name.startswith("start-"):
            wall = own.wall.median
            yield Target(f"{row.title}: 0.1 s", f"{wall:.3f} s", wall <= 0.1)
        elif "sync" in row.name:
            memory = own.memory / 1e6
            yield Target(f"{row.title}: under 200 MB", f"{memory:.0f} MB", memory < 200)
        if row.name == "move":
            yield from _requests(row, own)
        if row.name in {"move-30ms", "copy-30ms"}:
            rate = own.rate.median
            what = f"{row.title}: {S3_RATE:,}/s, which is all that S3 takes"
            yield Target(what, f"{rate:,.0f}/s", rate >= S3_RATE)


def _requests(row: RowResult, own: Entry) -> Iterator[Target]:
    """See that the run as a whole adds next to nothing, its probe of a server not AWS included."""
    copies = own.requests.get("CopyObject", 0)
    others = sum(own.requests.values()) - copies
    pages = 2 * -(-own.objects // 1000)
    yield Target(
        f"{row.title}: requests are 1 copy + 1/1000 delete + 1/1000 list",
        f"{copies / own.objects:.3f} copies, {others / own.objects * 1000:.1f}/1000 others",
        copies <= own.objects + PROBE_COPIES and others <= pages + REQUESTS_OF_A_RUN,
    )


def _ratio(
    row: RowResult | None,
    peer: str,
    factor: float,
    what: str,
    compare: Callable[[Entry, Entry], float],
) -> Iterator[Target]:
    own, other = (row.of(FROGMOVE), row.of(peer)) if row is not None else (None, None)
    if row is not None and own is not None and other is not None:
        ratio = compare(own, other)
        yield Target(f"{row.title}: {what}", f"{ratio:.2f}×", ratio >= factor)


def _rate(own: Entry, other: Entry) -> float:
    return own.rate.median / other.rate.median


def _cpu(own: Entry, other: Entry) -> float:
    return other.cpu.median / own.cpu.median
