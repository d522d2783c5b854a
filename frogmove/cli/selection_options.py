"""The options that select objects, the same for every command."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import IO

import click

from frogmove.cli import completion
from frogmove.cli.parameter_types import KeyText
from frogmove.core.filters import Pattern
from frogmove.core.selection_options import SelectionOptions
from frogmove.errors import UsageError

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

# The parameter that holds the patterns in the order of the command line.
_PATTERNS = f"{__name__}.patterns"


class _PatternOption(click.Option):
    """``--include`` or ``--exclude``: their common order matters, but Click separates them."""

    def add_to_parser(self, parser: click.parser._OptionParser, ctx: click.Context) -> None:
        """Let the parser also record the patterns in the order of the command line."""
        super().add_to_parser(parser, ctx)
        # Click has no public API for the order of different options.
        option = parser._long_opt[self.opts[0]]  # noqa: SLF001
        process = option.process

        def note(value: str, state: click.parser._ParsingState) -> None:
            text = KeyText().convert(value, self, ctx)
            ctx.meta.setdefault(_PATTERNS, []).append(Pattern(self.name == "include", text))
            process(value, state)

        option.process = note  # type: ignore[method-assign]


_FILTERS: list[Decorator] = [
    click.option(
        "--include",
        cls=_PatternOption,
        multiple=True,
        metavar="GLOB",
        help="Only keys that match below the prefix: '*.csv', '**/*.csv', 'logs/**'.",
    ),
    click.option(
        "--exclude",
        cls=_PatternOption,
        multiple=True,
        metavar="GLOB",
        help="Not the keys that match. The last pattern that matches decides.",
    ),
    click.option(
        "--newer-than",
        metavar="TIME",
        help="Written at or after: 90m, 36h, 7d, 2w, 2026-03-01 (UTC) or a full ISO time.",
    ),
    click.option("--older-than", metavar="TIME", help="Written before: see --newer-than."),
    click.option("--min-size", metavar="SIZE", help="Minimum size: 10MiB, 5GB."),
    click.option("--max-size", metavar="SIZE", help="Maximum size."),
    click.option(
        "--storage-class",
        multiple=True,
        metavar="CLASS",
        help="Only this storage class, such as STANDARD_IA; repeatable.",
    ),
]

_PREFIX: Decorator = click.option(
    "--prefix",
    multiple=True,
    type=KeyText(),
    metavar="FOLDER",
    help="The key FOLDER and all keys under FOLDER/; repeatable.",
    shell_complete=completion.folders,
)

_LIST: list[Decorator] = [
    click.option(
        "--from-file",
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="A list of keys, as `frogmove ls` prints keys or lines; - is stdin.",
    ),
    click.option(
        "-0", "nul", is_flag=True, help="The list has raw keys, each terminated by a NUL."
    ),
]

_KEYS: list[Decorator] = [
    click.argument(
        "keys",
        nargs=-1,
        type=KeyText(),
        metavar="[KEY]...",
        shell_complete=completion.keys,
    ),
    _PREFIX,
    click.option("--all", "everything", is_flag=True, help="All keys of the source."),
    *_LIST,
    click.option("--version-id", metavar="ID", help="This version of one KEY."),
]

_ALLOW_EMPTY: Decorator = click.option(
    "--allow-empty", is_flag=True, help="Exit with 0, not 1, if nothing is selected."
)

_MAPPING: list[Decorator] = [
    click.option(
        "--to-prefix",
        type=KeyText(),
        metavar="FOLDER",
        help="Add this folder to the beginning of each key.",
    ),
    click.option(
        "--strip-prefix",
        type=KeyText(),
        metavar="FOLDER",
        help="Remove this folder from the beginning of each key.",
    ),
]

_RENAMES: list[Decorator] = [
    click.option(
        "--rename",
        type=KeyText(),
        metavar="TEMPLATE",
        help="A template for keys: {folder}, {name}, {stem}, {suffix}, {modified:%Y/%m/%d}.",
    ),
    click.option(
        "--as", "new_key", type=KeyText(), metavar="NEWKEY", help="The new key of the one KEY."
    ),
]


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add KEYs and all selection options; the command gets ``keys`` and ``chosen``."""
    return _given(command, [*_KEYS, *_FILTERS, _ALLOW_EMPTY, *_MAPPING, *_RENAMES])


def sync_selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add KEYs and the options that keep the order of keys, for a sync."""
    keys = [_KEYS[0], _PREFIX, *_LIST]
    return _given(command, [*keys, *_FILTERS, _ALLOW_EMPTY, *_MAPPING, *_RENAMES])


def verify_selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a sync without KEYs, for a verification."""
    return _given(command, [_PREFIX, *_LIST, *_FILTERS, _ALLOW_EMPTY, *_MAPPING])


def batch_selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add KEYs and the options that select objects, for a function that maps the keys itself."""
    return _given(command, [*_KEYS, *_FILTERS, _ALLOW_EMPTY])


def listing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select objects, for a listing."""
    return _given(command, [_PREFIX, _LIST[0], *_FILTERS, _ALLOW_EMPTY])


def _stdin() -> IO[bytes]:
    # A process may have no stdin.
    if sys.stdin is None:
        raise UsageError("There is no stdin to read the list from.")
    return sys.stdin.buffer


def _given(command: Callable[..., None], options: list[Decorator]) -> Callable[..., None]:

    @functools.wraps(command)
    def wrapper(*, keys: tuple[str, ...] = (), **given: object) -> None:
        chosen: dict[str, object] = {
            name: given.pop(name) for name in SelectionOptions.__annotations__ if name in given
        }
        if chosen.get("from_file") == "-":
            chosen["from_file"] = _stdin()
        # Replaced by the patterns in their order.
        chosen["patterns"] = click.get_current_context().meta.get(_PATTERNS, [])
        del chosen["include"], chosen["exclude"]
        command(keys=keys, chosen=chosen, **given)

    made: Callable[..., None] = wrapper
    for option in reversed(options):
        made = option(made)
    return made
