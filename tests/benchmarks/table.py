"""Reports as tables: for a terminal and in Markdown, from the same cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table as RichTable

from frogmove.s3.models import MAX_COPY_SIZE
from tests.benchmarks.rows import MIB, START_OF_RUN
from tests.benchmarks.targets import targets
from tests.benchmarks.tools import FROGMOVE, RCLONE_CHECK

# A server that takes more than this share of a core may be what is measured.
BUSY = 0.3

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from tests.benchmarks.results import Entry, Report, RowResult, Spread


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first column is of words, the others are of figures."""

    title: str
    head: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    notes: list[str]


def tables(report: Report) -> Iterator[Table]:
    """Give out the tables of a report."""
    for row in report.rows:
        if row.skipped:
            yield Table(row.title, (), [], [f"Left out: {row.skipped}."])
        elif not row.family:
            yield _starts(row) if row.name.startswith("start-") else _work(row, report)
    yield from _growth(report)
    reached = [
        (each.what, each.measured, "met" if each.met else "MISSED") for each in targets(report)
    ]
    if reached:
        yield Table("Targets", ("target", "measured", ""), reached, [])


def show(report: Report, console: Console) -> None:
    """Print a report on a terminal."""
    for table in tables(report):
        shown = RichTable(title=table.title, title_justify="left", title_style="bold")
        for place, name in enumerate(table.head):
            shown.add_column(name, justify="right" if place else "left", overflow="fold")
        for line in table.lines:
            shown.add_row(*line)
        console.print()
        console.print(shown if table.lines else f"[bold]{table.title}[/bold]")
        for note in table.notes:
            console.print(note, style="dim", highlight=False, markup=False)
    console.print()
    for note in _preface(report):
        console.print(note, style="dim", highlight=False, markup=False)


def markdown(report: Report) -> str:
    """Return a report as Markdown."""
    parts = ["\n".join(_preface(report))]
    for table in tables(report):
        parts.append(f"### {table.title}")
        if table.lines:
            rule = ["---", *["--:"] * (len(table.head) - 1)]
            cells = [table.head, tuple(rule), *table.lines]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in cells))
        parts += table.notes
    return "\n\n".join(parts) + "\n"


def _preface(report: Report) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return [f"{report.date}, {report.machine}: {versions}.", *report.notes]


def _work(row: RowResult, report: Report) -> Table:
    own = row.of(FROGMOVE)
    # Of a single large object, its bytes tell more.
    is_single = row.objects == 1 and row.size > MIB
    unit = row.size / 1e6 if is_single else 1.0
    lines: list[tuple[str, ...]] = []
    notes = [f"Server: {row.server}."]
    if is_single:
        notes += _evidence(own)
    if row.objects > 1 and row.size > MIB:
        notes += _without_start(row, report)
    for entry in row.entries:
        if not entry.samples:
            notes.append(f"{entry.tool}: {entry.problem}")
            continue
        asked = entry.requests_per_object
        # frogmove's own are of the empty keys that find out what a server honours.
        is_whole = "CopyObject" in entry.requests and "UploadPartCopy" not in entry.requests
        if row.size > MAX_COPY_SIZE and is_whole:
            notes.append(f"{entry.tool} sends a CopyObject, which S3 refuses above 5 GB.")
        if entry.server_share > BUSY:
            notes.append(f"{entry.tool}: the server took {entry.server_share:.0%} of a core.")
        lines.append(
            (
                entry.tool,
                *_figures(entry.rate, unit),
                f"{entry.wall.median:.2f} s",
                _ratio(own.rate.median / entry.rate.median) if own else "",
                f"{entry.cpu.median:,.0f} µs",
                _ratio(entry.cpu.median / own.cpu.median) if own else "",
                f"{entry.memory / 1e6:,.0f} MB",
                f"{asked:.3g}" if asked is not None else "",
                f"{entry.server_share:.0%}" if entry.server_share else "",
            )
        )
    head = (
        *(
            "program",
            "MB/s" if is_single else "objects/s",
            "range",
            "wall",
            "frogmove is",
            "CPU/object",
        ),
        *("its CPU is", "memory", "requests", "server"),
    )
    return Table(row.title, head, lines, notes)


def _without_start(row: RowResult, report: Report) -> Iterator[str]:
    """Tell what is left of a short row's time, less what a run takes to start."""
    start = report.row(START_OF_RUN)
    left = [
        f"{entry.tool} {entry.wall.median - first.wall.median:.2f} s"
        for entry in row.entries
        if entry.samples and start and (first := start.of(entry.tool))
    ]
    if start and left:
        yield f"Less the time of “{start.title}”: {', '.join(left)}."


def _evidence(own: Entry | None) -> Iterator[str]:
    """Tell what frogmove read to prove the copy of a large object, and that others do not."""
    read = own.requests.get("GetObject", 0) if own else 0
    if read:
        yield (
            "SeaweedFS has no checksums of a copy in parts, nor MD5s of its parts. So frogmove "
            f"reads the copy ({read:,} requests) and computes its source's ETag from it, before it "
            f"calls the copy done. {RCLONE_CHECK} reads both sides. The others prove nothing."
        )


def _starts(row: RowResult) -> Table:
    lines = [
        (entry.tool, f"{entry.wall.median * 1000:.0f} ms", f"{entry.memory / 1e6:.0f} MB")
        for entry in row.entries
        if entry.samples
    ]
    notes = [f"{entry.tool}: {entry.problem}" for entry in row.entries if not entry.samples]
    return Table(row.title, ("program", "wall", "peak memory"), lines, notes)


def _growth(report: Report) -> Iterator[Table]:
    verbs = dict.fromkeys(row.name.split("-")[1] for row in report.rows if row.family == "growth")
    for verb in verbs:
        rows = [
            row
            for row in report.rows
            if row.family == "growth" and row.name.startswith(f"growth-{verb}-") and not row.skipped
        ]
        tools = dict.fromkeys(entry.tool for row in rows for entry in row.entries)
        lines = [
            (tool, f"{row.objects:,}", *_growth_cells(row.of(tool)))
            for tool in tools
            for row in rows
        ]
        head = ("program", "keys", "time/object", "CPU/object", "peak memory")
        yield Table(f"{verb}: how cost grows", head, lines, [])


def _growth_cells(entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return ("failed", "", "")
    each = entry.wall.median / entry.objects * 1e6
    return (f"{each:,.0f} µs", f"{entry.cpu.median:,.0f} µs", f"{entry.memory / 1e6:,.0f} MB")


def _figures(figure: Spread, unit: float) -> tuple[str, str]:
    middle = f"{figure.median * unit:,.0f}"
    if figure.count == 1:
        return middle, "1 run"
    return middle, f"{figure.least * unit:,.0f}–{figure.greatest * unit:,.0f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"
