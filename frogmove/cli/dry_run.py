"""Shows what a run would do."""

from __future__ import annotations

import shlex
from contextlib import closing
from typing import TYPE_CHECKING

from frogmove.cli import exit_codes
from frogmove.cli.plan_text import summary_lines
from frogmove.cli.run_description import nothing_selected
from frogmove.cli.signals import interruptible
from frogmove.core.models import Effect
from frogmove.core.plan_summary import PlanSummary

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.cli.output import Console
    from frogmove.run_plan import Plan


def show_plan(plan: Plan, console: Console, *, allow_empty: bool, file: Path | None = None) -> int:
    """Print the actions of a plan and their summary; return the exit code.

    Args:
        plan: the plan.
        console: the output.
        allow_empty: whether a plan without actions is a success.
        file: a new file to write the plan to.

    Raises:
        FrogmoveError: when the plan cannot be made or written.
    """
    summary = PlanSummary(plan.spec)
    if file is None:
        for action in plan:
            console.planned(action)
            summary.add(action)
    elif not _write(plan, console, summary, file):
        return exit_codes.INTERRUPTED
    show_summary(summary, console)
    if file is not None:
        name = shlex.quote(str(file))
        console.note(f"To see this plan: frogmove plan {name}; to apply it: frogmove apply {name}")
    if not (allow_empty or summary.total.counts):
        console.warn(nothing_selected(plan.spec))
        return exit_codes.ATTENTION
    # As for a missing KEY, this is a mistake in what was asked for, and no forecast.
    return exit_codes.ATTENTION if summary.total.counts[Effect.NOT_FOUND] else exit_codes.DONE


def _write(plan: Plan, console: Console, summary: PlanSummary, file: Path) -> bool:
    """Write a plan, and show its actions; return False if it was interrupted."""
    with interruptible(console) as stop, closing(plan.written(file)) as written:
        stop.stop_message = stop.end_message = f"Stopped: {file} is not a complete plan."
        for action in written:
            if stop.is_set():
                return False
            console.planned(action)
            summary.add(action)
    return True


def show_summary(summary: PlanSummary, console: Console) -> None:
    """Print the totals of a plan, by reason and by folder."""
    if console.json_lines:
        console.record(summary.record())
    elif not console.quiet:
        total, *lines = summary_lines(summary)
        console.total(total)
        for line in lines:
            console.note(line)
