"""Draws the pictures of terraform/README.md: ``python -m tests.terraform.diagram``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tests.terraform.module import MODULE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PICTURES = ("diagram", "resources")

# Pixels. Pages show pictures 830 wide.
SHOWN_WIDTH = 830
LEAST_FONT = 10.5
TOP = 76
HEADING = 46
INSET = 12
GAP = 12
PADDING = 14
TITLE_LINE = 22
TEXT_LINE = 18
NAME_LINE = 17
NAME_WIDTH = 6.65
TEXT_WIDTH = 7.2
TITLE_WIDTH = 9.3

# Written out twice rather than as variables, which not every viewer of pictures knows.
LIGHT = {
    "page": "#ffffff",
    "ink": "#1f2328",
    "soft": "#59636e",
    "line": "#d1d9e0",
    "group": "#f6f8fa",
    "card": "#ffffff",
    "flow": "#0969da",
    "people": "#8250df",
    "bucket": "#1a7f37",
    "queue": "#bf3989",
    "function": "#bc4c00",
    "clock": "#0969da",
    "trouble": "#cf222e",
    "plain": "#818b98",
}
DARK = {
    "page": "#0d1117",
    "ink": "#f0f6fc",
    "soft": "#9198a1",
    "line": "#3d444d",
    "group": "#151b23",
    "card": "#0d1117",
    "flow": "#4493f8",
    "people": "#ab7df8",
    "bucket": "#3fb950",
    "queue": "#db61a2",
    "function": "#f0883e",
    "clock": "#4493f8",
    "trouble": "#f85149",
    "plain": "#656c76",
}
SHAPES = """\
text { font-family: -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif }
.heading { font-size: 26px; font-weight: 600 }
.group { stroke-width: 1.5 }
.quiet { stroke-dasharray: 6 5 }
.group-title { font-size: 18px; font-weight: 600 }
.card { stroke-width: 1.2 }
.stripe { stroke-width: 5; stroke-linecap: round }
.title { font-size: 16px; font-weight: 600 }
.text { font-size: 14px }
.name { font-family: ui-monospace, Menlo, "DejaVu Sans Mono", monospace; font-size: 11px }
.arrow { fill: none; stroke-width: 2; stroke-linejoin: round }
.arrow.trouble { stroke-dasharray: 5 4 }
.label { font-size: 14px; font-weight: 600; stroke-width: 9; stroke-linejoin: round;
  paint-order: stroke }
"""


def _style(colours: Mapping[str, str]) -> str:
    fills = {"page": "page", "group": "group", "card": "card", "head": "flow", "label": "flow"}
    fills |= {"heading": "ink", "group-title": "ink", "title": "ink", "text": "soft"}
    fills |= {"name": "soft", "head.trouble": "trouble", "label.trouble": "trouble"}
    strokes = {"group": "line", "card": "line", "arrow": "flow", "arrow.trouble": "trouble"}
    strokes |= {"label": "page", "label.inside": "group"}
    kinds = ("people", "bucket", "queue", "function", "clock", "trouble", "plain")
    strokes |= {f"stripe.{kind}": kind for kind in kinds}
    return "".join(
        [f".{name} {{ fill: {colours[colour]} }}\n" for name, colour in fills.items()]
        + [f".{name} {{ stroke: {colours[colour]} }}\n" for name, colour in strokes.items()]
    )


def _styles() -> str:
    dark = f"@media (prefers-color-scheme: dark) {{\n{_style(DARK)}}}"
    return f"{SHAPES}{_style(LIGHT)}{dark}"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    def side(self, name: str) -> tuple[float, float]:
        """Return the middle of a side."""
        middle = (self.x + self.width / 2, self.y + self.height / 2)
        return {
            "left": (self.x, middle[1]),
            "right": (self.x + self.width, middle[1]),
            "top": (middle[0], self.y),
            "bottom": (middle[0], self.y + self.height),
        }[name]

    def overlaps(self, other: Box) -> bool:
        """Tell whether the two have a point in common."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def read(name: str) -> dict[str, Any]:
    """Return what is to be drawn as a picture."""
    diagram = tomllib.loads((MODULE / f"{name}.toml").read_text("utf-8"))
    if "columns" in diagram:
        _stack(diagram)
    return diagram


def _stack(diagram: dict[str, Any]) -> None:
    """Give groups their boxes, one below the other in their columns."""
    bottoms = [TOP] * len(diagram["columns"])
    for group in diagram["groups"]:
        column = group["column"]
        x, width = diagram["columns"][column]
        cards = [_height(card) for card in group["cards"]]
        height = HEADING + INSET + sum(cards) + GAP * (len(cards) - 1)
        group["box"] = [x, bottoms[column], width, height]
        bottoms[column] += height + 2 * GAP
    last = diagram["columns"][-1]
    diagram["size"] = [sum(last) + diagram["columns"][0][0], max(bottoms)]


def picture(name: str) -> Path:
    """Return where a picture is."""
    return MODULE / f"{name}.svg"


def resources(diagram: dict[str, Any]) -> list[str]:
    """Return the resources that the cards name."""
    return [
        name
        for group in diagram["groups"]
        for card in group["cards"]
        for name in card.get("resources", ())
    ]


