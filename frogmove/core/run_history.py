"""How runs are related: which run resumed or undid which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.records import Record


class RunHistory:
    """All runs that have a journal.

    Args:
        journals: their journals.
    """

    def __init__(self, journals: Iterable[JournalReader]) -> None:
        self._by_id = {journal.spec.id: journal for journal in journals}
        self._followers: dict[str | None, list[JournalReader]] = {}
        # Names sort by start time.
        for name in sorted(self._by_id):
            journal = self._by_id[name]
            self._followers.setdefault(journal.spec.continues, []).append(journal)

    def with_origins(self, run: JournalReader) -> list[JournalReader]:
        """Return a run with the runs that it resumes, oldest first."""
        found = {run.spec.id: run}
        first = run
        while first.spec.command is not Command.UNDO and first.spec.continues in self._by_id:
            if first.spec.continues in found:
                # An edited journal: no run resumes itself.
                break
            first = self._by_id[first.spec.continues]
            found[first.spec.id] = first
        return list(reversed(found.values()))

    def with_resumes(self, run: JournalReader) -> list[JournalReader]:
        """Return a run with the runs that it resumes and that resumed it, oldest first.

        Each comes after the run that it resumes, even if the clock was set back between the two.
        """
        first = self.with_origins(run)[0]
        found: dict[str, JournalReader] = {}
        following = {first.spec.id: first}
        while following:
            oldest = following.pop(min(following))
            found[oldest.spec.id] = oldest
            resumes = self._that_continue(oldest, undo=False)
            following |= {each.spec.id: each for each in resumes if each.spec.id not in found}
        return list(found.values())

    def related(self, run: JournalReader) -> list[JournalReader]:
        """Return what :meth:`with_resumes` and :meth:`undone_by` return."""
        return [*self.with_resumes(run), *self.undone_by(run)]

    def resumed_by(self, run: JournalReader) -> list[str]:
        """Return the runs that resumed this one."""
        return [journal.spec.id for journal in self._that_continue(run, undo=False)]

    def undone_by(self, run: JournalReader) -> list[JournalReader]:
        """Return the undos of a run, of its resumes, and of the runs that it resumes."""
        together = [run] if run.spec.command is Command.UNDO else self.with_resumes(run)
        undos = [undo for each in together for undo in self._that_continue(each, undo=True)]
        # Not those from before a resume. A journal of an older version does not name the runs.
        return [each for each in undos if run.spec.id in (each.spec.undoes or [run.spec.id])]

    def last_unfinished(self) -> JournalReader | None:
        """Return the last run that ended unfinished; None if there is none."""
        for name in sorted(self._by_id, reverse=True):
            run = self._by_id[name]
            is_open = not self.is_followed(run) and not run.is_running()
            if is_open and is_unfinished(run.end()):
                return run
        return None

    def is_followed(self, run: JournalReader) -> bool:
        """Tell whether a run was resumed or undone, or an undo was run again."""
        undone = self._by_id.get(run.spec.continues or "")
        if run.spec.command is Command.UNDO and undone is not None:
            return self._that_continue(undone, undo=True)[-1].spec.id != run.spec.id
        return bool(self.resumed_by(run) or self.undone_by(run))

    def _that_continue(self, run: JournalReader, *, undo: bool) -> list[JournalReader]:
        followers = self._followers.get(run.spec.id, [])
        return [each for each in followers if (each.spec.command is Command.UNDO) is undo]


def unknown_origin(first: JournalReader) -> str | None:
    """Return the id of the run that the first of :meth:`RunHistory.with_resumes` resumed.

    Its journal is not known; None if there is no such run.
    """
    return None if first.spec.command is Command.UNDO else first.spec.continues


def is_unfinished(end: Record | None) -> bool:
    """Tell from a run's ``end`` record whether a resume has something to do."""
    return end is None or end["interrupted"] or end["counts"].get(Outcome.FAILED.value, 0) > 0


def is_undone(end: Record | None) -> bool:
    """Tell from an undo's ``end`` record whether it moved everything back."""
    left = (Outcome.FAILED, Outcome.CONFLICT, Outcome.SUPERSEDED)
    counts = {} if end is None else end["counts"]
    return not is_unfinished(end) and not any(counts.get(each.value) for each in left)
