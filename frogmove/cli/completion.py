"""What a shell completes: names from this machine alone.

No keys: to list them takes longer than a keystroke may, and they are outsiders' texts, which would
go into a shell's own line.
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
    """Return the routes of the configuration file that begin so."""
    try:
        known = route_names(config_file(os.environ))
    except UsageError:
        return []
    return [name for name in known if name.startswith(incomplete)]


def run_ids(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the runs that left a journal and begin so, the newest first."""
    try:
        names = [path.stem for path in reversed(journals())]
    except UsageError:
        return []
    return [name for name in names if name.startswith(incomplete)]
