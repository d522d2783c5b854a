"""Formats the list of ``frogmove runs``, with two lines per run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from frogmove.cli.escaping import printable
from frogmove.cli.quantities import counts
from frogmove.cli.run_description import resume_command, selection_words
from frogmove.core.run_history import is_undone, is_unfinished
from frogmove.core.run_spec import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.run_history import RunHistory

# Minimum columns of a shortened text.
_MIN_WIDTH = 8


def run_lines(
    journal: JournalReader, history: RunHistory, columns: int | None = None
) -> tuple[str, str]:
    """Describe a past run.

    Args:
        journal: the run.
        history: all runs.
        columns: the maximum length of a line; None for no limit.

    Returns:
        its id, time (UTC), command, selection and counts; then its route, and related runs or how
        to finish it.
    """
    spec = journal.spec
    counted = _counted(journal)
    first = f"{spec.id}  {spec.started[:16].replace('T', ' ')}  {spec.command:<4}  "
    selection = printable(selection_words(spec))
    if columns is not None:
        selection = _shorten(selection, columns - len(first) - len(counted) - 2)
    ends = [printable(spec.source), printable(spec.destination)]
    marks = "".join(f"; {mark}" for mark in _marks(journal, history))
    if columns is not None:
        room = columns - len(marks) - len("   -> ")
        width = max(room // 2, room - min(map(len, ends)))
        ends = [_shorten(end, width) for end in ends]
    return f"{first}{selection}: {counted}", f"  {' -> '.join(ends)}{marks}"


def _counted(journal: JournalReader) -> str:
    end = journal.last_end()
    if end is not None:
        counted = counts(end["counts"])
        return f"{counted or 'nothing'}{', interrupted' if end['interrupted'] else ''}"
    results = Counter(str(record["outcome"]) for record in journal.of_type("result"))
    state = "running" if journal.is_running() else "not finished"
    return ", ".join(filter(None, [counts(results), state]))


def _marks(journal: JournalReader, history: RunHistory) -> Iterator[str]:
    spec, end = journal.spec, journal.last_end()
    resumed, undos = history.resumed_by(journal), history.undone_by(journal)
    if spec.continues and spec.command is not Command.UNDO:
        yield f"resumes {spec.continues}"
    for name in resumed:
        yield f"resumed by {name}"
    for undo in undos:
        word = "undone" if is_undone(undo.end()) else "partly undone"
        yield f"{word} by {undo.spec.id}"
    if is_unfinished(end) and not history.is_followed(journal) and not journal.is_running():
        yield resume_command(spec, None)


def _shorten(text: str, width: int) -> str:
    """Shorten a text in the middle if it is too long."""
    width = max(width, _MIN_WIDTH)
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[head + 1 - width :]}"
