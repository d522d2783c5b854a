"""``frogmove move``: chosen keys go to the destination and leave the source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from frogmove.cli.options import dry_run, route_options
from frogmove.cli.policy import policy_options

if TYPE_CHECKING:
    from frogmove.cli.console import Console
    from frogmove.cli.policy import Policy
    from frogmove.core.journal_file import Header
    from frogmove.core.selection import Selection
    from frogmove.settings import Settings


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--prefix", metavar="FOLDER", help="Move a folder: FOLDER and all under FOLDER/.")
@click.option("--all", "everything", is_flag=True, help="Move everything at the source.")
@click.option("--version-id", metavar="ID", help="Move exactly this version of one KEY.")
@dry_run
@policy_options
@route_options
@click.pass_context
def move(
    ctx: click.Context,
    settings: Settings,
    console: Console,
    policy: Policy,
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
    from frogmove.cli.session import Session, connect, explained, header
    from frogmove.core.plan import plan_move
    from frogmove.core.selection import Keys, select
    from frogmove.core.source import LOOK_AHEAD, find

    route = settings.route()
    selection = select(route, keys, prefix, everything=everything, version_id=version_id)
    with connect(settings, policy.limits(), console) as connection:
        listed = () if isinstance(selection, Keys) else (route.source,)
        session = Session(connection, route, policy, console, listed, dry_run=dry_run)
        with explained(route.source.bucket):
            objects = find(selection, connection.s3, route, LOOK_AHEAD)
        actions = plan_move(objects, route)
        if dry_run:
            ctx.exit(session.show(actions))
        run = header("move", settings, policy, connection)
        ctx.exit(session.run(actions, with_selection(run, selection)))


def with_selection(run: Header, selection: Selection) -> Header:
    """Note in a journal's header what was selected."""
    from frogmove.core.selection import Keys

    if isinstance(selection, Keys):
        return replace(run, keys=list(selection.keys), version_id=selection.version_id)
    return replace(run, folder=selection.prefix)
