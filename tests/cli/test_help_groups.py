"""The help of the commands with many options shows them in groups."""

from __future__ import annotations

import re

import click
import pytest

from frogmove.cli import main
from frogmove.cli.help_groups import GroupedCommand
from tests.cli.cli_runner import run

COMMANDS = ["ls", "move", "copy", "sync", "verify", "resume", "undo"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_all_shows_every_option_in_one_group(name: str) -> None:
    context = click.Context(main)
    _, command, _ = main.resolve_command(context, [name])
    assert isinstance(command, GroupedCommand)
    shown = run(name, "--help-all").out.partition("\n\nOptions:")[2]
    shown = f"Options:{shown}"
    for param in command.params:
        if isinstance(param, click.Option):
            assert len(re.findall(rf"^  (?:-\w, )?{param.opts[-1]}\b", shown, re.MULTILINE)) == 1
    groups = re.findall(r"^([A-Z][\w ]+):$", shown, re.MULTILINE)
    assert groups[0] == "Options"
    assert "Connection" in groups
    assert ("Selection" in groups) == (name not in {"resume", "undo"})


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option(name: str) -> None:
    shown = run(name, "--help").out
    explained = run(name, "--help-all").out
    for option in re.findall(r"--[a-z][a-z-]+", explained):
        assert option in shown
    assert len(shown) < len(explained)


def test_help_fits_a_tall_screen() -> None:
    lines = run("move", "--help").out.splitlines()
    assert len(lines) < 65
    assert all(len(line) <= 80 for line in lines)