def layout(diagram: dict[str, Any]) -> dict[str, Box]:
    """Return where each group and each card is: cards share what height their group has left."""
    boxes = {}
    for group in diagram["groups"]:
        box = boxes[group["name"]] = Box(*group["box"])
        heights = [_height(card) for card in group["cards"]]
        free = box.height - HEADING - INSET - sum(heights)
        gap = min(64, free / max(1, len(heights) - 1))
        top = box.y + HEADING
        for card, height in zip(group["cards"], heights, strict=True):
            boxes[f"{group['name']}.{card['name']}"] = Box(
                box.x + INSET, top, box.width - 2 * INSET, height
            )
            top += height + gap
    return boxes


def _height(card: dict[str, Any]) -> float:
    names = card.get("resources", ())
    lines = TITLE_LINE + TEXT_LINE * len(card["text"]) + NAME_LINE * len(names)
    return 2 * PADDING + lines + (4 if names else 0)


def draw(diagram: dict[str, Any]) -> str:
    """Return the picture."""
    width, height = diagram["size"]
    boxes = layout(diagram)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(diagram['title'])}</title>",
        f"<style>\n{_styles()}\n</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        _text(30, 52, "heading", diagram["title"]),
    ]
    for group in diagram["groups"]:
        box = boxes[group["name"]]
        parts.append(_rectangle(box, "group quiet" if group.get("quiet") else "group", 14))
        parts.append(_text(box.x + INSET, box.y + 31, "group-title", group["title"]))
        for card in group["cards"]:
            parts += _card(card, boxes[f"{group['name']}.{card['name']}"])
    for arrow in diagram.get("arrows", ()):
        parts += _arrow(arrow, boxes)
    return "\n".join([*parts, "</svg>", ""])


def _card(card: dict[str, Any], box: Box) -> list[str]:
    kind = card.get("kind", "plain")
    left, line = box.x + PADDING + 6, box.y + PADDING + 15
    parts = [
        _rectangle(box, "card", 8),
        f'<path class="stripe {kind}" d="M{box.x + 1:g} {box.y + 8:g}v{box.height - 16:g}"/>',
        _text(left, line, "title", card["title"]),
    ]
    for text in card["text"]:
        line += TEXT_LINE + 2 * (text is card["text"][0])
        parts.append(_text(left, line, "text", text))
    line += 4
    for name in card.get("resources", ()):
        line += NAME_LINE
        parts.append(_text(left, line, "name", name.removeprefix("aws_")))
    return parts


def route(arrow: dict[str, Any], boxes: dict[str, Box]) -> list[tuple[float, float]]:
    """Return the corners of an arrow, its ends included."""
    (start, out), (end, into) = arrow["from"].split(), arrow["to"].split()
    first, last = boxes[start].side(out), boxes[end].side(into)
    if "end" in arrow:
        last = (last[0], boxes[arrow["end"]].side(into)[1])
    if arrow.get("level"):
        last = (last[0], first[1])
    points, level = [first], out in {"left", "right"}
    for turn in arrow.get("turns", ()):
        x, y = points[-1]
        points.append((turn, y) if level else (x, turn))
        level = not level
    x, y = points[-1]
    if x != last[0] and y != last[1]:
        points.append((last[0], y) if level else (x, last[1]))
    return [*points, last]


def _arrow(arrow: dict[str, Any], boxes: dict[str, Box]) -> list[str]:
    points, kind = route(arrow, boxes), arrow.get("kind", "")
    (x, y), (before_x, before_y) = points[-1], points[-2]
    step_x, step_y = _sign(x - before_x), _sign(y - before_y)
    back = (x - 9 * step_x, y - 9 * step_y)
    line = " ".join(f"{px:g},{py:g}" for px, py in [*points[:-1], back])
    head = [
        (x, y),
        (x - 12 * step_x + 6 * step_y, y - 12 * step_y + 6 * step_x),
        (x - 12 * step_x - 6 * step_y, y - 12 * step_y - 6 * step_x),
    ]
    parts = [
        f'<polyline class="arrow {kind}" points="{line}"/>',
        f'<polygon class="head {kind}" points="{" ".join(f"{a:g},{b:g}" for a, b in head)}"/>',
    ]
    if "label" in arrow:
        parts.append(_label(arrow, kind, points))
    return parts


def _label(arrow: dict[str, Any], kind: str, points: list[tuple[float, float]]) -> str:
    """Write onto a stretch of an arrow; beside it when the arrow is upright."""
    text, stretches = arrow["label"], list(pairwise(points))
    longest = max(stretches, key=_length)
    (x, y), (to_x, to_y) = stretches[arrow["label_on"]] if "label_on" in arrow else longest
    if len(points) == 2 and x == to_x:
        return _text(x + 14, (y + to_y) / 2 + 4, f"label inside {kind}", text)
    return _text((x + to_x) / 2, (y + to_y) / 2 + 5, f"label {kind}", text, anchor="middle")


def _length(stretch: tuple[tuple[float, float], tuple[float, float]]) -> float:
    (x, y), (to_x, to_y) = stretch
    return abs(x - to_x) + abs(y - to_y)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _rectangle(box: Box, style: str, radius: int) -> str:
    return (
        f'<rect class="{style}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" '
        f'height="{box.height:g}" rx="{radius}"/>'
    )


def _text(x: float, y: float, style: str, text: str, anchor: str = "start") -> str:
    style = style.strip()
    return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    for each in PICTURES:
        picture(each).write_text(draw(read(each)), "utf-8")
