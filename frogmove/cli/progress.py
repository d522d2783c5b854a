"""The live bar of a run: objects, bytes, rate, in flight, failures, time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.cli.output import size
from frogmove.core.models import Outcome
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
            f"{done:,} objects · {size(self._summary.bytes)} · {rate:,.0f}/s · "
            f"{self._planned - done:,} in flight · {attention:,} failed"
        )
        total = self._planned if self._complete else None
        self._bar.update(self._task, completed=done, total=total, told=told)


def _bar(console: Console) -> RichProgress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}", markup=False),
        TimeRemainingColumn(),
        console=console.err,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
