"""Reports as a picture: bars in SVG, legible on light and on dark pages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests.benchmarks.tools import FROGMOVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.results import Report, RowResult

WIDTH = 760
LABEL = 110
FIGURE = 170
BAR, GAP = 16, 5
TITLE = 30
UNIT = 28
MARGIN = 16

_STYLE = """
.page { fill: #ffffff; }
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.figure { font-variant-numeric: tabular-nums; }
.own { fill: #1a7f37; }
.other { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; }
  text { fill: #e6edf3; }
  .own { fill: #3fb950; }
  .other { fill: #6e7681; }
}
"""


def svg(report: Report) -> str:
    """Draw the rates of all rows that have any."""
    rows = [row for row in report.rows if not row.family and _bars(row)]
    body = [f'<text x="{MARGIN}" y="{MARGIN + 12}">objects or keys per second</text>']
    top = MARGIN + UNIT
    for row in rows:
        body += _panel(row, top)
        top += TITLE + len(_bars(row)) * (BAR + GAP) + MARGIN
    height = top + MARGIN
    titles = "; ".join(row.title for row in rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>Objects per second: {escape(titles)}</title><style>{_STYLE}</style>\n"
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _bars(row: RowResult) -> list[tuple[str, float]]:
    if row.skipped or row.name.startswith("start-") or row.objects == 1:
        return []
    return [(entry.tool, entry.rate.median) for entry in row.entries if entry.samples]


def _panel(row: RowResult, top: int) -> Iterator[str]:
    bars = _bars(row)
    scale = (WIDTH - LABEL - FIGURE - MARGIN) / max(rate for _, rate in bars)
    own = dict(bars).get(FROGMOVE)
    yield f'<text class="title" x="{MARGIN}" y="{top + 16}">{escape(row.title)}</text>'
    top += TITLE
    left = MARGIN + LABEL
    for place, (tool, rate) in enumerate(bars):
        y = top + place * (BAR + GAP)
        kind = "own" if tool.startswith(FROGMOVE) else "other"
        width = max(1.0, rate * scale)
        times = "" if own is None or tool == FROGMOVE else f"  ({own / rate:.2g}× slower)"
        if own is not None and rate > own:
            times = f"  ({rate / own:.2g}× faster)"
        yield f'<text x="{MARGIN}" y="{y + 13}">{escape(tool)}</text>'
        size = f'width="{width:.1f}" height="{BAR}" rx="2"'
        yield f'<rect class="{kind}" x="{left}" y="{y}" {size}/>'
        place_of_figure = f'x="{left + width + 8:.1f}" y="{y + 13}"'
        yield f'<text class="figure" {place_of_figure}>{rate:,.0f}{times}</text>'
