"""A group whose commands are imported when they are called, or when their own help is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click


class LazyCommand(click.Command):
    """A command as its group's help and a shell's completion show it, not yet imported.

    Args:
        name: what to call it by.
        short_help: its line in the group's help.
        target: where it is, ``package.module:attribute``.
    """

    def __init__(self, name: str, short_help: str, target: str) -> None:
        super().__init__(name, short_help=short_help)
        self._target = target

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self._target.partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))


class LazyGroup(click.Group):
    """A group that may hold lazy commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command and import it; see :meth:`click.Group.resolve_command`."""
        name, command, rest = super().resolve_command(ctx, args)
        if isinstance(command, LazyCommand):
            command = command.load()
        return name, command, rest
