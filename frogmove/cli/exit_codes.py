"""The exit codes of all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.core.models import Outcome
from frogmove.errors import RunError

if TYPE_CHECKING:
    from frogmove.core.records import Summary
    from frogmove.errors import FrogmoveError

DONE = 0
ATTENTION = 1
REFUSED = 2
INTERRUPTED = 130


def of_summary(summary: Summary) -> int:
    """Return the exit code of a run that finished or was interrupted."""
    if summary.interrupted:
        return INTERRUPTED
    return ATTENTION if summary.needs_attention else DONE


def of_undo(summary: Summary) -> int:
    """Return the exit code of an undo; an object that changed since then was not moved back."""
    if summary.counts[Outcome.SUPERSEDED]:
        return INTERRUPTED if summary.interrupted else ATTENTION
    return of_summary(summary)


def of_applied(summary: Summary) -> int:
    """Return the exit code of a plan that was applied; what changed since then was not done."""
    if summary.counts[Outcome.SUPERSEDED] + summary.counts[Outcome.GONE]:
        return INTERRUPTED if summary.interrupted else ATTENTION
    return of_summary(summary)


def of_error(error: FrogmoveError) -> int:
    """Return the exit code for an error; 2 means that nothing was changed."""
    return ATTENTION if isinstance(error, RunError) else REFUSED
