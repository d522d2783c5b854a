"""``frogmove sync``: the destination gets what it lacks; the source keeps everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli.options import dry_run, route_options, transfer_options

if TYPE_CHECKING:
    from frogmove.cli.options import TransferFlags
    from frogmove.cli.output import Console
    from frogmove.config import Config


@click.command()
@dry_run
@transfer_options
@route_options
@click.pass_context
def sync(
    ctx: click.Context, config: Config, console: Console, flags: TransferFlags, dry_run: bool
) -> None:
    """Copy to a route's destination what it lacks or holds differently.

    The source keeps everything, and keys that only the destination has are left alone. Sizes
    and ETags are compared; if inconclusive, checksums are used. What the destination holds
    differently is replaced, but only while it is what the comparison saw.

    \b
    Examples:
      frogmove sync --dry-run
      frogmove sync
    """
    from threading import Event

    from frogmove.cli.runner import Runner, connect, header
    from frogmove.core.selection import HEAD_CONCURRENCY
    from frogmove.core.sync_plan import plan_resolved_sync

    route = config.route()
    with connect(config, flags.limits(), console) as client:
        both = (route.source, route.destination)
        runner = Runner(client, route, flags, console, both, dry_run=dry_run)
        actions = plan_resolved_sync(client.s3, route, HEAD_CONCURRENCY, Event())
        if dry_run:
            ctx.exit(runner.preview(actions))
        ctx.exit(runner.run(actions, header("sync", config, flags, client)))
