"""Formats a run's report as one self-contained HTML page.

Outsiders choose keys, so all text is escaped, and the page's Content-Security-Policy allows only
its own script, by its hash.
https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers/Content-Security-Policy
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from frogmove.cli.escaping import printable
from frogmove.cli.progress import duration
from frogmove.cli.report_rows import ATTENTION, time_of
from frogmove.cli.run_description import selection_words
from frogmove.core.models import Outcome
from frogmove.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from frogmove.cli.report_rows import Report
    from frogmove.core.records import Record

# Maximum rows that a browser can scroll and filter; -o csv has all rows of a larger run.
MAX_ROWS = 20_000

# Maximum and minimum columns of the timeline.
_BARS = 60
_MIN_BARS = 10


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c22; --good: #276; }
@media (prefers-color-scheme: dark) { :root { --bad: #f77; --good: #6c9; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
code, .key { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
ul.totals { display: flex; flex-wrap: wrap; gap: .6rem; list-style: none; padding: 0; }
ul.totals li { border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .8rem; }
ul.totals b { display: block; font-size: 1.3rem; }
.bad { color: var(--bad); font-weight: bold; }
svg { display: block; height: 5rem; width: 100%; }
rect { fill: var(--good); } rect.bad { fill: var(--bad); }
form { display: flex; flex-wrap: wrap; gap: .6rem; margin: .6rem 0; }
input, select { font: inherit; padding: .3rem; } input { flex: 1 1 12rem; min-width: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
.size { text-align: right; font-variant-numeric: tabular-nums; }
tr.failed td:first-child, tr.conflict td:first-child { color: var(--bad); font-weight: bold; }
tr[hidden] { display: none; }
@media (max-width: 44rem) {
  table.results thead { display: none; }
  table.results tr { border-bottom: 1px solid var(--line); display: block; padding: .5rem 0; }
  table.results tr[hidden] { display: none; }
  table.results td { border: 0; display: block; padding: 0; text-align: left; }
  table.results td:empty { display: none; }
}
"""

_SCRIPT = """
const rows = [...document.querySelectorAll("table.results tbody tr")];
const text = document.getElementById("text"), outcome = document.getElementById("outcome");
const shown = document.getElementById("shown");
function filter() {
  const wanted = text.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    const isOutcome = !outcome.value || row.className === outcome.value;
    row.hidden = !(isOutcome && row.textContent.toLowerCase().includes(wanted));
    count += !row.hidden;
  }
  shown.textContent = `${count} of ${rows.length} rows`;
}
text.addEventListener("input", filter);
outcome.addEventListener("input", filter);
filter();
"""

_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'"

# Fields of a journal's header that are shown elsewhere, or are not useful for the operator.
_ELSEWHERE = {"id", "started", "command", "source", "destination", "selection", "mapping"}

_CELLS = (("outcome", ""), ("size", "size"), ("key", "key"), ("destination_key", "key"))


def page(report: Report) -> Iterator[str]:
    """Render a report, piece by piece."""
    spec = report.reader.spec
    title = _text(f"frogmove {spec.command} {spec.id}")
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    yield f'<p><span class="key">{_text(spec.source)}</span> → '
    yield f'<span class="key">{_text(spec.destination)}</span><br>\n'
    yield f"{_text(_selected(report))}<br>\n"
    yield f"begun {_text(spec.started)}; {_ended(report)}{_text(report.ending())}</p>\n"
    yield from _totals(report)
    yield from _next(report)
    yield from _timeline(report)
    yield from _settings(report)
    yield from _results(report)
    yield f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"


def _text(value: object) -> str:
    return escape(printable(str(value)))


def _selected(report: Report) -> str:
    try:
        return selection_words(report.reader.spec)
    except UsageError:
        # A journal may contain anything.
        return ""


def _ended(report: Report) -> str:
    ended = report.ended()
    return f"ended {_text(ended.isoformat(timespec='seconds'))}; " if ended is not None else ""


