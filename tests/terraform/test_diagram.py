"""The pictures show every resource, as it is declared, and can be read where pages show them."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import Any

import pytest

from tests.terraform import diagram
from tests.terraform.diagram import PICTURES, Box
from tests.terraform.module import MODULE

EACH = pytest.mark.parametrize("name", PICTURES)


def cards(drawn: dict[str, Any]) -> dict[str, Box]:
    return {name: box for name, box in diagram.layout(drawn).items() if "." in name}


def declared() -> list[str]:
    return sorted(
        f"{kind}.{name}"
        for file in MODULE.glob("*.tf")
        for kind, name in re.findall(r'(?m)^resource "(\w+)" "(\w+)"', file.read_text("utf-8"))
    )


def test_diagram_shows_every_resource_once() -> None:
    assert sorted(diagram.resources(diagram.read("resources"))) == declared()


@EACH
def test_picture_is_what_is_declared(name: str) -> None:
    """``python -m tests.terraform.diagram`` draws it again."""
    assert diagram.picture(name).read_text("utf-8") == diagram.draw(diagram.read(name))


@EACH
def test_picture_is_readable_where_pages_show_it(name: str) -> None:
    drawn = diagram.read(name)
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", diagram.SHAPES)]
    assert min(sizes) * diagram.SHOWN_WIDTH / drawn["size"][0] >= diagram.LEAST_FONT


@EACH
def test_picture_has_nothing_that_overlaps(name: str) -> None:
    drawn = diagram.read(name)
    boxes = diagram.layout(drawn)
    groups = [boxes[group["name"]] for group in drawn["groups"]]
    page = Box(0, 0, *drawn["size"])
    assert not any(one.overlaps(other) for one, other in combinations(groups, 2))
    assert not any(one.overlaps(other) for one, other in combinations(cards(drawn).values(), 2))
    for place, card in cards(drawn).items():
        group = boxes[place.split(".")[0]]
        assert card.y + card.height <= group.y + group.height - diagram.INSET + 1, place
    for box in groups:
        assert box.x + box.width <= page.width
        assert box.y + box.height <= page.height


@EACH
def test_card_has_room_for_every_line(name: str) -> None:
    drawn = diagram.read(name)
    boxes = cards(drawn)
    for group in drawn["groups"]:
        for card in group["cards"]:
            room = boxes[f"{group['name']}.{card['name']}"].width - 2 * diagram.PADDING
            assert len(card["title"]) * diagram.TITLE_WIDTH <= room, card["title"]
            for text in card["text"]:
                assert len(text) * diagram.TEXT_WIDTH <= room, text
            for resource in card.get("resources", ()):
                assert len(resource.removeprefix("aws_")) * diagram.NAME_WIDTH <= room, resource


def test_arrows_cross_no_card() -> None:
    drawn = diagram.read("diagram")
    boxes = diagram.layout(drawn)
    for arrow in drawn["arrows"]:
        ends = {arrow[end].split()[0] for end in ("from", "to")}
        others = [box for name, box in cards(drawn).items() if name not in ends]
        for (x, y), (to_x, to_y) in pairwise(diagram.route(arrow, boxes)):
            stretch = Box(min(x, to_x), min(y, to_y), abs(x - to_x) + 1, abs(y - to_y) + 1)
            assert not any(stretch.overlaps(box) for box in others), arrow
