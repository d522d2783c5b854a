"""What can be done with a run afterwards: ``runs``, ``report``, ``resume`` and ``undo``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from frogmove.cli import completion
from frogmove.cli.options import TransferFlags, connection_options, dry_run, transfer_options

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.cli.output import Console
    from frogmove.config import Config
    from frogmove.core.journal_file import Header, JournalReader


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
    from frogmove.cli.output import Console
    from frogmove.cli.run_store import journals, read_history
    from frogmove.core.journal_file import JournalReader
    from frogmove.errors import UsageError

    console = Console(json_lines=output == "json")
    history = read_history()
    for path in journals():
        try:
            reader = JournalReader(path)
        except UsageError as error:
            # A crash at its very start leaves an empty one; the others are still wanted.
            console.warn(error.message)
        else:
            console.run(reader, history)


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
    from frogmove.cli.report_formats import render
    from frogmove.cli.run_store import find_journal

    reader = _read(find_journal(run))
    for text in render(reader, output):
        click.echo(text, nl=False)


@click.command()
@click.argument("run", required=False, shell_complete=completion.run_ids)
@dry_run
@connection_options
@click.pass_context
def resume(
    ctx: click.Context, config: Config, console: Console, run: str | None, dry_run: bool
) -> None:
    """Finish a run that was interrupted or failed.

    RUN is a run's id or the path of its journal; by default the last run that is not finished.
    The same keys are selected again, under the same options; what was already done is found
    done, and large objects go on from the part that was reached. Of a run that came to its end,
    only what failed is tried again; a finished run is left alone.

    \b
    Examples:
      frogmove resume
    """
    from frogmove.cli.runner import Runner, connect, explained, header
    from frogmove.core.plan import plan_move
    from frogmove.core.selection import HEAD_CONCURRENCY, Folder, Keys, find_remaining
    from frogmove.errors import UsageError

    reader = _to_resume(run, console)
    if reader is None:
        return
    earlier = reader.header
    if earlier.command == "undo":
        remedy = f"Run `frogmove undo {earlier.continues}` again."
        raise UsageError(f"{earlier.id} is an undo.", remedy)
    config = _as_in(config, earlier)
    route = config.route()
    flags = TransferFlags(
        on_conflict=earlier.on_conflict,
        verify=earlier.verify,
        multipart_threshold=earlier.multipart_threshold,
        max_compare_size=earlier.max_compare_size,
        carry=tuple(earlier.carry),
    )
    with connect(config, flags.limits(), console) as client:
        ends = (route.source, route.destination)
        listed = () if earlier.keys else ends if earlier.command == "sync" else ends[:1]
        runner = Runner(client, route, flags, console, listed, dry_run=dry_run)
        if earlier.command == "sync":
            from threading import Event

            from frogmove.core.sync_plan import plan_resolved_sync

            options = flags.sync_options(earlier.compare)
            actions = plan_resolved_sync(client.s3, route, HEAD_CONCURRENCY, Event(), options)
        else:
            keys = reader.failed_keys() if reader.end() else earlier.keys
            selection = Keys(tuple(keys), earlier.version_id) if keys else None
            chosen = selection or Folder(earlier.folder or "")
            with explained(route.source.bucket):
                objects = find_remaining(chosen, client.s3, route, HEAD_CONCURRENCY)
            actions = plan_move(objects, route)
        if dry_run:
            ctx.exit(runner.preview(actions))
        again = replace(
            header(earlier.command, config, flags, client),
            keys=earlier.keys,
            version_id=earlier.version_id,
            folder=earlier.folder,
            compare=earlier.compare,
            continues=earlier.id,
        )
        ctx.exit(runner.run(actions, again, reader.uploads()))


@click.command()
@click.argument("run", shell_complete=completion.run_ids)
@dry_run
@transfer_options
@connection_options
@click.pass_context
def undo(
    ctx: click.Context,
    config: Config,
    console: Console,
    flags: TransferFlags,
    run: str,
    dry_run: bool,
) -> None:
    """Move the objects of a run back to where they came from.

    RUN is a run's id or the path of its journal; a run is undone together with its resumes. The
    same protocol moves each copy back: what has changed at the destination since stays there,
    and nothing new at the source is overwritten. After a sync, the copies it made go away. What
    the destination held before the run stays there, and what the run replaced is restored where
    the bucket keeps versions.

    \b
    Examples:
      frogmove undo 20261123-073012-ab12 --dry-run
      frogmove undo 20261123-073012-ab12
    """
    from frogmove.cli.run_store import find_journal, read_history
    from frogmove.cli.runner import Runner, connect, header
    from frogmove.core.undo import backwards, copies_of, plan_undo

    reader = _read(find_journal(run))
    together = read_history().with_resumes(reader)
    if len(together) > 1:
        names = ", ".join(each.header.id for each in together)
        console.note(f"A run is undone together with its resumes: {names}.")
    config = _as_in(config, reader.header)
    flags = replace(flags, carry=flags.carry or tuple(reader.header.carry))
    route = config.route()
    back = backwards(route)
    with connect(config, flags.limits(), console) as client:
        # The source sets off notifications, so it is not the place for a throw-away key.
        runner = Runner(client, back, flags, console, probed=route.destination, dry_run=dry_run)
        actions = plan_undo(copies_of(*together))
        if dry_run:
            ctx.exit(runner.preview(actions))
        console.note("Where uploads set off a Lambda, it will move these again: pause it first.")
        this = replace(
            header("undo", config, flags, client),
            source=str(back.source),
            destination=str(back.destination),
            continues=reader.header.id,
        )
        ctx.exit(runner.run(actions, this))


def _to_resume(run: str | None, console: Console) -> JournalReader | None:
    """Find the run to resume; say so where there is nothing left to do."""
    from frogmove.cli.run_store import find_journal, read_history
    from frogmove.core.run_history import is_unfinished

    path = find_journal(run)
    reader = _read(path) if run else read_history().last_unfinished()
    if reader is None:
        console.note("Nothing to resume: every run is finished.")
        return None
    if reader.header.command != "undo" and not is_unfinished(reader.end()):
        name = reader.header.id
        console.note(f"Nothing to resume: {name} came to its end. `frogmove report {name}` tells.")
        return None
    return reader if run else _read(reader.path)


def _read(path: Path) -> JournalReader:
    from frogmove.cli.output import Console
    from frogmove.core.journal_file import JournalReader

    reader = JournalReader(path)
    if reader.is_torn():
        Console().warn(
            f"The last line of {path} is incomplete, as after a crash; it was not applied."
        )
    elif reader.is_damaged():
        Console().warn(
            f"{path} is damaged in the middle, and is read only up to there: look into both "
            "buckets for what stands behind."
        )
    return reader


def _as_in(config: Config, earlier: Header) -> Config:
    """Take an earlier run's route, and its server and identity where no other was given."""
    return replace(
        config,
        source=earlier.source,
        destination=earlier.destination,
        profile=config.profile or earlier.profile,
        region=config.region or earlier.region,
        endpoint_url=config.endpoint_url or earlier.endpoint_url,
        no_sign_request=config.no_sign_request or earlier.no_sign_request,
    )