def _totals(report: Report) -> Iterator[str]:
    yield '<ul class="totals">\n'
    for name, count in report.counts().items():
        kind = ' class="bad"' if name in ATTENTION else ""
        yield f"<li{kind}><b>{count:,}</b>{_text(name)}</li>\n"
    end = report.reader.end()
    if end is not None:
        yield f"<li><b>{end['bytes']:,}</b>bytes</li>\n"
        yield f"<li><b>{_text(duration(end['seconds']))}</b>in all</li>\n"
    yield "</ul>\n"


def _next(report: Report) -> Iterator[str]:
    for purpose, command in report.next_commands():
        yield f"<p>{_text(purpose)}: <code>{_text(command)}</code></p>\n"


def _timeline(report: Report) -> Iterator[str]:
    """Draw the number of results over time."""
    ended, bad = _by_second(report)
    if not ended:
        return
    first, last = min(ended), max(ended)
    width = max(1.0, (last - first + 1) / _BARS)
    bars: Counter[int] = Counter()
    bad_bars: Counter[int] = Counter()
    for second, count in ended.items():
        bars[int((second - first) / width)] += count
        bad_bars[int((second - first) / width)] += bad[second]
    highest = max(bars.values())
    yield f"<h2>Timeline</h2>\n<p>Objects per {_text(duration(width))}, {highest:,} at most</p>\n"
    across = max(_MIN_BARS, max(bars) + 1)
    yield f'<svg viewBox="0 0 {across} 20" preserveAspectRatio="none">\n'
    for number, count in sorted(bars.items()):
        yield _bar(number, 20 * count / highest, "")
        if bad_bars[number]:
            yield _bar(number, 20 * bad_bars[number] / highest, "bad")
    yield "</svg>\n"


def _by_second(report: Report) -> tuple[Counter[int], Counter[int]]:
    """Count results, and those that need attention, per second."""
    ended: Counter[int] = Counter()
    bad: Counter[int] = Counter()
    for record in report.reader.of_type("result"):
        time: datetime | None = time_of(record.get("time"))
        if time is not None:
            second = int(time.timestamp())
            ended[second] += 1
            bad[second] += record.get("outcome") in ATTENTION
    return ended, bad


def _bar(number: int, height: float, kind: str) -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<rect{name} x="{number}" y="{20 - height:.2f}" width=".9" height="{height:.2f}"/>\n'


def _settings(report: Report) -> Iterator[str]:
    yield "<details>\n<summary>Settings</summary>\n<table>\n"
    for name, value in report.reader.spec.record().items():
        if name not in _ELSEWHERE and value not in (None, [], {}):
            yield f"<tr><th>{_text(name.replace('_', ' '))}</th><td>{_text(value)}</td></tr>\n"
    yield "</table>\n</details>\n"


def _results(report: Report) -> Iterator[str]:
    yield '<h2>Objects</h2>\n<form>\n<input id="text" type="search" placeholder="Key or reason">\n'
    yield '<select id="outcome">\n<option value="">All outcomes</option>\n'
    for outcome in Outcome:
        yield f'<option value="{outcome.value}">{outcome.value}</option>\n'
    yield '</select>\n<output id="shown"></output>\n</form>\n'
    yield '<table class="results">\n<thead>\n<tr>'
    heads = [*(name.replace("_", " ") for name, _ in _CELLS), "reason", "time"]
    yield "".join(f"<th>{head}</th>" for head in heads) + "</tr>\n</thead>\n<tbody>\n"
    rows = report.results()
    for record in islice(rows, MAX_ROWS):
        yield _row(record)
    yield "</tbody>\n</table>\n"
    more = sum(1 for _ in rows)
    if more:
        command = f"{printable(report.command())} -o csv"
        yield f"<p>{more:,} more: <code>{escape(command)}</code></p>\n"


def _row(record: Record) -> str:
    cells = [(kind, record.get(name, "")) for name, kind in _CELLS]
    cells += [("", record.get("reason", "")), ("", str(record.get("time", ""))[:19])]
    row = "".join(f'<td class="{kind}">{_text(cell)}</td>' for kind, cell in cells)
    return f'<tr class="{_text(record.get("outcome", ""))}">{row}</tr>\n'
