"""``frogmove trace``: what happened to a key, and where its bytes are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from frogmove.cli import completion, exit_codes
from frogmove.cli.dlq import HIDDEN
from frogmove.cli.escaping import printable
from frogmove.cli.function_options import deployment_of, function
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.key_argument import key_argument
from frogmove.cli.options import route_options
from frogmove.cli.parameter_types import KeyText
from frogmove.cli.runner import connect
from frogmove.cli.signals import interruptible
from frogmove.core.models import key_inside
from frogmove.core.units import parse_time
from frogmove.ops.trace import Tracer
from frogmove.ops.trace_verdict import conclude
from frogmove.s3.limits import Limits
from frogmove.s3.uri import split

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.config import Config
    from frogmove.core.models import Route
    from frogmove.ops.trace import Trace
    from frogmove.ops.trace_verdict import Verdict

# The widest name of a place.
_WIDTH = len("destination")


@click.command(cls=GroupedCommand)
@click.argument("key", type=KeyText(), shell_complete=completion.keys)
@click.option(
    "--since",
    metavar="TIME",
    default="7d",
    show_default=True,
    help="Read the function's log from then on: 36h, 7d, or a time.",
)
@function
@route_options
@click.pass_context
def trace(
    ctx: click.Context, config: Config, console: Console, name: str | None, key: str, since: str
) -> None:
    """Tell what happened to a key, and where its bytes are now. Nothing is changed.

    Read are both buckets with their versions, the journals on this machine, the function's log, its
    queue and dead-letter queue, and the result of a scan. KEY is a key of the source, or an s3://
    URI of either side. The exit code is 1 if something is to be done or could not be read.

    \b
    Examples:
      frogmove trace reports/2026.csv
      frogmove trace s3://frogtech-sharara-internal/reports/2026.csv --since 14d
    """
    route = config.route()
    whole = _source_key(route, key)
    begin = parse_time(since, datetime.now(UTC))
    deployment = deployment_of(config, name)
    connected = connect(config, Limits(), console, deployment.services)
    with connected as client, interruptible(console) as stop:
        stop.stop_message = "Stopping: messages become visible again."
        stop.end_message = HIDDEN
        s3 = deployment.services.s3(config)
        there = deployment if deployment.services.belong_to(client.endpoint_url) else None
        found = Tracer(config, there, client.s3, s3, begin, stop).trace(whole)
        argument = key_argument(whole, route.source)
        verdict = conclude(found, argument, deployment.function)
        _show(found, verdict, console)
        if stop.is_set():
            ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(exit_codes.ATTENTION if verdict.todo or found.unknown else exit_codes.DONE)


def _source_key(route: Route, name: str) -> str:
    """Return the source key of a key of either side.

    Raises:
        UsageError: when it is inside neither.
    """
    if name.startswith("s3://"):
        bucket, key = split(name)
        is_here, is_there = (
            bucket == end.bucket and key.startswith(end.prefix)
            for end in (route.source, route.destination)
        )
        if is_there and not is_here:
            there = route.destination
            return route.source.prefix + key_inside(there, name).removeprefix(there.prefix)
    return route.source_key(name)


def _show(trace: Trace, verdict: Verdict, console: Console) -> None:
    """Print what happened, what is not known, where the bytes are, and what to do."""
    if console.json_lines:
        for each in trace.events:
            console.record(each.record())
        console.record(verdict.record(trace))
        return
    for each in trace.events:
        time = "" if each.time is None else f"{each.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        console.say(f"{time:19}  {each.where:<{_WIDTH}}  {printable(each.text)}")
    for problem in trace.unknown:
        console.warn(f"Not known: {problem}")
    for missing in trace.absent:
        console.note(f"Not there: {missing}.")
    console.say(verdict.text)
    for command in verdict.todo:
        console.say(f"To do: {command}")
