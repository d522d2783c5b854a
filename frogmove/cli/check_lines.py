"""Prints checks, one line each, with what to do below."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from frogmove.cli import exit_codes, streams
from frogmove.cli.escaping import printable
from frogmove.ops.check import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from frogmove.cli.output import Console
    from frogmove.ops.check import Check

_STYLES = {
    State.OK: "green",
    State.WARNING: "bold yellow",
    State.BROKEN: "bold red",
    State.UNKNOWN: "bold yellow",
    State.NOT_OFFERED: "dim",
}
_STATE_WIDTH = max(map(len, State))


def show_checks(checks: Iterable[Check], console: Console, width: int) -> int:
    """Print each check as soon as it is known, and a summary.

    Args:
        checks: the checks.
        console: the output.
        width: the length of the longest name.

    Returns:
        the exit code: 1 if a person has to do something.

    Raises:
        OutputError: when stdout cannot be written.
    """
    counts: Counter[State] = Counter()
    for check in checks:
        counts[check.state] += 1
        if console.json_lines:
            console.record(check.record())
        else:
            _show(check, console, width)
        console.flush()
    if console.json_lines:
        console.record({"type": "summary", **{state.value: counts[state] for state in State}})
    else:
        console.total(", ".join(f"{counts[state]} {state}" for state in State if counts[state]))
    is_ok = not any(state.needs_attention for state in counts)
    return exit_codes.DONE if is_ok else exit_codes.ATTENTION


def _show(check: Check, console: Console, width: int) -> None:
    state = check.state.value
    console.line(
        [
            (f"{state:<{_STATE_WIDTH}}  ", _STYLES[check.state]),
            (f"{check.name:<{width}}  ", "bold"),
            (printable(check.message), ""),
        ]
    )
    if check.remedy:
        indent = " " * (_STATE_WIDTH + 2 + width + 2)
        console.line([(f"{indent}-> {printable(check.remedy)}", "cyan")])
    streams.check()
