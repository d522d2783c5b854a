"""A Click group whose commands are imported when they are called or their help is shown."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click

from frogmove.quoting import in_quotes


class LazyCommand(click.Command):
    """A command that is not imported yet; the group's help and shell completion need no more.

    Args:
        name: the command's name.
        short_help: its line in the group's help.
        target: the Click command, as ``package.module:attribute``.
    """

    def __init__(self, name: str, short_help: str, target: str) -> None:
        super().__init__(name, short_help=short_help)
        self._target = target

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self._target.partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))


class LazyGroup(click.Group):
    """A group that may contain lazy commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before a command; see :meth:`click.Group.parse_args`."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if self.commands.keys().isdisjoint(given):
                raise
            option = error.option_name
            raise click.UsageError(
                f"No such option {in_quotes(option)} before a command. Write options after the "
                f"command: {ctx.command_path} COMMAND {option}.",
                ctx,
            ) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command and import it; see :meth:`click.Group.resolve_command`."""
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, LazyCommand):
            command = command.load()
        return name, command, rest
