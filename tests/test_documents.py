"""The documents: their links resolve, and their commands run."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from frogmove.cli import main
from frogmove.cli.lazy_group import LazyCommand
from frogmove.cli.plan_text import WORDS
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from tests.servers import Server

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    chain(
        ROOT.glob("*.md"),
        (ROOT / ".github").glob("*.md"),
        *((ROOT / folder).rglob("*.md") for folder in ("frogmove", "tests", "terraform")),
    )
)
README = (ROOT / "README.md").read_text("utf-8")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_code(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```$|`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    titles = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```$", "", path.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_resolve(document: Path) -> None:
    text = without_code(document.read_text("utf-8"))
    for found in re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        target = "".join(found)
        if re.match(r"(https|mailto):", target):
            continue
        file, _, anchor = target.partition("#")
        there = (document.parent / file).resolve() if file else document
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


def shell_commands(text: str) -> list[list[str]]:
    """Return the words of each frogmove command in the shell blocks of a document."""
    lines = "".join(code_blocks(text, "sh")).replace("\\\n", " ").splitlines()
    commands = (shlex.split(part, comments=True) for line in lines for part in _parts(line))
    return [words for words in commands if words[:1] == ["frogmove"]]


def _parts(line: str) -> list[str]:
    return re.split(r" (?:\||&&|>) ", line)


def help_examples(text: str) -> list[list[str]]:
    """Return the words of each example in the help texts of a document."""
    lines = re.findall(r"(?m)^    (frogmove .*)$", "".join(code_blocks(text, "console")))
    return [shlex.split(_parts(line)[0], comments=True) for line in lines]


def inline_commands(text: str) -> list[list[str]]:
    """Return the words of each frogmove command that a sentence or a table quotes."""
    text = re.sub(r"(?ms)^```.*?^```$", "", text)
    quoted = re.findall(r"`(frogmove [^`]+)`", text)
    return [shlex.split(command) for command in quoted if "COMMAND" not in command]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_parse(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("event.json").write_text("{}")
    text = document.read_text("utf-8")
    for words in shell_commands(text) + help_examples(text):
        parse(main, words)
    for words in inline_commands(text):
        # A sentence may leave out what a command or an option requires.
        with suppress(click.MissingParameter, click.BadOptionUsage):
            parse(main, words)


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    arguments = words[1:]
    if not isinstance(command, click.Group):
        command.make_context(words[0], arguments, parent)
        return
    if not arguments:
        # The name of the group itself.
        return
    context = command.make_context(words[0], arguments[:1], parent)
    chosen = command.get_command(context, arguments[0])
    assert chosen is not None, words
    loaded = chosen.load() if isinstance(chosen, LazyCommand) else chosen
    parse(loaded, arguments, context)


def test_table_of_dry_runs_has_every_effect_with_its_words() -> None:
    text = (ROOT / "frogmove/cli/README.md").read_text("utf-8")
    section = text[text.index("\n## Dry runs") : text.index("\n## Plan, review, apply")]
    cells = "".join(line for line in section.splitlines() if line.startswith("| `"))
    for effect, words in WORDS.items():
        assert f"`{words}" in cells
        assert f"`{effect.value}`" in cells


FILES = {f"reports/{month}.csv" for month in range(3)} | {"reports/2026.csv", "old/x.csv"}


def test_readme_commands_run(
    ministack: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    buckets = Buckets.make(ministack)
    frogmove = FrogmoveRunner(buckets)
    section = README[README.index("## On AWS") : README.index("## What becomes of an object")]
    commands = shell_commands(section)
    assert len(commands) > 10
    for _, *words in commands:
        if words[0] in {"ls", "move", "copy"}:
            buckets.put(*FILES)
        allowed = ["--allow-empty"] if "--older-than" in words else []
        ran = frogmove(*words, *allowed, AWS_ENDPOINT_URL=ministack.endpoint_url)
        # There is no function to be asked about the key.
        assert ran.code == (words[0] == "trace"), (words, ran.err)
