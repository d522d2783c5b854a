"""Shows what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.cli import exit_codes
from frogmove.cli.plan_text import policy_words, summary_lines
from frogmove.cli.quantities import objects, size
from frogmove.cli.run_description import nothing_selected
from frogmove.core.plan_summary import PlanSummary

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.run_plan import Plan


def show_plan(plan: Plan, console: Console, *, allow_empty: bool) -> int:
    """Print the actions of a plan and their summary; return the exit code.

    Args:
        plan: the plan; nothing of it is done.
        console: the output.
        allow_empty: whether a plan without actions is a success.
    """
    summary = PlanSummary(plan.spec)
    for action in plan:
        console.planned(action)
        summary.add(action)
    show_summary(summary, console)
    if not (allow_empty or summary.total.counts):
        console.warn(nothing_selected(plan.spec))
        return exit_codes.ATTENTION
    return exit_codes.DONE


def show_summary(summary: PlanSummary, console: Console) -> None:
    """Print the totals of a plan, by reason and by folder."""
    if console.json_lines:
        console.record(summary.record())
    elif not console.quiet:
        total = f"{objects(summary.transfers)}, {size(summary.transfer_bytes)}"
        console.total(total)
        for line in summary_lines(summary):
            console.note(line)
        console.note(policy_words(summary.spec.on_conflict))
