"""How runs follow on one another: what resumed which, and what undid it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.records import Record


class RunHistory:
    """The runs that left a journal.

    Args:
        journals: theirs.
    """

    def __init__(self, journals: Iterable[JournalReader]) -> None:
        self._by_id = {journal.spec.id: journal for journal in journals}

    def with_resumes(self, run: JournalReader) -> list[JournalReader]:
        """Return a run with what it resumes and what resumed it, the oldest first."""
        first = run
        while first.spec.command is not Command.UNDO and first.spec.continues in self._by_id:
            first = self._by_id[first.spec.continues]
        found = {first.spec.id: first, run.spec.id: run}
        # Names sort as the runs began, so a resume comes after what it resumes.
        for name in sorted(self._by_id):
            spec = self._by_id[name].spec
            if spec.command is not Command.UNDO and spec.continues in found:
                found[name] = self._by_id[name]
        return [found[name] for name in sorted(found)]

    def resumed_by(self, run: JournalReader) -> list[str]:
        """Return the runs that resumed this one."""
        return [journal.spec.id for journal in self._that_continue(run, undo=False)]

    def undone_by(self, run: JournalReader) -> list[JournalReader]:
        """Return the undos of a run, or of one that it resumes or that resumed it."""
        together = [run] if run.spec.command is Command.UNDO else self.with_resumes(run)
        return [undo for each in together for undo in self._that_continue(each, undo=True)]

    def last_unfinished(self) -> JournalReader | None:
        """Return the last run that was not finished since; None where all were."""
        for name in sorted(self._by_id, reverse=True):
            run = self._by_id[name]
            if not self._is_followed(run) and is_unfinished(run.end()):
                return run
        return None

    def _is_followed(self, run: JournalReader) -> bool:
        """Tell whether it was resumed or undone; of an undo, whether it was run again."""
        undone = self._by_id.get(run.spec.continues or "")
        if run.spec.command is Command.UNDO and undone is not None:
            return self._that_continue(undone, undo=True)[-1].spec.id != run.spec.id
        return bool(self.resumed_by(run) or self.undone_by(run))

    def _that_continue(self, run: JournalReader, *, undo: bool) -> list[JournalReader]:
        return [
            self._by_id[name]
            for name in sorted(self._by_id)
            if self._by_id[name].spec.continues == run.spec.id
            and (self._by_id[name].spec.command is Command.UNDO) is undo
        ]


def is_unfinished(end: Record | None) -> bool:
    """Tell from a run's ``end`` record whether there is something left that a resume may do."""
    return end is None or end["interrupted"] or end["counts"].get(Outcome.FAILED.value, 0) > 0


def is_undone(end: Record | None) -> bool:
    """Tell from an undo's ``end`` record whether it brought everything back."""
    left = (Outcome.FAILED, Outcome.CONFLICT, Outcome.SUPERSEDED)
    counts = {} if end is None else end["counts"]
    return not is_unfinished(end) and not any(counts.get(each.value) for each in left)
