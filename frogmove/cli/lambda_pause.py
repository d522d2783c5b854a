"""``frogmove lambda pause`` and ``resume``: disable and enable the function's triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli import crash_handler, options
from frogmove.cli.function_options import function_options, schedule
from frogmove.ops.pause import Triggers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.cli.output import Console
    from frogmove.ops.deployment import Deployment
    from frogmove.ops.pause import Trigger


@click.command()
@options.dry_run
@function_options
@schedule
def pause(deployment: Deployment, console: Console, dry_run: bool) -> None:
    """Pause the deployed function.

    Disables its event source mapping and the schedule of its sweeps. Running invocations finish.
    Uploads wait in the queue for its retention period; after that the next sweep moves them. The
    alarms not-polled and no-sweep will ring. With --dry-run the states are shown without a change.

    \b
    Examples:
      frogmove lambda pause --dry-run
      frogmove lambda pause --function frogmove:live
    """
    _switch(deployment, console, on=False, dry_run=dry_run)
    if dry_run:
        return
    console.note(
        f"{deployment.function} is paused. `frogmove lambda resume` enables it again; so does "
        "`terraform apply`, unless `enabled = false` is set there."
    )


@click.command()
@options.dry_run
@function_options
@schedule
def resume(deployment: Deployment, console: Console, dry_run: bool) -> None:
    """Resume the deployed function.

    Enables its event source mapping and the schedule of its sweeps. Uploads that wait in the queue
    are moved now, and the next sweep moves all other objects at the source, including those that an
    undo has moved back.

    \b
    Examples:
      frogmove lambda resume --dry-run
      frogmove lambda resume --function frogmove:live
    """
    _switch(deployment, console, on=True, dry_run=dry_run)
    if dry_run:
        return
    console.note(
        f"{deployment.function} is enabled: uploads that wait in its queue are moved now, and all "
        "other objects at the source by the next sweep."
    )


def _switch(deployment: Deployment, console: Console, *, on: bool, dry_run: bool) -> None:
    """Enable or disable the triggers and print their states; in a dry run, only print them."""
    triggers = Triggers(deployment)
    if dry_run:
        _show(triggers.all(), console)
        return
    crash_handler.begin("The switch")
    _show(triggers.switch(on=on), console)


def _show(triggers: Iterable[Trigger], console: Console) -> None:
    for each in triggers:
        if console.json_lines:
            record = {"type": "trigger", "kind": each.kind, "name": each.name}
            console.record({**record, "state": each.state, "on": each.is_on})
        else:
            console.say(f"{each.kind} {each.name}: {'on' if each.is_on else 'off'} ({each.state})")
