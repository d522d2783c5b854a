"""Refuses an option whose value was forgotten, so that it would take the next option as its value.

Click accepts any value: ``--exclude -n`` would exclude the key ``-n``, and would be no dry run.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import click

from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence


_RECURSIVE = frozenset({"--recursive", "-r", "-R"})


def refuse_options_as_values(
    ctx: click.Context, parameters: Iterable[click.Parameter], arguments: Sequence[str]
) -> None:
    """Refuse an option that is given as the value of another, or with one hyphen for two.

    Args:
        ctx: the context of the command.
        parameters: of the command.
        arguments: of the command line.

    Raises:
        click.UsageError: when there is one.
    """
    options = {
        name: option
        for option in parameters
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }
    is_value = False
    for argument, following in pairwise((*arguments, "")):
        if argument == "--":
            return
        is_one_hyphen = argument.startswith("-") and f"-{_name(argument)}" in options
        if is_one_hyphen and not is_value:
            raise click.NoSuchOption(argument, possibilities=[f"-{argument}"], ctx=ctx)
        suggestion = _suggestion(argument, options)
        if suggestion and argument not in options and not is_value:
            raise click.UsageError(f"No such option {in_quotes(argument)}. {suggestion}", ctx)
        option = options.get(argument)
        is_value = option is not None and not option.is_flag
        if is_value and argument.startswith("--") and _name(following) in options:
            raise click.BadOptionUsage(
                argument,
                f"Option {in_quotes(argument)} requires a value, and {in_quotes(following)} is an "
                f"option. If it is meant as the value, write {argument}={following}",
                ctx,
            )


def _suggestion(argument: str, options: Container[str]) -> str:
    """Return what replaces an option that other tools or other commands have."""
    if argument in _RECURSIVE:
        if "--all" in options:
            return "--all and --prefix FOLDER include all folders below."
        return "All folders below are included."
    if argument == "--all" and "--prefix" in options:
        return "Leave it out: everything is selected by default."
    return ""


def _name(argument: str) -> str:
    return argument.partition("=")[0]
