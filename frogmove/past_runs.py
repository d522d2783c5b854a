"""Finds the runs that a resume or an undo continues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.journal_reader import JournalReader
from frogmove.core.run_history import RunHistory, is_unfinished, unknown_origin
from frogmove.core.run_spec import Command
from frogmove.core.sent_copies import unanswered_copies, unrecorded_copies
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.run_store import LAST, find_journal, read_journals

if TYPE_CHECKING:
    from pathlib import Path


def run_to_resume(run: str | Path | None) -> JournalReader | None:
    """Return the journal of the run that a resume continues.

    Args:
        run: see :func:`frogmove.run_store.find_journal`; None means the last unfinished run.

    Returns:
        the journal; None if the run, or every run, is finished.

    Raises:
        UsageError: when there is no such run, it is still running, or it is an undo.
    """
    if run is None:
        find_journal(None)
        readers, problems = read_journals()
        found = RunHistory(readers).last_unfinished()
        if found is None and problems:
            raise UsageError(
                "Every run whose journal can be read is finished.",
                "Give the run to resume, or its journal.",
            )
        if found is None:
            return None
    else:
        found = ended_run(run)
    if found.spec.command is Command.UNDO:
        remedy = (
            f"Run `frogmove undo {found.spec.continues}` again. To resume another run, give its "
            "id: `frogmove runs` lists them."
        )
        raise UsageError(f"{found.spec.id} is an undo.", remedy)
    return found if is_unfinished(found.end()) else None


def resumed_runs(run: JournalReader) -> tuple[JournalReader, ...]:
    """Return the journals of a run and of the runs that it resumed, oldest first."""
    readers, _ = read_journals()
    return tuple(RunHistory(readers).with_origins(run))


def run_to_undo(run: str | Path) -> JournalReader:
    """Return the journal of the run that an undo reverses.

    Args:
        run: see :func:`frogmove.run_store.find_journal`.

    Raises:
        UsageError: when there is no such run, or it is still running; for ``last``, also when that
            run is an undo: to reverse it would move everything again.
    """
    found = ended_run(run)
    if run != LAST or found.spec.command is not Command.UNDO:
        return found
    name, undone = found.spec.id, found.spec.continues
    finish = f"To finish it: frogmove undo {undone}. " if is_unfinished(found.end()) else ""
    raise UsageError(
        f"The last run, {name}, is an undo itself.",
        f"{finish}To reverse it: frogmove undo {name}. `frogmove runs` lists the other runs.",
    )


def undone_completely(run: JournalReader) -> tuple[JournalReader, ...]:
    """Return the journals of a run and of its resumes, oldest first.

    Raises:
        UsageError: when one of them, or a part of one, is damaged or missing, or when it is not
            recorded whether a copy took place.
    """
    readers, _ = read_journals()
    together = RunHistory(readers).with_resumes(run)
    origin = unknown_origin(together[0])
    partial = next((each for each in together if each.is_damaged()), None)
    if partial is not None or origin is not None:
        what = f"the journal of {origin} is missing"
        if partial is not None:
            what = f"{in_quotes(str(partial.path))} is damaged, or a part of it is missing"
        raise UsageError(
            f"The run cannot be undone completely: {what}.",
            "To undo what is known: frogmove undo RUN",
        )
    unknown = [*unrecorded_copies(*together), *unanswered_copies(*together)]
    if unknown:
        raise UsageError(
            f"The run cannot be undone completely: it is not known whether {len(unknown):,} of its "
            f"copies took place, such as that of {in_quotes(unknown[0])}.",
            "Resume the run first. To undo what is known: frogmove undo RUN",
        )
    return tuple(together)


def ended_run(run: str | Path) -> JournalReader:
    """Return the journal of a run that has ended, and whose resumes and undos have.

    Raises:
        UsageError: when there is no such run, or one of these is still running.
    """
    reader = JournalReader(find_journal(str(run)))
    readers, _ = read_journals()
    for each in (reader, *RunHistory(readers).related(reader)):
        if each.is_running():
            raise UsageError(
                f"The run {each.spec.id} is still running.", "Wait until it ends, or stop it first."
            )
    return reader
