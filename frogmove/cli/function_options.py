"""The options of commands for a deployed function."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import click

from frogmove.cli import options
from frogmove.cli.output import Console
from frogmove.cli.parameter_types import NonEmptyText
from frogmove.cli.waiting_notice import WaitingNotice
from frogmove.config import Config, config_file, resolve
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable

# The name in the Terraform module's examples.
DEFAULT = "frogmove"

function = click.option(
    "--function",
    "name",
    type=NonEmptyText(),
    help=f"The function's name or ARN.  [default: the route's, or {DEFAULT}]",
)

_OPTIONS = [
    function,
    options.route,
    options.profile,
    options.region,
    options.endpoint_url("AWS"),
    options.output,
]

schedule = click.option(
    "--schedule",
    type=NonEmptyText(),
    metavar="NAME",
    help="The schedule of its sweeps; by default the function's name with -sweep.",
)


def function_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for a function; the command gets ``deployment`` and ``console``."""

    @functools.wraps(command)
    def wrapper(
        *,
        name: str | None,
        route: str | None,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        output: str,
        schedule: str | None = None,
        **own: object,
    ) -> None:
        flags = Config(function=name, profile=profile, region=region)
        config = resolve(flags, route, os.environ, config_file(os.environ))
        # Not the route's endpoint: see deployment_of.
        services = Services(config.profile, config.region, endpoint_url)
        deployment = Deployment(config.function or DEFAULT, services, schedule)
        console = Console(json_lines=output == "json")
        with WaitingNotice(console) as notice:
            notice.watch_services(services)
            command(deployment=deployment, console=console, **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


def deployment_of(config: Config, name: str | None) -> Deployment:
    """Return the function of a route.

    The route's endpoint is one for S3; for other services it is set by AWS_ENDPOINT_URL.

    Args:
        config: the route.
        name: the function; None for the route's.
    """
    services = Services(config.profile, config.region)
    return Deployment(name or config.function or DEFAULT, services)
