"""The options that say which objects of a source are meant, the same on every command."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from frogmove.cli.options import KeyText
from frogmove.core.selection import select

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.core.run_spec import RunSpec

_OPTIONS = [
    click.argument("keys", nargs=-1, type=KeyText(), metavar="[KEY]..."),
    click.option(
        "--prefix", type=KeyText(), metavar="FOLDER", help="A folder: FOLDER and all under FOLDER/."
    ),
    click.option("--all", "everything", is_flag=True, help="Everything at the source."),
    click.option("--version-id", metavar="ID", help="Exactly this version of one KEY."),
]


@dataclass(frozen=True, slots=True)
class SelectionFlags:
    """What was selected, as it was typed."""

    keys: tuple[str, ...] = ()
    prefix: str | None = None
    everything: bool = False
    version_id: str | None = None

    def on(self, spec: RunSpec) -> RunSpec:
        """Return a run of what was selected.

        Raises:
            UsageError: when nothing can be selected so.
        """
        chosen = select(
            spec.route(),
            self.keys,
            self.prefix,
            everything=self.everything,
            version_id=self.version_id,
        )
        return spec.with_selection(chosen)


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and it gets a ``selected`` instead of them."""

    @functools.wraps(command)
    def wrapper(
        *,
        keys: tuple[str, ...],
        prefix: str | None,
        everything: bool,
        version_id: str | None,
        **own: object,
    ) -> None:
        command(selected=SelectionFlags(keys, prefix, everything, version_id), **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper
