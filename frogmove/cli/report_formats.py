"""Formats a run's journal as a table, JSON lines, CSV, or one self-contained HTML page."""

from __future__ import annotations

import csv
import io
import json
from html import escape
from itertools import chain
from typing import TYPE_CHECKING

from frogmove.cli.escaping import printable
from frogmove.cli.key_argument import key_argument
from frogmove.errors import UsageError
from frogmove.s3.uri import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.records import Record

_COLUMNS = ("outcome", "size", "key", "destination_key", "reason")

# A spreadsheet reads a cell that begins with one of these as a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; }
td.size { text-align: right; font-variant-numeric: tabular-nums; }
td.key { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
tr.failed td:first-child, tr.conflict td:first-child { color: #c22; font-weight: bold; }
"""


def render(reader: JournalReader, output: str) -> Iterator[str]:
    """Render a journal, piece by piece.

    Args:
        reader: the journal.
        output: one of :data:`RENDERERS`.

    Yields:
        text, line ends included.
    """
    return RENDERERS[output](reader)


def _text(reader: JournalReader) -> Iterator[str]:
    spec = reader.spec
    source, destination = _side(spec.source), _side(spec.destination)
    yield f"{spec.command} "
    yield f"{printable(spec.source)} -> {printable(spec.destination)}\n"
    yield f"run {printable(spec.id)}, begun {printable(spec.started)}\n\n"
    for record in _results(reader):
        outcome, size, _, _, reason = _cells(record)
        key = key_argument(record["key"], source)
        arrow = ""
        same = destination.prefix + record["key"].removeprefix(source.prefix)
        # What gets no key has no place.
        if record["destination_key"] not in ("", same):
            arrow = f" -> {key_argument(record['destination_key'], destination)}"
        yield f"{outcome:<10}  {size:>13}  {key}{arrow}{f'  ({reason})' if reason else ''}\n"
    yield f"\n{_ending(reader)}\n"


def _json(reader: JournalReader) -> Iterator[str]:
    more = (each for each in reader.records() if each["type"] not in {"copying", "end"})
    for record in chain(more, reader.cut_off(), reader.of_type("end")):
        yield json.dumps(record) + "\n"


def _csv(reader: JournalReader) -> Iterator[str]:
    yield _csv_line(_COLUMNS)
    for record in _results(reader):
        yield _csv_line(tuple(_inert(cell) for cell in _cells(record)))


def _html(reader: JournalReader) -> Iterator[str]:
    spec = reader.spec
    title = escape(f"frogmove {spec.command} {printable(spec.id)}")
    yield f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
    yield f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n"
    yield f"<p>{escape(printable(spec.source))} → {escape(printable(spec.destination))}<br>\n"
    yield f"begun {escape(printable(spec.started))}; {escape(_ending(reader))}</p>\n<table>\n<tr>"
    yield "".join(f"<th>{column.replace('_', ' ')}</th>" for column in _COLUMNS) + "</tr>\n"
    kinds = ("", "size", "key", "key", "")
    for record in _results(reader):
        cells = zip(kinds, _cells(record), strict=True)
        row = "".join(f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in cells)
        yield f'<tr class="{escape(str(record["outcome"]))}">{row}</tr>\n'
    yield "</table>\n</html>\n"


def _results(reader: JournalReader) -> Iterator[Record]:
    """Read all known results, including every object that left the source."""
    return chain(reader.of_type("result"), reader.cut_off())


def _side(uri: str) -> Location:
    """Parse one end of a journal's route; a journal may contain anything."""
    try:
        return parse_location(uri)
    except UsageError:
        return Location("")


def _cells(record: Record) -> tuple[str, ...]:
    return tuple(printable(str(record.get(column, ""))) for column in _COLUMNS)


def _ending(reader: JournalReader) -> str:
    end = reader.end()
    if end is None:
        return f"did not finish; frogmove resume {printable(reader.spec.id)}"
    counts = ", ".join(f"{count:,} {word}" for word, count in end["counts"].items() if count)
    interrupted = "interrupted; " if end["interrupted"] else ""
    return f"{interrupted}{counts or 'nothing to do'}; {end['bytes']:,} bytes in {end['seconds']} s"


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


RENDERERS = {"text": _text, "json": _json, "csv": _csv, "html": _html}
