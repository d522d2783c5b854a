"""``frogmove move`` and ``frogmove copy``: transfer selected keys to the destination."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import progress_option, route_options, scan_options
from frogmove.cli.review_options import review_options
from frogmove.cli.runner import execute
from frogmove.cli.selection_options import selection_options
from frogmove.cli.transfer_options import transfer_options
from frogmove.core.run_spec import Command
from frogmove.run_config import new_spec, select_for

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.cli.review_options import Review
    from frogmove.cli.transfer_options import TransferFlags
    from frogmove.config import Config
    from frogmove.core.selection_options import SelectionOptions


@click.command(cls=GroupedCommand)
@selection_options
@review_options
@transfer_options
@route_options
@progress_option
@scan_options
@click.pass_context
def move(
    ctx: click.Context,
    config: Config,
    console: Console,
    keys: tuple[str, ...],
    chosen: SelectionOptions,
    allow_empty: bool,
    flags: TransferFlags,
    tags: list[str],
    review: Review,
) -> None:
    """Move keys from a route's source to its destination.

    A KEY is written as `frogmove ls` prints it, or as an s3:// URI inside the source. Each object
    is copied and verified, then its source is deleted, unless it has changed meanwhile. Objects at
    the destination are not overwritten unless requested.

    \b
    Examples:
      frogmove move reports/2026.csv
      frogmove move --prefix reports --dry-run
      frogmove move --all --on-conflict keep-both
    """
    spec = select_for(flags.on(new_spec(Command.MOVE, config)), keys, chosen)
    spec = replace(spec, tags=tags)
    ctx.exit(execute(spec, console, review, journal=flags.journal, allow_empty=allow_empty))


@click.command(cls=GroupedCommand)
@selection_options
@review_options
@transfer_options
@route_options
@progress_option
@scan_options
@click.pass_context
def copy(
    ctx: click.Context,
    config: Config,
    console: Console,
    keys: tuple[str, ...],
    chosen: SelectionOptions,
    allow_empty: bool,
    flags: TransferFlags,
    tags: list[str],
    review: Review,
) -> None:
    """Copy keys from a route's source to its destination.

    Like `frogmove move` without the delete: a KEY is written as `frogmove ls` prints it, each copy
    is verified, and objects at the destination are not overwritten unless requested. Objects that
    are already there are not copied again. To copy everything that the destination lacks, use
    `frogmove sync`.

    \b
    Examples:
      frogmove copy reports/2026.csv
      frogmove copy --prefix reports --dry-run
    """
    spec = select_for(flags.on(new_spec(Command.COPY, config)), keys, chosen)
    spec = replace(spec, tags=tags)
    ctx.exit(execute(spec, console, review, journal=flags.journal, allow_empty=allow_empty))
