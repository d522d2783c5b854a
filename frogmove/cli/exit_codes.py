"""The exit codes of all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.errors import RunError

if TYPE_CHECKING:
    from frogmove.core.models import Outcome
    from frogmove.core.records import Summary
    from frogmove.errors import FrogmoveError

DONE = 0
ATTENTION = 1
REFUSED = 2
INTERRUPTED = 130


def of_summary(summary: Summary, *also: Outcome) -> int:
    """Return the exit code of a run that finished or was interrupted.

    Args:
        summary: its summary.
        also: further outcomes that need attention.
    """
    if summary.interrupted:
        return INTERRUPTED
    is_attention = summary.needs_attention or any(summary.counts[each] for each in also)
    return ATTENTION if is_attention else DONE


def of_error(error: FrogmoveError) -> int:
    """Return the exit code for an error; 2 means that nothing was changed."""
    return ATTENTION if isinstance(error, RunError) else REFUSED
