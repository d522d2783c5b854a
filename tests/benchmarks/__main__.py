"""The command: ``python -m tests.benchmarks``."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from tests.benchmarks import peers, plot, publish, table, workload
from tests.benchmarks.results import Report
from tests.benchmarks.rows import FULL, GIB, QUICK, Row, rows
from tests.benchmarks.tools import FROGMOVE, RCLONE_CHECK, frogmove, interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.tools import Tool

WIDTH = 140

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Little of everything: shows that it works.")
@click.option("--rounds", type=click.IntRange(min=1), help="At most so many runs of each program.")
@click.option(
    "--only", "names", multiple=True, metavar="ROW", help="Only rows whose names begin so."
)
@click.option("--program", "programs", multiple=True, metavar="NAME", help="Only this program.")
@click.option("--growth", is_flag=True, help="How cost grows up to 1,000,000 keys as well.")
@click.option("--large", type=float, metavar="GIB", help="Size of the large object.  [5]")
@click.option("--json", "json_file", type=_FILE, help="Write all figures to this file.")
@click.option("--markdown", "markdown_file", type=_FILE, help="Write the tables to this file.")
@click.option("--svg", "svg_file", type=_FILE, help="Draw the rates into this file.")
@click.option(
    "--publish", "is_for_all", is_flag=True, help="Update RESULTS.md, README.md and plot."
)
def main(
    quick: bool,
    rounds: int | None,
    names: tuple[str, ...],
    programs: tuple[str, ...],
    growth: bool,
    large: float | None,
    json_file: Path | None,
    markdown_file: Path | None,
    svg_file: Path | None,
    is_for_all: bool,
) -> None:
    """Measure frogmove and its peers, in turn, on S3 servers of their own."""
    if is_for_all and (quick or names or programs):
        raise click.UsageError("--publish needs all rows and programs, in full size.")
    sizes = QUICK if quick else FULL
    if large is not None:
        sizes = replace(sizes, large=int(large * GIB))
    chosen = _chosen(rows(sizes, growth=growth), names)
    progress = Console(stderr=True)
    report = _report()
    if quick:
        report.notes.append("These sizes only show that all of it works: figures mean nothing.")
    tools = list(_tools(programs, report, progress))
    if not tools:
        raise click.UsageError("None of these programs can be had: " + ", ".join(programs))
    report.versions = {tool.name: tool.version for tool in tools if tool.name != RCLONE_CHECK}
    try:
        for row in chosen:
            taking = list(_taking(row, tools))
            most = 1 if row.family or quick else row.rounds
            times = min(rounds or most, most)
            report.rows.append(workload.run(row, taking, times, partial(_say, progress)))
    except KeyboardInterrupt:
        report.notes.append(f"Interrupted after {len(report.rows)} of {len(chosen)} rows.")
    out = Console()
    # Piped, rich would take it for narrow.
    table.show(report, out if out.is_terminal else Console(width=WIDTH))
    if json_file:
        json_file.write_text(json.dumps(report.record(), indent=1) + "\n", "utf-8")
    if markdown_file:
        markdown_file.write_text(table.markdown(report), "utf-8")
    if svg_file:
        svg_file.write_text(plot.svg(report), "utf-8")
    if is_for_all and len(report.rows) == len(chosen):
        publish.publish(report)


def _tools(names: tuple[str, ...], report: Report, progress: Console) -> Iterator[Tool]:
    """Yield the programs named, or all; note why one cannot be had."""
    if not names or FROGMOVE in names:
        yield frogmove()
    for peer in peers.peers(names):
        if isinstance(peer, str):
            report.notes.append(peer)
            progress.print(peer, style="yellow", markup=False)
        else:
            yield peer


def _taking(row: Row, tools: list[Tool]) -> Iterator[Tool]:
    """Yield the programs that take part in a row."""
    for tool in tools:
        if tool.name == RCLONE_CHECK and not row.is_in_parts:
            continue
        if tool.name not in row.without and (tool.name == FROGMOVE or not row.family):
            yield tool
    if row.is_start:
        yield interpreter()


def _say(progress: Console, text: str) -> None:
    progress.print(text, style="dim", highlight=False, markup=False)


def _chosen(known: list[Row], names: tuple[str, ...]) -> list[Row]:
    """Return the rows named; a name stands for all rows that begin with it, too."""
    for name in names:
        if not any(row.name.startswith(name) for row in known):
            words = ", ".join(row.name for row in known)
            raise click.UsageError(f"There is no row {name!r}; there are {words}.")
    exact = {row.name for row in known} & set(names)
    others = [name for name in names if name not in exact]
    return [
        row
        for row in known
        if not names or row.name in exact or any(row.name.startswith(name) for name in others)
    ]


def _report() -> Report:
    machine = f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}"
    return Report(f"{datetime.now(UTC):%Y-%m-%d}", machine, {})


if __name__ == "__main__":
    main()
