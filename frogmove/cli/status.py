"""``frogmove status``: the state of a route on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli.check_lines import show_checks
from frogmove.cli.function_options import deployment_of, function
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import route_options
from frogmove.cli.runner import connect
from frogmove.ops.status import Status
from frogmove.s3.limits import Limits

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.config import Config

_WIDEST_NAME = len("failed sweeps")


@click.command(cls=GroupedCommand)
@function
@route_options
@click.pass_context
def status(ctx: click.Context, config: Config, console: Console, name: str | None) -> None:
    """Show the state of a route and of the function that moves its uploads. Nothing is changed.

    Each line is ok, a warning, broken, or unknown, and says what to do. The exit code is
    1 if a person has to do something.

    \b
    Examples:
      frogmove status
      frogmove status --route reports -o json
    """
    config.route()
    deployment = deployment_of(config, name)
    with connect(config, Limits(), console, deployment.services) as client:

        def report_progress(count: int) -> None:
            console.note(f"Listing the source: {count:,} objects so far.")

        checks = Status(config, deployment, client.s3, report_progress).checks()
        ctx.exit(show_checks(checks, console, _WIDEST_NAME))
