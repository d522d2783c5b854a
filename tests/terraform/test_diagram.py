"""The diagram shows every resource, as it is declared, and can be read."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

from tests.terraform import diagram
from tests.terraform.diagram import Box
from tests.terraform.module import MODULE

DIAGRAM = diagram.read()
BOXES = diagram.layout(DIAGRAM)
CARDS = {name: box for name, box in BOXES.items() if "." in name}


def declared() -> list[str]:
    return sorted(
        f"{kind}.{name}"
        for file in MODULE.glob("*.tf")
        for kind, name in re.findall(r'(?m)^resource "(\w+)" "(\w+)"', file.read_text("utf-8"))
    )


def test_it_shows_every_resource_once() -> None:
    assert sorted(diagram.resources(DIAGRAM)) == declared()


def test_the_picture_is_what_is_declared() -> None:
    """``python -m tests.terraform.diagram`` draws it again."""
    assert diagram.PICTURE.read_text("utf-8") == diagram.draw(DIAGRAM)


def test_nothing_overlaps() -> None:
    groups = [BOXES[group["name"]] for group in DIAGRAM["groups"]]
    page = Box(0, 0, *DIAGRAM["size"])
    assert not any(one.overlaps(other) for one, other in combinations(groups, 2))
    assert not any(one.overlaps(other) for one, other in combinations(CARDS.values(), 2))
    for name, card in CARDS.items():
        group = BOXES[name.split(".")[0]]
        assert card.y + card.height <= group.y + group.height - diagram.INSET + 1, name
    for box in groups:
        assert box.x + box.width <= page.width
        assert box.y + box.height <= page.height


def test_every_line_fits_into_its_card() -> None:
    for group in DIAGRAM["groups"]:
        for card in group["cards"]:
            room = CARDS[f"{group['name']}.{card['name']}"].width - 2 * diagram.PADDING
            for text in card["text"]:
                assert len(text) * diagram.TEXT_WIDTH <= room, text
            for name in card.get("resources", ()):
                assert len(name.removeprefix("aws_")) * diagram.NAME_WIDTH <= room, name


def test_no_arrow_crosses_a_card() -> None:
    for arrow in DIAGRAM["arrows"]:
        ends = {arrow[end].split()[0] for end in ("from", "to")}
        others = [box for name, box in CARDS.items() if name not in ends]
        for (x, y), (to_x, to_y) in pairwise(diagram.route(arrow, BOXES)):
            stretch = Box(min(x, to_x), min(y, to_y), abs(x - to_x) + 1, abs(y - to_y) + 1)
            assert not any(stretch.overlaps(box) for box in others), arrow
