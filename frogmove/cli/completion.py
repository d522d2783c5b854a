"""Shell completion, from local files only.

Keys are not completed: listing them is too slow for a keystroke, and a key written by an outsider
must not be inserted into a shell's command line.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from frogmove.config import config_file, route_names
from frogmove.errors import UsageError
from frogmove.run_store import journals

if TYPE_CHECKING:
    import click


def routes(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the matching route names of the configuration file."""
    try:
        known = route_names(config_file(os.environ))
    except UsageError:
        return []
    return [name for name in known if name.startswith(incomplete)]


def run_ids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the matching run ids, newest first."""
    try:
        names = [path.stem for path in reversed(journals())]
    except UsageError:
        return []
    return [name for name in names if name.startswith(incomplete)]
