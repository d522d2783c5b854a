"""Shows progress on stderr: a bar on a terminal, otherwise a line from time to time."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple, Protocol

from frogmove.cli.output import ProgressMode
from frogmove.cli.quantities import objects, size
from frogmove.core.models import Outcome
from frogmove.plural import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from rich.live import Live

    from frogmove.cli.output import Console
    from frogmove.core.verify_results import Verification
    from frogmove.run import Run
    from frogmove.s3.activity import Activity

# Seconds between two lines without a terminal, and between two updates of the bar.
LINE_SECONDS = 10.0
BAR_SECONDS = 0.25

# Seconds over which the rate is measured, from which the time left is computed.
_RATE_SECONDS = 15.0

# Minimum seconds before the time left is shown.
_RATE_KNOWN_SECONDS = 2.0

# Minimum columns for a bar besides the figures; and the bar's width.
_NARROW = 60
_BAR_WIDTHS = ((140, 40), (100, 24), (_NARROW, 10))


class Figure(NamedTuple):
    """One figure; if there is no room, that with the highest rank is left out first."""

    text: str
    rank: int


class Snapshot(NamedTuple):
    """The progress at a moment.

    Attributes:
        done: how many objects are done.
        total: how many there are; None as long as that is not known.
        figures: the figures, in the order of display.
    """

    done: int
    total: int | None
    figures: list[Figure]


class Figures(Protocol):
    """Formats the progress of a command."""

    def snapshot(self) -> Snapshot:
        """Return the current progress; called from one thread, from time to time."""


class _Sample(NamedTuple):
    time: float
    done: int
    bytes: int


class _Meter:
    """Measures the recent rate of a command."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque([_Sample(time.monotonic(), 0, 0)])

    @property
    def bytes(self) -> int:
        """The bytes of the last measurement."""
        return self._samples[-1].bytes

    @property
    def is_known(self) -> bool:
        """Whether it has been measured for long enough to tell the time left."""
        return self._samples[-1].time - self._samples[0].time >= _RATE_KNOWN_SECONDS

    def rates(self, done: int, size_done: int) -> tuple[float, float]:
        """Return the recent rate, in objects and bytes per second."""
        now = time.monotonic()
        samples = self._samples
        samples.append(_Sample(now, done, size_done))
        while len(samples) > 2 and now - samples[0].time > _RATE_SECONDS:
            samples.popleft()
        seconds = max(now - samples[0].time, 0.001)
        return (done - samples[0].done) / seconds, (size_done - samples[0].bytes) / seconds


class RunFigures:
    """Formats the progress of a run.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._meter = _Meter()

    def snapshot(self) -> Snapshot:
        """See :class:`Figures`."""
        progress = self._run.progress
        # The total must not decrease when a large object is complete but does not count as moved
        # yet.
        copied = max(progress.bytes, self._meter.bytes)
        rate, byte_rate = self._meter.rates(progress.done, copied)
        counts = progress.counts
        of = f" of {progress.total:,}" if progress.total is not None else ""
        figures = [
            Figure(f"{progress.done:,}{of} objects", 0),
            Figure(size(copied), 4),
            *_rate_figures(rate, byte_rate),
            Figure(f"{progress.activity.in_flight:,} in flight", 5),
        ]
        if progress.activity.listed > progress.planned:
            # A filter leaves most of them out, or the destination is listed as well.
            figures.append(Figure(f"{progress.activity.listed:,} listed", 5))
        if progress.waiting:
            figures.append(Figure(f"{progress.waiting:,} waiting", 6))
        if progress.activity.retries:
            figures.append(Figure(counted(progress.activity.retries, "retry", "retries"), 8))
        if counts[Outcome.CONFLICT]:
            figures.append(Figure(counted(counts[Outcome.CONFLICT], "conflict", "conflicts"), 1))
        figures.append(Figure(f"{counts[Outcome.FAILED]:,} failed", 0))
        if progress.total is not None and rate > 0 and self._meter.is_known:
            left = max(0, progress.total - progress.done) / rate
            figures.append(Figure(f"{duration(left)} left", 2))
        return Snapshot(progress.done, progress.total, figures)


class VerifyFigures:
    """Formats the progress of a verification.

    Args:
        verification: the verification.
        activity: returns the current activity of its client.
    """

    def __init__(self, verification: Verification, activity: Callable[[], Activity]) -> None:
        self._summary = verification.summary
        self._activity = activity
        self._start = activity()
        self._meter = _Meter()

    def snapshot(self) -> Snapshot:
        """See :class:`Figures`."""
        summary, activity = self._summary, self._activity().since(self._start)
        done, compared = summary.done, summary.bytes
        figures = [
            Figure(objects(done), 0),
            Figure(size(compared), 4),
            *_rate_figures(*self._meter.rates(done, compared)),
            Figure(f"{activity.in_flight:,} in flight", 5),
        ]
        if activity.listed:
            figures.append(Figure(f"{activity.listed:,} listed", 6))
        if activity.retries:
            figures.append(Figure(counted(activity.retries, "retry", "retries"), 8))
        figures.append(Figure(f"{summary.unproven:,} not the same", 0))
        return Snapshot(done, None, figures)


def _rate_figures(rate: float, byte_rate: float) -> tuple[Figure, Figure]:
    objects = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    return Figure(objects, 3), Figure(f"{size(int(byte_rate))}/s", 7)


class ProgressDisplay:
    """Shows the progress of a command during the context.

    Args:
        console: where to show it.
        figures: formats it.
    """

    def __init__(self, console: Console, figures: Figures) -> None:
        self._console = console
        self._figures = figures
        self._live: Live | None = None
        self._ended = Event()
        mode = console.progress
        is_shown = mode is ProgressMode.ALWAYS or not console.quiet
        self._is_shown = is_shown and mode is not ProgressMode.NEVER

    def __enter__(self) -> ProgressDisplay:
        if self._is_shown and self._console.is_live:
            self._live = self._bar()
            self._live.start()
        elif self._is_shown:
            # Without a thread there are no lines.
            with suppress(RuntimeError):
                Thread(target=self._print_lines, name="progress", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._live is not None:
            self._live.stop()

    def _print_lines(self) -> None:
        while not self._ended.wait(LINE_SECONDS):
            figures = self._figures.snapshot().figures
            self._console.message(", ".join(figure.text for figure in figures))

    def _bar(self) -> Live:
        # Lazy, as in output.py: without a terminal there is no bar.
        from rich.live import Live

        return Live(
            get_renderable=self._render,
            console=self._console.err,
            refresh_per_second=1 / BAR_SECONDS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _render(self) -> RenderableType:
        # Lazy: as above.
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        done, total, figures = self._figures.snapshot()
        columns = self._console.err.width
        width = next((width for least, width in _BAR_WIDTHS if columns >= least), 0)
        if not width:
            return Text(fitting(figures, columns), no_wrap=True, overflow="ellipsis")
        bar = ProgressBar(total, done, width, pulse=total is None)
        row = Table.grid(padding=(0, 1))
        row.add_column()
        row.add_column(no_wrap=True, overflow="ellipsis")
        row.add_row(bar, Text(fitting(figures, columns - width - 2)))
        return row


def fitting(figures: list[Figure], columns: int) -> str:
    """Join the most important figures that fit on a line."""
    kept = list(figures)
    while True:
        text = " · ".join(figure.text for figure in kept)
        last = max(kept, key=lambda figure: figure.rank)
        if len(text) <= columns or last.rank == 0:
            return text
        kept.remove(last)


def duration(seconds: float) -> str:
    """Format a duration: ``45 s``, ``3 min 05 s``, ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02} min"
