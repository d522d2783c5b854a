"""What frogmove is to reach, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.tools import AWS, FROGMOVE, RCLONE, RCLONE_CHECK, S5CMD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.results import Entry, Report, RowResult


# What a run sends besides: copies that find out what the server honours, and requests whose number
# does not grow with the number of objects.
PROBE_COPIES = 5
REQUESTS_OF_A_RUN = 16

# Copies per second that S3 accepts in one partitioned prefix.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
S3_RATE = 3_500

# A second core has to add this share of the first.
FURTHER_CORE = 0.8

# The row, the peer, and how many times its rate is to be reached.
_RATES = (
    ("move", S5CMD, 2.5),
    ("move", RCLONE, 4.0),
    ("move", AWS, 15.0),
    ("copy", S5CMD, 2.0),
    ("copy-30ms", S5CMD, 2.0),
    ("list", S5CMD, 2.0),
    ("list", RCLONE, 2.0),
    ("sync", S5CMD, 4.0),
    ("sync", RCLONE, 2.0),
    ("move-8mib", S5CMD, 1.0),
    ("move-8mib", RCLONE, 1.0),
    ("copy-large", RCLONE, 1.0),
    ("copy-large", RCLONE_CHECK, 1.0),
)
# The same for the CPU time per object.
_CPU = (("move", S5CMD, 2.5), ("list", AWS, 10.0))

MAX_MEMORY = 200e6
MAX_START = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """One target.

    Attributes:
        what: the target, in words.
        measured: what was measured, in words.
        met: whether that is enough.
    """

    what: str
    measured: str
    met: bool


def targets(report: Report) -> Iterator[Target]:
    """Yield each target that the rows of a report are about."""
    for name, peer, factor in _RATES:
        for row, own, other in _pairs(report, name, peer):
            ratio = own.rate.median / other.rate.median
            what = f"{row.title}: {factor:g}× the rate of {peer}"
            yield Target(what, f"{ratio:.2f}×", ratio >= factor)
    for name, peer, factor in _CPU:
        for row, own, other in _pairs(report, name, peer):
            ratio = other.cpu.median / own.cpu.median
            what = f"{row.title}: {1 / factor:g}× the CPU time per object of {peer}"
            yield Target(what, f"{1 / ratio:.2f}×", ratio >= factor)
    for row in report.rows:
        alone = row.of(FROGMOVE)
        if alone is not None:
            yield from _alone(report, row, alone)


def _pairs(report: Report, name: str, peer: str) -> Iterator[tuple[RowResult, Entry, Entry]]:
    row = report.row(name)
    if row is not None:
        own, other = row.of(FROGMOVE), row.of(peer)
        if own is not None and other is not None:
            yield row, own, other


def _alone(report: Report, row: RowResult, own: Entry) -> Iterator[Target]:
    """Yield the targets that need no peer."""
    if row.name.startswith("start-"):
        wall = own.wall.median
        yield Target(f"{row.title}: {MAX_START} s", f"{wall:.3f} s", wall <= MAX_START)
    if "sync" in row.name:
        memory = own.memory
        what = f"{row.title}: under {MAX_MEMORY / 1e6:.0f} MB in all processes"
        yield Target(what, f"{memory / 1e6:.0f} MB", memory < MAX_MEMORY)
    if row.name == "move":
        yield from _requests(row, own)
    if row.name == "move-30ms":
        rate = own.rate.median
        what = f"{row.title}: over {S3_RATE:,} per second, which is S3's limit for a prefix"
        yield Target(what, f"{rate:,.0f}/s", rate > S3_RATE)
    one = report.row(f"{row.name}-1-core")
    first = one and one.of(FROGMOVE)
    if first:
        gain = own.rate.median / first.rate.median - 1
        what = f"{row.title}: the second core adds {FURTHER_CORE}× of the first"
        yield Target(what, f"{gain:.2f}×", gain >= FURTHER_CORE)


def _requests(row: RowResult, own: Entry) -> Iterator[Target]:
    """Check that a run adds next to nothing, its probe of a server that is not AWS included."""
    copies = own.requests.get("CopyObject", 0)
    others = sum(own.requests.values()) - copies
    pages = 2 * -(-own.objects // 1000)
    yield Target(
        f"{row.title}: requests are 1 copy + 1/1000 delete + 1/1000 list",
        f"{copies / own.objects:.3f} copies, {others / own.objects * 1000:.1f}/1000 others",
        copies <= own.objects + PROBE_COPIES and others <= pages + REQUESTS_OF_A_RUN,
    )
