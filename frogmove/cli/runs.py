"""What can be done with a run afterwards: ``runs``, ``report``, ``resume`` and ``undo``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from frogmove.cli import completion
from frogmove.cli.options import connection_options, dry_run
from frogmove.cli.policy import Policy, policy_options

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.cli.console import Console
    from frogmove.core.journal_file import Header, JournalReader
    from frogmove.settings import Settings


@click.command()
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def runs(output: str) -> None:
    """List the runs that left a journal, the newest last.

    \b
    Examples:
      frogmove runs
    """
    from frogmove.cli.console import Console
    from frogmove.cli.state import journals
    from frogmove.core.journal_file import JournalReader
    from frogmove.errors import UsageError

    console = Console(json_lines=output == "json")
    for path in journals():
        try:
            reader = JournalReader(path)
        except UsageError as error:
            # A crash at its very start leaves an empty one; the others are still wanted.
            console.warn(error.message)
        else:
            console.run(reader.header, reader.end())


@click.command()
@click.argument("run", required=False, shell_complete=completion.run_ids)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "csv", "html"]),
    default="text",
    show_default=True,
    help="A table, JSON lines, CSV for a spreadsheet, or one HTML page.",
)
def report(run: str | None, output: str) -> None:
    """Show what a run did, object by object.

    RUN is a run's id or the path of its journal; by default the last run.

    \b
    Examples:
      frogmove report
      frogmove report 20261123-073012-ab12 -o html > report.html
    """
    from frogmove.cli.rendering import render
    from frogmove.cli.state import find_journal

    reader = _read(find_journal(run))
    for text in render(reader, output):
        click.echo(text, nl=False)


@click.command()
@click.argument("run", required=False, shell_complete=completion.run_ids)
@dry_run
@connection_options
@click.pass_context
def resume(
    ctx: click.Context, settings: Settings, console: Console, run: str | None, dry_run: bool
) -> None:
    """Finish a run that was interrupted or failed.

    RUN is a run's id or the path of its journal; by default the last run. The same keys are
    selected again, under the same options; what was already done is found done, and large
    objects go on from the part that was reached.

    \b
    Examples:
      frogmove resume
    """
    from frogmove.cli.session import Session, connect, explained, header
    from frogmove.cli.state import find_journal
    from frogmove.core.plan import plan_move
    from frogmove.core.selection import Folder, Keys
    from frogmove.core.source import LOOK_AHEAD, still_there
    from frogmove.errors import UsageError

    reader = _read(find_journal(run))
    earlier = reader.header
    if earlier.command == "undo":
        raise UsageError(f"{earlier.id} is an undo.", "Run the same `frogmove undo` again.")
    settings = _as_in(settings, earlier)
    route = settings.route()
    policy = Policy(
        on_conflict=earlier.on_conflict,
        verify=earlier.verify,
        multipart_threshold=earlier.multipart_threshold,
        max_compare_size=earlier.max_compare_size,
        carry=tuple(earlier.carry),
    )
    with connect(settings, policy.limits(), console) as connection:
        ends = (route.source, route.destination)
        listed = () if earlier.keys else ends if earlier.command == "sync" else ends[:1]
        session = Session(connection, route, policy, console, listed, dry_run=dry_run)
        if earlier.command == "sync":
            from threading import Event

            from frogmove.core.compare import plan_settled_sync

            actions = plan_settled_sync(connection.s3, route, LOOK_AHEAD, Event())
        else:
            selection = Keys(tuple(earlier.keys), earlier.version_id) if earlier.keys else None
            chosen = selection or Folder(earlier.folder or "")
            with explained(route.source.bucket):
                objects = still_there(chosen, connection.s3, route, LOOK_AHEAD)
            actions = plan_move(objects, route)
        if dry_run:
            ctx.exit(session.show(actions))
        again = replace(
            header(earlier.command, settings, policy, connection),
            keys=earlier.keys,
            version_id=earlier.version_id,
            folder=earlier.folder,
            continues=earlier.id,
        )
        ctx.exit(session.run(actions, again, reader.uploads()))


@click.command()
@click.argument("run", shell_complete=completion.run_ids)
@dry_run
@policy_options
@connection_options
@click.pass_context
def undo(
    ctx: click.Context,
    settings: Settings,
    console: Console,
    policy: Policy,
    run: str,
    dry_run: bool,
) -> None:
    """Move the objects of a run back to where they came from.

    RUN is a run's id or the path of its journal. The same protocol moves each copy back: what
    has changed at the destination since stays there, and nothing new at the source is
    overwritten. After a sync, the copies it made go away.

    \b
    Examples:
      frogmove undo 20261123-073012-ab12 --dry-run
      frogmove undo 20261123-073012-ab12
    """
    from frogmove.cli.session import Session, connect, header
    from frogmove.cli.state import find_journal
    from frogmove.core.undo import backwards, plan_undo

    reader = _read(find_journal(run))
    settings = _as_in(settings, reader.header)
    policy = replace(policy, carry=policy.carry or tuple(reader.header.carry))
    route = settings.route()
    back = backwards(route)
    with connect(settings, policy.limits(), console) as connection:
        # The source sets off notifications, so it is not the place for a throw-away key.
        session = Session(
            connection, back, policy, console, probed=route.destination, dry_run=dry_run
        )
        actions = plan_undo(reader.of_type("copied"))
        if dry_run:
            ctx.exit(session.show(actions))
        console.note("Where uploads set off a Lambda, it will move these again: pause it first.")
        this = replace(
            header("undo", settings, policy, connection),
            source=str(back.source),
            destination=str(back.destination),
            continues=reader.header.id,
        )
        ctx.exit(session.run(actions, this))


def _read(path: Path) -> JournalReader:
    from frogmove.cli.console import Console
    from frogmove.core.journal_file import JournalReader

    reader = JournalReader(path)
    if reader.is_torn():
        Console().warn(
            f"The end of {path} is torn, as by a crash; nothing that it told was acted upon."
        )
    elif reader.is_damaged():
        Console().warn(
            f"{path} is damaged in the middle, and is read only up to there: look into both "
            "buckets for what stands behind."
        )
    return reader


def _as_in(settings: Settings, earlier: Header) -> Settings:
    """Take an earlier run's route, and its server and identity where no other was given."""
    return replace(
        settings,
        source=earlier.source,
        destination=earlier.destination,
        profile=settings.profile or earlier.profile,
        region=settings.region or earlier.region,
        endpoint_url=settings.endpoint_url or earlier.endpoint_url,
        no_sign_request=settings.no_sign_request or earlier.no_sign_request,
    )
