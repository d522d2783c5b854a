"""``frogmove lambda info``: shows the deployed function and its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli import exit_codes
from frogmove.cli.function_options import function_options, schedule
from frogmove.ops.function_info import read_facts, read_versions

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.ops.deployment import Deployment


@click.command()
@function_options
@schedule
@click.pass_context
def info(ctx: click.Context, deployment: Deployment, console: Console) -> None:
    """Show the deployed function: settings, triggers, queues, log, and published versions.

    The exit code is 1 if something could not be read for want of a permission.

    \b
    Examples:
      frogmove lambda info
      frogmove lambda info --function frogmove:live -o json
    """
    facts = read_facts(deployment)
    versions = read_versions(deployment)
    unknown = [*facts.unknown, *versions.unknown]
    if console.json_lines:
        console.record({**facts.values, "type": "function", "unknown": unknown})
        for version in versions.versions:
            console.record({"type": "version", **version.record()})
    else:
        widest = max(len(name) for name in facts.values)
        for name, value in facts.values.items():
            console.say(f"{name:<{widest}}  {'-' if value is None else value}")
        for version in versions.versions:
            console.say(version.line())
    for message in unknown:
        console.warn(message)
    ctx.exit(exit_codes.ATTENTION if unknown else exit_codes.DONE)
