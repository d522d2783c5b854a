"""Shell completion of names on this machine, with what a shell may show beside them.

Names in S3 are completed by :mod:`frogmove.cli.key_completion`, which is imported when needed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from frogmove.cli.run_description import selection_words
from frogmove.config import config_file, route_ends
from frogmove.core.journal_reader import JournalReader
from frogmove.errors import FrogmoveError, UsageError
from frogmove.run_store import LAST, journals

if TYPE_CHECKING:
    from pathlib import Path

    import click

# Runs that are described; to read the headers of more takes longer than a keystroke may.
_DESCRIBED = 50


def routes(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching routes of the configuration file."""
    try:
        known = route_ends(config_file(os.environ))
    except UsageError:
        return []
    return [
        CompletionItem(name, help=" -> ".join(ends) or None)
        for name, ends in known.items()
        if name.startswith(incomplete)
    ]


def run_ids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching runs, newest first, and the word for the newest."""
    try:
        known = list(reversed(journals()))
    except UsageError:
        return []
    items = []
    if known and incomplete and LAST.startswith(incomplete):
        items.append(CompletionItem(LAST, help="the last run"))
    found = [path for path in known if path.stem.startswith(incomplete)]
    described = found[:_DESCRIBED]
    items += [CompletionItem(path.stem, help=_description(path)) for path in described]
    return items + [CompletionItem(path.stem) for path in found[_DESCRIBED:]]


def keys(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching folders and keys of the source."""
    # Every command has such options, and only a keystroke asks S3.
    from frogmove.cli import key_completion

    return key_completion.keys(ctx, param, incomplete)


def folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching folders of the source."""
    from frogmove.cli import key_completion

    return key_completion.folders(ctx, param, incomplete)


def ends(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching URIs of buckets and folders."""
    from frogmove.cli import key_completion

    return key_completion.ends(ctx, param, incomplete)


def _description(path: Path) -> str | None:
    try:
        spec = JournalReader(path).spec
        return f"{spec.command} {spec.source} -> {spec.destination}, {selection_words(spec)}"
    except FrogmoveError:
        return None
