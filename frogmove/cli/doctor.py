"""``frogmove doctor``: examines everything that a route depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli import crash_handler
from frogmove.cli.check_lines import show_checks
from frogmove.cli.function_options import deployment_of, function
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import route_options
from frogmove.cli.runner import connect
from frogmove.s3.limits import Limits

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.config import Config

_WIDEST_NAME = len("destination temporary keys")


@click.command(cls=GroupedCommand)
@function
@route_options
@click.pass_context
def doctor(ctx: click.Context, config: Config, console: Console, name: str | None) -> None:
    """Examine everything that a route depends on, and say what to do for each fault.

    Credentials, clock, both buckets and their KMS keys, what the endpoint honours, permissions, the
    function and its settings, the path of an upload to it, and what interrupted commands have left.
    Permissions are tested by requests that change nothing. On servers other than AWS, two temporary
    keys are written to the destination and deleted. The exit code is 1 if a person has to do
    something.

    \b
    Examples:
      frogmove doctor
      frogmove doctor --route reports -o json
    """
    # Lazy: botocore takes long to import, and --help does not need it.
    from frogmove.ops.doctor import Doctor

    config.route()
    deployment = deployment_of(config, name)
    crash_handler.begin("The examination")
    with connect(config, Limits(), console, deployment.services) as client:
        s3 = deployment.services.s3(config)
        checks = Doctor(config, deployment, client, s3).checks()
        ctx.exit(show_checks(checks, console, _WIDEST_NAME))
