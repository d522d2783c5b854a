"""Asks on a terminal before a run that moves much, or that replaces something."""

from __future__ import annotations

import sys
import time
from threading import Timer
from typing import TYPE_CHECKING

from frogmove.cli.plan_text import confirmation_lines
from frogmove.cli.signals import end_message
from frogmove.core.filters import NO_FILTERS
from frogmove.core.models import Effect
from frogmove.core.options import OnConflict
from frogmove.core.plan_summary import PlanSummary
from frogmove.core.run_spec import Command

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.client import Client
    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.run_spec import RunSpec

# More objects than this are not moved or copied without a question.
MAX_UNCONFIRMED = 1000

# After so many objects or seconds, counting ends, and the figures are "at least".
MAX_COUNTED = 100_000
MAX_COUNT_SECONDS = 10.0

# Seconds of counting before a message.
NOTICE_SECONDS = 1.0

# Effects on what the destination holds.
_CHANGES_OF_DESTINATION = (Effect.REPLACE, Effect.DELETE, Effect.RESTORE)


def can_ask() -> bool:
    """Tell whether somebody sees a question and can answer it."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm_run(
    client: Client, spec: RunSpec, earlier: tuple[JournalReader, ...], console: Console
) -> bool:
    """Ask whether a run may begin, if it has to be asked; nothing is written.

    Args:
        client: the client for both buckets.
        spec: the run.
        earlier: the journals of the runs that it resumes or undoes.
        console: the output.

    Returns:
        whether the run may begin.

    Raises:
        FrogmoveError: when the run cannot be planned.
    """
    if not _may_need_confirmation(spec):
        return True
    with end_message(_STOPPED):
        return _is_approved(client, spec, earlier, console)


# The question is on the terminal's last line.
_STOPPED = "\nStopped: nothing was changed."


def _is_approved(
    client: Client, spec: RunSpec, earlier: tuple[JournalReader, ...], console: Console
) -> bool:
    summary, is_whole, warning = _count(client, spec, earlier, console)
    effects = summary.total.counts
    limit = 0 if moves_everything(spec) else MAX_UNCONFIRMED
    is_large = summary.transfers > limit
    if is_whole and not is_large and not any(effects[each] for each in _CHANGES_OF_DESTINATION):
        return True
    for line in confirmation_lines(summary, is_whole=is_whole):
        console.warn(line)
    if warning:
        console.warn(warning)
    return ask_to_continue()


def _may_need_confirmation(spec: RunSpec) -> bool:
    # A plan was reviewed, and what is resumed was confirmed.
    if spec.plan is not None or (spec.continues and spec.command is not Command.UNDO):
        return False
    return (
        spec.command is Command.UNDO
        or spec.on_conflict is OnConflict.OVERWRITE
        or not 0 < len(spec.selection.keys) <= MAX_UNCONFIRMED
    )


def moves_everything(spec: RunSpec) -> bool:
    """Tell whether a run moves everything at its source."""
    selection = spec.selection
    is_everything = selection.folders == (spec.route().source.prefix,)
    return spec.command is Command.MOVE and is_everything and selection.filters == NO_FILTERS


def _count(
    client: Client, spec: RunSpec, earlier: tuple[JournalReader, ...], console: Console
) -> tuple[PlanSummary, bool, str]:
    """Count what a run would do; tell whether that is all, and a warning about its deletes."""
    summary = PlanSummary(spec)
    started = time.monotonic()
    # A timer, because the first action may take as long as the server does.
    notice = Timer(NOTICE_SECONDS, console.note, ("Counting what this would do ...",))
    notice.daemon = True
    notice.start()
    try:
        plan = client.prepare(spec, earlier, dry_run=True)
        warning = "" if plan.deletions is None else plan.deletions.warning
        for count, action in enumerate(plan, start=1):
            summary.add(action)
            if count >= MAX_COUNTED or time.monotonic() - started > MAX_COUNT_SECONDS:
                if plan.deletions is not None:
                    # They come last, and are all known.
                    summary.total.counts[Effect.DELETE] = plan.deletions.count
                    summary.total.bytes[Effect.DELETE] = plan.deletions.bytes
                return summary, False, warning
        return summary, True, warning
    finally:
        notice.cancel()
        notice.join()


def ask_to_continue() -> bool:
    """Ask whether to continue, and return the answer; anything but yes is no."""
    sys.stderr.write("Continue? [y/N] ")
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except (OSError, ValueError):
        return False
    if not answer.endswith("\n"):
        # The terminal was closed, or Ctrl-D typed.
        sys.stderr.write("\n")
    return answer.strip().lower() in {"y", "yes"}
