"""Commands for past runs: ``runs``, ``report``, ``resume`` and ``undo``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from frogmove.cli import completion, exit_codes, options, report_options, streams
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import connection_options, dry_run, progress_option
from frogmove.cli.output import Console
from frogmove.cli.quantities import objects
from frogmove.cli.report_formats import render
from frogmove.cli.report_rows import ALL
from frogmove.cli.review_options import Review, yes_option
from frogmove.cli.runner import execute
from frogmove.cli.transfer_options import TransferFlags, transfer_options
from frogmove.core.journal_reader import JournalReader
from frogmove.core.run_history import RunHistory, is_undone, unknown_origin
from frogmove.core.run_spec import Command
from frogmove.core.sent_copies import unanswered_copies, unrecorded_copies
from frogmove.core.undo import restored_by
from frogmove.past_runs import resumed_runs, run_to_resume, run_to_undo
from frogmove.quoting import in_quotes
from frogmove.run_config import continued_spec, undo_spec
from frogmove.run_store import find_journal, no_journal, read_journals, runs_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from frogmove.config import Config
    from frogmove.core.run_spec import RunSpec
    from frogmove.errors import UsageError

# Journals that cannot be read and are named; others are counted.
_SHOWN_PROBLEMS = 3


@click.command()
@options.output
def runs(output: str) -> None:
    """List the runs that have a journal, newest last.

    \b
    Examples:
      frogmove runs
    """
    console = Console(json_lines=output == "json")
    readers, problems = read_journals()
    # A run that crashed at its start leaves an empty journal; list the others.
    _warn_of(problems, console)
    if not readers and not problems:
        console.note(no_journal().message)
    history = RunHistory(readers)
    for reader in readers:
        console.run(reader, history)


@click.command()
@click.argument("run", required=False, shell_complete=completion.run_ids)
@report_options.report_format
@report_options.outcomes
@click.pass_context
def report(ctx: click.Context, run: str | None, output: str, outcomes: tuple[str, ...]) -> None:
    """Show the result of a run for each object.

    Results that need attention come first.

    RUN is a run's id or a prefix of it, `last` (the default), or the path of a journal.

    \b
    Examples:
      frogmove report
      frogmove report --outcome failed --outcome conflict
      frogmove report 20261123-073012-ab12 -o html > report.html
    """
    reader = open_journal(find_journal(run))
    for text in render(reader, output, frozenset(outcomes) or ALL):
        streams.check()
        sys.stdout.write(text)
    if reader.is_damaged():
        ctx.exit(exit_codes.ATTENTION)


@click.command(cls=GroupedCommand)
@click.argument("run", required=False, shell_complete=completion.run_ids)
@dry_run
@connection_options
@progress_option
@click.pass_context
def resume(
    ctx: click.Context, config: Config, console: Console, run: str | None, dry_run: bool
) -> None:
    """Finish a run that was interrupted or failed.

    RUN is a run's id or a prefix of it, `last`, or the path of a journal; by default the last run
    that is not finished. The same keys are selected with the same options. Objects that are done
    are skipped, and large objects continue from the last copied part. If the run finished, only its
    failures are tried again; without failures, nothing is done.

    \b
    Examples:
      frogmove resume
    """
    earlier = _to_resume(run, console)
    if earlier is None:
        return
    spec = continued_spec(earlier.spec, config)
    ctx.exit(execute(spec, console, Review(dry_run), earlier=resumed_runs(earlier)))


@click.command(cls=GroupedCommand)
@click.argument("run", shell_complete=completion.run_ids)
@dry_run
@yes_option("it moves back over 1,000 objects, or restores something")
@click.option(
    "--while-live", is_flag=True, help="Do not check that the route's function is paused."
)
@transfer_options
@connection_options
@progress_option
@click.pass_context
def undo(
    ctx: click.Context,
    config: Config,
    console: Console,
    flags: TransferFlags,
    run: str,
    dry_run: bool,
    yes: bool,
    while_live: bool,
) -> None:
    """Move the objects of a run back to the source.

    RUN is a run's id or a prefix of it, `last`, or the path of a journal. A run is undone together
    with its resumes. Each copy is moved back as safely as it was moved: objects that changed at the
    destination stay there, and nothing new at the source is overwritten. After a copy or a sync,
    the copies are deleted. Objects that the destination held before the run stay there, and objects
    that the run replaced are restored if the bucket keeps versions. If the last run is an undo,
    `last` is refused: name it by its id.

    While the route's function is enabled (the route's setting function, or FROGMOVE_FUNCTION), the
    undo of a move is refused: the function would move the objects again. Pause it first, with
    `frogmove lambda pause`.

    \b
    Examples:
      frogmove undo 20261123-073012-ab12 --dry-run
      frogmove undo 20261123-073012-ab12
    """
    reader = run_to_undo(run)
    undone_runs = _undone_runs(reader, console)
    is_partial = _warn_of_partial_undo(reader, undone_runs, console)
    spec = continued_spec(reader.spec, config)
    needs_check = spec.command is Command.MOVE and not dry_run and not while_live
    note = _check_function(spec) if needs_check else ""
    spec = replace(
        flags.on(undo_spec(spec)),
        carry=list(flags.carry) or spec.carry,
        # Only a key given here: that of the route is for its destination.
        kms_key_id=ctx.params["kms_key_id"],
    )
    code = execute(
        spec,
        console,
        Review(dry_run, yes=yes),
        journal=flags.journal,
        earlier=tuple(undone_runs),
        note=note,
    )
    ctx.exit(exit_codes.ATTENTION if is_partial and code == exit_codes.DONE else code)


def _warn_of_partial_undo(
    run: JournalReader, undone_runs: Sequence[JournalReader], console: Console
) -> bool:
    """Warn of what an undo cannot take back; return whether there is anything."""
    is_partial = _warn_of_unknown(undone_runs, console)
    restored = restored_by(run)
    if restored:
        console.warn(
            f"This undoes an undo: {objects(len(restored))} that it restored, such as "
            f"{in_quotes(restored[0]['key'])}, will not be deleted again."
        )
    is_partial |= bool(restored or unknown_origin(undone_runs[0]))
    return is_partial or any(each.is_damaged() for each in undone_runs)


def _undone_runs(run: JournalReader, console: Console) -> list[JournalReader]:
    """Return the runs that are undone with a run; print which, and whether that was done before."""
    _warn_of_damage(run)
    history = read_history(console)
    undone_runs = history.with_resumes(run)
    for each in undone_runs:
        if each.spec.id != run.spec.id:
            _warn_of_damage(each)
    origin = unknown_origin(undone_runs[0])
    if origin is not None:
        console.warn(
            f"{undone_runs[0].spec.id} resumed {origin}, whose journal is not in "
            f"{in_quotes(str(runs_directory()))}: what that run did is not undone. Give its "
            "journal instead."
        )
    undone = [each.spec.id for each in history.undone_by(run) if is_undone(each.end())]
    if undone:
        console.note(f"{run.spec.id} was already undone by {undone[-1]}.")
    if len(undone_runs) > 1:
        names = ", ".join(each.spec.id for each in undone_runs)
        console.note(f"A run is undone together with its resumes: {names}.")
    return undone_runs


def read_history(console: Console) -> RunHistory:
    """Read the journals of all runs, and warn of those that cannot be read."""
    readers, problems = read_journals()
    _warn_of(problems, console)
    return RunHistory(readers)


def _warn_of_unknown(runs: Sequence[JournalReader], console: Console) -> bool:
    """Warn of copies that an undo cannot know; return whether there are any."""
    killed = unrecorded_copies(*runs)
    if killed:
        count = "1 object was" if len(killed) == 1 else f"{len(killed):,} objects were"
        console.warn(
            f"{count} being copied when the run was cut off, such as {in_quotes(killed[0])}. "
            "Copies of them may be left at the destination; their sources were not deleted."
        )
    lost = unanswered_copies(*runs)
    if lost:
        copies = "1 copy" if len(lost) == 1 else f"{len(lost):,} copies"
        console.warn(
            f"{copies} had no response, such as of {in_quotes(lost[0])}. They may be at the "
            "destination, in place of earlier objects; their sources were not deleted. "
            "`frogmove verify` compares both sides."
        )
    return bool(killed or lost)


def _check_function(spec: RunSpec) -> str:
    # Lazy: only an undo uses AWS services other than S3.
    from frogmove.cli.live_function import check_paused

    return check_paused(spec)


def _to_resume(run: str | None, console: Console) -> JournalReader | None:
    """Find the run to resume; report it if there is nothing to do."""
    readers, problems = read_journals()
    if run is None:
        _warn_of(problems, console)
    earlier = run_to_resume(run)
    if earlier is not None:
        _warn_of_damage(earlier)
    elif run is None:
        running = [each.spec.id for each in readers if each.is_running()]
        what = "every run is finished"
        if running:
            what = f"every other run is finished, and {running[-1]} is still running"
        console.note(f"Nothing to resume: {what}.")
    else:
        name = JournalReader(find_journal(run)).spec.id
        console.note(f"Nothing to resume: {name} is finished. See `frogmove report {name}`.")
    return earlier


def _warn_of(problems: Sequence[UsageError], console: Console) -> None:
    """Warn of journals that cannot be read; of many, such as an older version's, of some."""
    for problem in problems[-_SHOWN_PROBLEMS:]:
        console.warn(str(problem))
    more = len(problems) - _SHOWN_PROBLEMS
    if more > 0:
        console.warn(
            f"{more:,} more files in {in_quotes(str(runs_directory()))} cannot be read either."
        )


def open_journal(path: Path) -> JournalReader:
    """Open a journal, and warn if it is damaged."""
    reader = JournalReader(path)
    _warn_of_damage(reader)
    return reader


def _warn_of_damage(journal: JournalReader) -> None:
    path, missing = journal.path, journal.missing()
    if missing:
        Console().warn(
            f"{missing[0]} is missing, which is a part of this journal: what it recorded is not "
            f"known. Put it next to {path}."
        )
    elif journal.is_incomplete():
        Console().warn(
            f"The last line of {path} is incomplete, as after a crash; it was not applied."
        )
    elif journal.is_damaged():
        Console().warn(
            f"{path} is damaged in the middle; only the part before that was read. Check both "
            "buckets for the objects after it."
        )
