"""The parts of the documents that the program generates; ``cog`` inserts and checks them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from click.testing import CliRunner

from frogmove.cli import main
from frogmove.cli.lazy_group import LazyCommand
from frogmove.core.models import Action, Outcome, Result, Verb
from frogmove.core.records import Summary, action_record, object_record, result_record
from frogmove.s3.models import S3Object


def every_help_text() -> str:
    """Return the help of all commands as Markdown."""
    return "".join(f"{help_text(*command)}\n" for command in commands())


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of all commands: first of the group, then of those in it."""
    yield path
    seen = set()
    for name, command in group.commands.items():
        loaded = command.load() if isinstance(command, LazyCommand) else command
        # A second name of a command has the same help.
        if loaded.hidden or loaded in seen:
            continue
        seen.add(loaded)
        if isinstance(loaded, click.Group):
            yield from commands(loaded, (*path, name))
        else:
            yield (*path, name)


def help_text(*command: str) -> str:
    """Return a command's help as a Markdown block."""
    runner = CliRunner()
    # Not every command has it: those with few options explain all of them.
    for option in ("--help-all", "--help"):
        result = runner.invoke(
            main,
            [*command, option],
            prog_name="frogmove",
            terminal_width=88,
            max_content_width=88,
        )
        if result.exit_code == 0:
            break
    words = " ".join(["frogmove", *command, option])
    return f"```console\n$ {words}\n{result.output.rstrip()}\n```\n"


def json_lines() -> str:
    """Return one example of each JSON record, as the program writes them."""
    item = S3Object(
        key="reports/2026.csv",
        size=1024,
        etag="5d41402abc4b2a76b9719d911017c592",
        last_modified=datetime(2026, 11, 23, 7, 30, tzinfo=UTC),
    )
    action = Action(Verb.MOVE, item, "in/reports/2026.csv")
    result = Result(action, Outcome.MOVED)
    summary = Summary()
    summary.add(result)
    records = [object_record(item), action_record(action), result_record(result)]
    records += [{**summary.record(), "seconds": 0.042, "run": "20261123-073012-ab12"}]
    return "```json\n" + "".join(json.dumps(record) + "\n" for record in records) + "```\n"
