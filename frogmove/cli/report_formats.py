"""Formats a run's journal as a table, JSON lines, CSV, or one self-contained HTML page."""

from __future__ import annotations

import csv
import io
import json
from itertools import chain
from typing import TYPE_CHECKING

from frogmove.cli.escaping import printable
from frogmove.cli.key_argument import extra_key_argument, key_argument
from frogmove.cli.report_html import page
from frogmove.cli.report_rows import ALL, Report
from frogmove.core.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from frogmove.core.journal_reader import JournalReader

# Records of what was begun; what came of it has its own record. A segment is a part of the journal.
_NOT_SHOWN = frozenset({"copying", "not-sent", "unanswered", "segment", "end"})

_COLUMNS = (
    "run",
    "time",
    "outcome",
    "size",
    "source_bucket",
    "key",
    "destination_bucket",
    "destination_key",
    "etag",
    "reason",
)

# A spreadsheet reads a cell that begins with one of these as a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
# An apostrophe before it prevents that. One that is there gets another: no two keys look the same.
_ESCAPED = ("=", "+", "-", "@", "\t", "\r", "'")


def render(reader: JournalReader, output: str, outcomes: Set[str] = ALL) -> Iterator[str]:
    """Render a journal, piece by piece.

    Args:
        reader: the journal.
        output: one of :data:`RENDERERS`.
        outcomes: which results are shown.

    Yields:
        text, line ends included.
    """
    return RENDERERS[output](Report(reader, outcomes))


def _text(report: Report) -> Iterator[str]:
    spec = report.reader.spec
    source, destination = report.ends()
    yield f"{spec.command} "
    yield f"{printable(spec.source)} -> {printable(spec.destination)}\n"
    yield f"run {printable(spec.id)}, begun {printable(spec.started)}\n\n"
    for record in report.results():
        key = key_argument(record["key"], source)
        if record["outcome"] == Outcome.DELETED.value:
            there = record["destination_key"]
            key = extra_key_argument(record["key"], source, there, destination)
        arrow = ""
        same = destination.prefix + record["key"].removeprefix(source.prefix)
        # An object without a valid key has no destination.
        if record["destination_key"] not in ("", same):
            arrow = f" -> {key_argument(record['destination_key'], destination)}"
        outcome, size = printable(str(record["outcome"])), printable(str(record["size"]))
        reason = printable(str(record["reason"]))
        yield f"{outcome:<10}  {size:>13}  {key}{arrow}{f'  ({reason})' if reason else ''}\n"
    yield f"\n{report.ending()}\n"
    for purpose, command in report.next_commands():
        yield f"{purpose}: {printable(command)}\n"


def _json(report: Report) -> Iterator[str]:
    reader, outcomes = report.reader, report.outcomes
    more = (each for each in reader.records() if each["type"] not in _NOT_SHOWN)
    for record in chain(more, reader.cut_off(), reader.of_type("end")):
        if record["type"] != "result" or record.get("outcome") in outcomes:
            yield json.dumps(record) + "\n"


def _csv(report: Report) -> Iterator[str]:
    source, destination = report.ends()
    same = {
        "run": report.reader.spec.id,
        "source_bucket": source.bucket,
        "destination_bucket": destination.bucket,
    }
    yield _csv_line(_COLUMNS)
    for record in report.results():
        row = record | same
        cells = (printable(str(row.get(name, ""))) for name in _COLUMNS)
        yield _csv_line(tuple(map(_without_formula, cells)))


def _without_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_ESCAPED) else cell


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


RENDERERS = {"text": _text, "json": _json, "csv": _csv, "html": page}
