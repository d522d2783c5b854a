"""The live bar of a run: objects, bytes, rate, in flight, failures, time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.cli.output import size
from frogmove.core.models import Outcome
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from frogmove.cli.output import Console
    from frogmove.core.models import Action
    from frogmove.core.records import Summary


class Progress:
    """Follows a run on a terminal's stderr; anywhere else it shows nothing.

    Args:
        console: where to show.
        summary: what to show; updated by the run.
    """

    def __init__(self, console: Console, summary: Summary) -> None:
        self._console = console
        self._summary = summary
        self._planned = 0
        self._complete = False
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

    def watch(self, actions: Iterable[Action]) -> Iterator[Action]:
        """Pass a plan on, counting: its end tells the total."""
        for action in actions:
            self._planned += 1
            yield action
        self._complete = True

    def has_more(self, watched: Iterator[Action]) -> bool:
        """Tell whether a run that was stopped left anything to do."""
        counts = self._summary.counts
        if self._planned > counts.total() or counts[Outcome.FAILED]:
            return True
        try:
            return next(watched, None) is not None
        except S3Error:
            return True

    def update(self) -> None:
        """Show the summary as it is now."""
        if self._bar is None or self._task is None:
            return
        done = self._summary.counts.total()
        attention = sum(n for o, n in self._summary.counts.items() if o.needs_attention)
        rate = done / max(self._summary.seconds, 0.001)
        told = (
            f"{done:,} objects",
            size(self._summary.bytes),
            f"{rate:,.0f}/s",
            f"{self._planned - done:,} in flight",
            f"{attention:,} failed",
        )
        total = self._planned if self._complete else None
        self._bar.update(self._task, completed=done, total=total, told=self._fitting(told))

    def _fitting(self, told: Sequence[str]) -> str:
        """Join as much as fits on a line."""
        room = self._console.err.width
        if room >= _NARROW:
            room -= _bar_width(room) + _TIME_LEFT
        for left_out in _LEFT_OUT:
            text = " · ".join(part for number, part in enumerate(told) if number not in left_out)
            if len(text) <= room:
                break
        return text


# Columns below which there is neither a bar nor the time left, and those of the latter.
_NARROW = 60
_TIME_LEFT = 9

# What does without first where there is no room: the bytes, the rate, what is in flight.
_LEFT_OUT: Sequence[Sequence[int]] = ((), (1,), (1, 2), (1, 2, 3))


def _bar_width(columns: int) -> int:
    return 24 if columns >= 100 else 10


def _bar(console: Console) -> RichProgress:
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
