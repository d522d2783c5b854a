"""``frogmove sync``: the destination gets what it lacks; the source keeps everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli.options import dry_run, route_options
from frogmove.cli.policy import policy_options

if TYPE_CHECKING:
    from frogmove.cli.console import Console
    from frogmove.cli.policy import Policy
    from frogmove.settings import Settings


@click.command()
@dry_run
@policy_options
@route_options
@click.pass_context
def sync(
    ctx: click.Context, settings: Settings, console: Console, policy: Policy, dry_run: bool
) -> None:
    """Copy to a route's destination what it lacks or holds differently.

    The source keeps everything, and keys that only the destination has are left alone. Sizes
    and ETags are compared; where those do not tell, checksums are. What the destination holds
    differently is replaced, but only while it is what the comparison saw.

    \b
    Examples:
      frogmove sync --dry-run
      frogmove sync
    """
    from threading import Event

    from frogmove.cli.session import Session, connect, header
    from frogmove.core.compare import plan_settled_sync
    from frogmove.core.source import LOOK_AHEAD

    route = settings.route()
    with connect(settings, policy.limits(), console) as connection:
        both = (route.source, route.destination)
        session = Session(connection, route, policy, console, both, dry_run=dry_run)
        actions = plan_settled_sync(connection.s3, route, LOOK_AHEAD, Event())
        if dry_run:
            ctx.exit(session.show(actions))
        ctx.exit(session.run(actions, header("sync", settings, policy, connection)))
