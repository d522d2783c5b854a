"""Writes the figures of a report into the files that show them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import plot, table
from tests.benchmarks.targets import targets
from tests.benchmarks.tools import AWS, FROGMOVE, RCLONE, ROOT, S5CMD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.results import Entry, Report

RESULTS = Path(__file__).parent / "RESULTS.md"
README = ROOT / "README.md"
PLOT = ROOT / ".github" / "rates.svg"

# What stands between these lines is replaced.
_BEGIN = "<!-- {} of python -m tests.benchmarks --publish -->"
_END = "<!-- end of {} -->"

_PROGRAMS = (FROGMOVE, S5CMD, RCLONE, AWS)
_RATE_ROWS = ("move", "copy", "list", "sync", "move-8mib")


def publish(report: Report) -> None:
    """Replace the figures in RESULTS.md and README.md, and draw the plot.

    Raises:
        ValueError: when a file has no place for them.
    """
    _replace(RESULTS, "figures", "\n" + table.markdown(report))
    _replace(README, "figures", f"\n{_summary(report)}\n")
    _replace(README, "rate", _sentence(report))
    PLOT.write_text(plot.svg(report), "utf-8")


def _replace(path: Path, name: str, figures: str) -> None:
    text = path.read_text("utf-8")
    before, begin, rest = text.partition(_BEGIN.format(name))
    old, end, after = rest.partition(_END.format(name))
    if not (begin and end):
        raise ValueError(f"{path} lacks the lines around its {name}")
    # The last line of the old text indents the line after it.
    indent = old.rpartition("\n")[2]
    path.write_text(f"{before}{begin}\n{figures}\n{indent}{end}{after}", "utf-8")


def _sentence(report: Report) -> str:
    """Return what the README says first.

    Raises:
        ValueError: when frogmove or s5cmd has no figures.
    """
    row = report.row("move")
    own, other = (row and row.of(FROGMOVE)), (row and row.of(S5CMD))
    if not own or not other:
        raise ValueError("a move by frogmove or s5cmd was not measured")
    return (
        f"  {own.rate.median:,.0f} small objects per second on two cores, "
        f"{own.rate.median / other.rate.median:.1f} times as many as s5cmd, with\n"
        f"  {own.cpu.median / 1000:.2f} ms of CPU time each:"
    )


def _summary(report: Report) -> str:
    """Return the table and the sentences for the README."""
    head = [f"| objects or keys per second (CPU time each) | {' | '.join(_PROGRAMS)} |"]
    head.append("|---" + "|---:" * len(_PROGRAMS) + "|")
    lines = [
        *(_line(report, name, _rate) for name in _RATE_ROWS),
        _line(report, "sync", _memory, "peak memory of that sync, all processes"),
        _line(report, "copy-large", _megabytes, more=", MB/s"),
    ]
    goals = list(targets(report))
    met = sum(each.met for each in goals)
    words = f"{met} of {len(goals)} [targets](tests/benchmarks/RESULTS.md#targets) are met."
    return "\n".join([*head, *filter(None, lines), "", words])


def _line(
    report: Report, name: str, cell: Callable[[Entry, int], str], title: str = "", more: str = ""
) -> str:
    row = report.row(name)
    if row is None or row.skipped:
        return ""

    def cells() -> Iterator[str]:
        for program in _PROGRAMS:
            entry = row.of(program)
            yield cell(entry, row.size) if entry is not None else "–"

    return f"| {title or row.title}{more} | {' | '.join(cells())} |"


def _rate(entry: Entry, _: int) -> str:
    cpu = entry.cpu.median
    each = f"{cpu / 1000:.{1 if cpu >= 1000 else 2}f} ms" if cpu >= 100 else f"{cpu:.0f} µs"
    return f"{entry.rate.median:,.0f} ({each})"


def _memory(entry: Entry, _: int) -> str:
    return f"{entry.memory / 1e6:,.0f} MB"


def _megabytes(entry: Entry, size: int) -> str:
    if "CopyObject" in entry.requests and "UploadPartCopy" not in entry.requests:
        return "one copy, which S3 refuses"
    return f"{entry.rate.median * size / 1e6:,.0f}"
