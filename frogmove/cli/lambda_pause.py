"""``frogmove lambda pause`` and ``resume``: disable and enable the function's triggers."""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING

import click

from frogmove.cli import last_resort, options
from frogmove.cli.output import Console
from frogmove.ops.pause import DeployedFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from frogmove.ops.pause import Trigger

_OPTIONS = [
    options.dry_run,
    options.function,
    click.option(
        "--schedule",
        metavar="NAME",
        help="The schedule of its sweeps; by default the function's name with -sweep.",
    ),
    options.profile,
    options.region,
    click.option("--endpoint-url", metavar="URL", help="An AWS-compatible server instead of AWS."),
    options.output,
]


def _function_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for a function; the command gets it as ``deployed``."""

    @functools.wraps(command)
    def wrapper(
        *,
        name: str,
        schedule: str | None,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        output: str,
        **own: object,
    ) -> None:
        console = Console(json_lines=output == "json")
        deployed = DeployedFunction(name, profile, region, endpoint_url, schedule)
        command(deployed=deployed, console=console, **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


@click.command()
@_function_options
def pause(deployed: DeployedFunction, console: Console, dry_run: bool) -> None:
    """Pause the deployed function.

    Disables its event source mapping and the schedule of its sweeps. Running invocations finish.
    Uploads wait in the queue for its retention period; after that the next sweep moves them. The
    alarms not-polled and no-sweep will ring. With --dry-run the states are shown without a change.

    \b
    Examples:
      frogmove lambda pause --dry-run
      frogmove lambda pause --function frogmove:live
    """
    if dry_run:
        _show(deployed.triggers(), console)
        return
    last_resort.begin("The switch")
    _show(deployed.switch(on=False), console)
    console.note(
        f"{deployed.function} is paused. `frogmove lambda resume` enables it again; so does "
        "`terraform apply`, unless `enabled = false` is set there."
    )


@click.command()
@_function_options
def resume(deployed: DeployedFunction, console: Console, dry_run: bool) -> None:
    """Resume the deployed function.

    Enables its event source mapping and the schedule of its sweeps. Uploads that wait in the queue
    are moved now, and the next sweep moves all other objects at the source, including those that an
    undo has moved back.

    \b
    Examples:
      frogmove lambda resume --dry-run
      frogmove lambda resume --function frogmove:live
    """
    if dry_run:
        _show(deployed.triggers(), console)
        return
    last_resort.begin("The switch")
    _show(deployed.switch(on=True), console)
    console.note(
        f"{deployed.function} is enabled: uploads that wait in its queue are moved now, and all "
        "other objects at the source by the next sweep."
    )


def _show(triggers: Iterable[Trigger], console: Console) -> None:
    for each in triggers:
        if console.json_lines:
            record = {"type": "trigger", "kind": each.kind, "name": each.name}
            sys.stdout.write(json.dumps({**record, "state": each.state, "on": each.is_on}) + "\n")
        else:
            console.say(f"{each.kind} {each.name}: {'on' if each.is_on else 'off'} ({each.state})")
