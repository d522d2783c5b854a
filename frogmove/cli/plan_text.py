"""Formats the actions and the summary of dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.cli.quantities import objects, size
from frogmove.core.models import Action, Effect
from frogmove.core.run_spec import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.core.plan_summary import PlanSummary

WORDS = {
    Effect.MOVE: "would move",
    Effect.COPY: "would copy",
    Effect.REPLACE: "would replace",
    Effect.KEEP_BOTH: "would keep",
    Effect.ALREADY_THERE: "already there",
    Effect.RESTORE: "would restore",
    Effect.CONFLICT: "would conflict",
    Effect.ARCHIVED: "archived",
    Effect.REFUSE: "would fail",
    Effect.DELETE: "would delete",
    Effect.UNKNOWN: "not known",
    Effect.WAIT: "would wait",
    Effect.SKIP: "would skip",
    Effect.NOT_FOUND: "not-found",
    Effect.SUPERSEDED: "superseded",
    Effect.GONE: "gone",
}
WIDTH = max(map(len, WORDS.values()))

_YELLOW = frozenset(
    {Effect.CONFLICT, Effect.UNKNOWN, Effect.REPLACE, Effect.DELETE, Effect.SUPERSEDED}
)

# How many folders and reasons are printed; the JSON summary has more.
_MAX_SHOWN = 20

# Characters of a folder that others are aligned with.
_MAX_FOLDER_WIDTH = 40

_IF_OCCUPIED = "If a destination key holds something else"

_POLICIES = {
    "fail": f"{_IF_OCCUPIED}, both objects stay where they are, and the exit code is 1",
    "overwrite": f"{_IF_OCCUPIED}, it is replaced",
    "skip": f"{_IF_OCCUPIED}, both objects stay where they are",
    "keep-both": f"{_IF_OCCUPIED}, it stays, and the object is copied to another key",
}


def style_of(effect: Effect) -> str:
    """Return the rich style of an effect."""
    if effect in {Effect.ARCHIVED, Effect.REFUSE, Effect.NOT_FOUND}:
        return "bold red"
    if effect in _YELLOW:
        return "bold yellow"
    return "cyan" if effect.is_transfer else "dim"


def reason_of(action: Action) -> str:
    """Return the reason, with size and time of an object that would be replaced or kept."""
    forecast = action.forecast
    if forecast is None or forecast.there is None:
        return action.reason
    if forecast.effect in {Effect.REPLACE, Effect.KEEP_BOTH}:
        return f"{forecast.cause}: {forecast.there.size_and_time}"
    return action.reason


def summary_lines(summary: PlanSummary) -> Iterator[str]:
    """Yield the totals of a plan, then those by reason and by folder, and the conflict policy."""
    yield f"{objects(summary.transfers)}, {size(summary.transfer_bytes)}"
    reasons = sorted(summary.reasons.items(), key=lambda each: (each[0][0].value, each[0][1]))
    is_plain = len(reasons) == 1 and reasons[0][0][0] in {Effect.MOVE, Effect.COPY}
    if reasons and not is_plain:
        for (effect, reason), group in reasons[:_MAX_SHOWN]:
            count, total = group.counts[effect], size(group.bytes[effect])
            line = f"  {WORDS[effect]:<{WIDTH}}  {count:>9,}  {total:>10}  {reason}"
            yield line.rstrip()
        yield from _more(len(reasons), "reasons")
    if len(summary.folders) > 1:
        yield "By folder:"
        shown = sorted(summary.folders.items())[:_MAX_SHOWN]
        width = min(_MAX_FOLDER_WIDTH, max(len(_folder(name)) for name, _ in shown))
        for name, group in shown:
            words = [
                f"{group.counts[effect]:,} {WORDS[effect]}"
                for effect in Effect
                if group.counts[effect]
            ]
            yield f"  {_folder(name):<{width}}  {', '.join(words)}"
        yield from _more(len(summary.folders), "folders")
    policy = summary.spec.on_conflict
    yield f"{_POLICIES[policy]} (--on-conflict {policy})."


def confirmation_lines(summary: PlanSummary, *, is_whole: bool) -> Iterator[str]:
    """Yield the figures of a run and both ends of its route, for a question.

    Args:
        summary: of its plan.
        is_whole: whether that is all; if not, the figures are too small.
    """
    spec, counts = summary.spec, summary.total.counts
    least = "" if is_whole else "at least "
    what = "move back" if spec.command is Command.UNDO else spec.command.value
    total = f"{objects(summary.transfers)} ({size(summary.transfer_bytes)})"
    ends = f"from {spec.source} to {spec.destination}"
    if is_whole or summary.transfers:
        yield f"This would {what} {least}{total} {ends}."
    else:
        yield f"How many objects this would {what} {ends} is not known yet."
    for effect, consequence in (
        (Effect.REPLACE, f"would replace what is there ({size(summary.replaced_bytes)})"),
        (Effect.DELETE, f"would be deleted there ({size(summary.total.bytes[Effect.DELETE])})"),
        (Effect.RESTORE, "would be restored to what was there before"),
        (Effect.CONFLICT, "would conflict"),
    ):
        if counts[effect]:
            yield f"{least.capitalize()}{counts[effect]:,} {consequence}."


def example_lines(summary: PlanSummary, key: Callable[[str], str]) -> Iterator[str]:
    """Yield lines with the largest, the oldest and the first conflicts.

    Args:
        summary: of a plan.
        key: returns a source key as it is printed.
    """
    for title, actions in (("Largest:", summary.largest), ("Oldest:", summary.oldest)):
        if actions:
            yield title
        for action in actions:
            item = action.object
            modified_key = f"{item.last_modified:%Y-%m-%d %H:%M}  {key(item.key)}"
            yield f"  {size(item.size):>10}  {modified_key}"
    count = summary.total.counts[Effect.CONFLICT]
    if count:
        yield f"Conflicts ({count:,}):"
        for action in summary.conflicts:
            yield f"  {key(action.object.key)}  ({action.reason})"
        if count > len(summary.conflicts):
            yield f"  and {count - len(summary.conflicts):,} more"


def _folder(name: str) -> str:
    return name or "(no folder)"


def _more(count: int, noun: str) -> Iterator[str]:
    if count > _MAX_SHOWN:
        yield f"  and {count - _MAX_SHOWN:,} more {noun}"
