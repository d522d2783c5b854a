"""The parts of terraform/REFERENCE.md that are generated from the module; ``cog`` inserts them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.terraform.module import MODULE

if TYPE_CHECKING:
    from collections.abc import Iterator


def inputs() -> str:
    """Return the variables as a Markdown table, in the order of the files that declare them."""
    files = sorted(MODULE.glob("variables*.tf"))
    text = "".join(file.read_text("utf-8") for file in files)
    lines = ["| variable | type | default | meaning |", "|---|---|---|---|"]
    for name, body in _blocks(text, "variable"):
        default = _default(body)
        lines.append(f"| `{name}` | `{_type(body)}` | {default} | {_description(body)} |")
    return "\n".join([*lines, ""])


def outputs() -> str:
    """Return the outputs as a Markdown table."""
    text = (MODULE / "outputs.tf").read_text("utf-8")
    lines = ["| output | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_description(body)} |" for name, body in _blocks(text, "output")]
    return "\n".join([*lines, ""])


def _blocks(text: str, kind: str) -> Iterator[tuple[str, str]]:
    # terraform fmt puts the closing brace of a top-level block, and of no other, at a line's start.
    for found in re.finditer(rf'(?ms)^{kind} "(\w+)" {{\n(.*?)^}}', text):
        yield found[1], found[2]


def _argument(body: str, name: str) -> str | None:
    found = re.search(rf"(?m)^  {name} += (.+)$", body)
    return found and found[1]


def _type(body: str) -> str:
    """Return a variable's type on one line."""
    found = re.search(r"(?ms)^  type += (.+?)\n(?=  \w|\Z)", body)
    text = found[1] if found else ""
    text = re.sub(r"\(\{\n +", "({ ", text)
    text = re.sub(r"\n +\}", " }", text)
    return re.sub(r" +", " ", re.sub(r"\n +", ", ", text))


def _description(body: str) -> str:
    text = _argument(body, "description") or ""
    return text.strip('"').replace('\\"', '"').replace("|", "\\|")


def _default(body: str) -> str:
    default = _argument(body, "default")
    return "required" if default is None else f"`{default}`"
