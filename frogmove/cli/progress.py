"""The progress bar of a run: objects, bytes, rate, in flight, failures, time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.cli.output import size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from frogmove.cli.output import Console
    from frogmove.run import Run


class Progress:
    """Shows the progress of a run on stderr, if that is a terminal.

    Args:
        console: where to show it.
        run: the run.
    """

    def __init__(self, console: Console, run: Run) -> None:
        self._console = console
        self._run = run
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        if not console.quiet and console.is_live:
            self._bar = _bar(console)
            self._task = self._bar.add_task("", total=None, told="")

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self) -> None:
        """Show the current summary."""
        if self._bar is None or self._task is None:
            return
        run, summary = self._run, self._run.summary
        done = summary.counts.total()
        attention = sum(n for o, n in summary.counts.items() if o.needs_attention)
        rate = done / max(summary.seconds, 0.001)
        told = (
            f"{done:,} objects",
            size(summary.bytes),
            f"{rate:,.0f}/s",
            f"{run.planned - done:,} in flight",
            f"{attention:,} failed",
        )
        total = run.planned if run.is_planned else None
        self._bar.update(self._task, completed=done, total=total, told=self._fitting(told))

    def _fitting(self, told: Sequence[str]) -> str:
        """Join as many parts as fit on a line."""
        room = self._console.err.width
        if room >= _NARROW:
            room -= _bar_width(room) + _TIME_LEFT
        for left_out in _LEFT_OUT:
            text = " · ".join(part for number, part in enumerate(told) if number not in left_out)
            if len(text) <= room:
                break
        return text


# On a narrower terminal, neither the bar nor the time left is shown; width of the latter.
_NARROW = 60
_TIME_LEFT = 9

# Left out, in this order, where there is no room: bytes, rate, in flight.
_LEFT_OUT: Sequence[Sequence[int]] = ((), (1,), (1, 2), (1, 2, 3))


def _bar_width(columns: int) -> int:
    return 24 if columns >= 100 else 10


def _bar(console: Console) -> RichProgress:
    # Lazy, as in output.py: without a terminal there is no bar.
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    width = console.err.width
    line = Column(no_wrap=True, overflow="ellipsis")
    columns: list[ProgressColumn] = [
        TextColumn("{task.fields[told]}", markup=False, table_column=line)
    ]
    if width >= _NARROW:
        columns = [BarColumn(bar_width=_bar_width(width)), *columns, TimeRemainingColumn()]
    return Progress(
        *columns,
        console=console.err,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
