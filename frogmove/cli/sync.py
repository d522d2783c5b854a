"""``frogmove sync``: copies what the destination lacks; the source is not changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import progress_option, route_options, scan_options
from frogmove.cli.parameter_types import choice
from frogmove.cli.review_options import review_options
from frogmove.cli.runner import execute
from frogmove.cli.selection_options import sync_selection_options
from frogmove.cli.transfer_options import sync_transfer_options
from frogmove.core.run_spec import MAX_DELETE, Command
from frogmove.core.verify import CompareBy
from frogmove.errors import UsageError
from frogmove.run_config import new_spec, select_for

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.cli.review_options import Review
    from frogmove.cli.transfer_options import TransferFlags
    from frogmove.config import Config
    from frogmove.core.selection_options import SelectionOptions


@click.command(cls=GroupedCommand)
@sync_selection_options
@review_options
@click.option(
    "--compare",
    type=choice(CompareBy),
    default=CompareBy.AUTO.value,
    show_default=True,
    help="How to decide whether the destination already has an object.",
)
@click.option("--delete", is_flag=True, help="Afterwards, delete what only the destination has.")
@click.option(
    "--max-delete",
    metavar="N|P%",
    default=MAX_DELETE,
    show_default=True,
    help="Refuse to delete more objects, or a larger part of the destination's.",
)
@click.option(
    "--backup",
    metavar="URI",
    help="Keep what is deleted or replaced under this s3://bucket/prefix.",
)
@sync_transfer_options
@route_options
@scan_options
@progress_option
@click.pass_context
def sync(
    ctx: click.Context,
    config: Config,
    console: Console,
    keys: tuple[str, ...],
    chosen: SelectionOptions,
    allow_empty: bool,
    flags: TransferFlags,
    tags: list[str],
    review: Review,
    compare: str,
    delete: bool,
    max_delete: str,
    backup: str | None,
) -> None:
    """Copy objects that are missing or different at a route's destination.

    The source is not changed. Keys that only the destination has are kept, unless --delete is
    given. Objects are equal if their sizes and their MD5 ETags, SHA-256 or SHA-1 are equal. If none
    of these can be compared, an object of the same size that is newer than its source counts as up
    to date. A different object is replaced, unless it changes after the comparison; with
    --on-conflict fail, skip or keep-both it stays.

    \b
    --compare size      objects of equal size are equal
    --compare checksum  copies again unless an ETag or a checksum proves equality
    --compare content   reads and compares both sides, up to --max-compare-size

    With --delete, both sides are listed completely before anything is touched. Objects that only
    the destination has, within the selection, are deleted after everything was copied; the source
    is asked for each key once more. Nothing is deleted if a listing fails, if the source has
    nothing that is selected, or if a copy fails.

    \b
    Examples:
      frogmove sync --dry-run
      frogmove sync
      frogmove sync --on-conflict keep-both
      frogmove sync --compare content
      frogmove sync --delete --max-delete 5% --backup s3://attic/2026-11-23
    """
    if not delete and ctx.get_parameter_source("max_delete") is ParameterSource.COMMANDLINE:
        raise UsageError("--max-delete goes with --delete.")
    spec = replace(flags.on(new_spec(Command.SYNC, config)), compare=CompareBy(compare), tags=tags)
    spec = replace(spec, delete=delete, max_delete=max_delete, backup=backup)
    spec = select_for(spec, keys, chosen)
    ctx.exit(execute(spec, console, review, journal=flags.journal, allow_empty=allow_empty))
