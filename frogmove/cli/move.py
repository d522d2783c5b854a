"""``frogmove move``: chosen keys go to the destination and leave the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli.options import KeyText, dry_run, route_options, transfer_options

if TYPE_CHECKING:
    from frogmove.cli.options import TransferFlags
    from frogmove.cli.output import Console
    from frogmove.config import Config


@click.command()
@click.argument("keys", nargs=-1, type=KeyText(), metavar="[KEY]...")
@click.option(
    "--prefix",
    type=KeyText(),
    metavar="FOLDER",
    help="Move a folder: FOLDER and all under FOLDER/.",
)
@click.option("--all", "everything", is_flag=True, help="Move everything at the source.")
@click.option("--version-id", metavar="ID", help="Move exactly this version of one KEY.")
@dry_run
@transfer_options
@route_options
@click.pass_context
def move(
    ctx: click.Context,
    config: Config,
    console: Console,
    flags: TransferFlags,
    keys: tuple[str, ...],
    prefix: str | None,
    everything: bool,
    version_id: str | None,
    dry_run: bool,
) -> None:
    """Move keys from a route's source to its destination.

    A KEY is written as `frogmove ls` prints it, or as an s3:// URI inside the source. Each
    object is copied, verified and only then deleted, and only as it was seen: what changes
    meanwhile stays where it is. Nothing at the destination is overwritten unless asked.

    \b
    Examples:
      frogmove move reports/2026.csv
      frogmove move --prefix reports --dry-run
      frogmove move --all --on-conflict keep-both
    """
    from frogmove.cli.runner import execute
    from frogmove.client import new_spec
    from frogmove.core.run_spec import Command
    from frogmove.core.selection import select

    route = config.route()
    selection = select(route, keys, prefix, everything=everything, version_id=version_id)
    spec = flags.on(new_spec(Command.MOVE, config)).with_selection(selection)
    ctx.exit(execute(spec, console, dry_run=dry_run, journal=flags.journal))
