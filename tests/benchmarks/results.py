"""What was measured, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measurement import Sample


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some figures, the least and the greatest."""

    median: float
    least: float
    greatest: float
    count: int


def spread(figures: Sequence[float]) -> Spread:
    """Summarise figures."""
    return Spread(median(figures), min(figures), max(figures), len(figures))


@dataclass(slots=True)
class Entry:
    """One program's figures in one row.

    Attributes:
        tool: its name.
        version: its version.
        command: what was run, the last time.
        objects: how many objects one run is about.
        samples: the runs that were timed.
        requests: how many requests of each operation one run sent.
        problem: why there is nothing more; empty when all went well.
    """

    tool: str
    version: str
    command: str = ""
    objects: int = 0
    samples: list[Sample] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def wall(self) -> Spread:
        """Seconds of a run."""
        return spread([sample.wall for sample in self.samples])

    @property
    def rate(self) -> Spread:
        """Objects a second."""
        return spread([self.objects / sample.wall for sample in self.samples])

    @property
    def cpu(self) -> Spread:
        """Microseconds of CPU time an object."""
        return spread([sample.cpu / self.objects * 1e6 for sample in self.samples])

    @property
    def memory(self) -> int:
        """The most bytes that were resident in any run."""
        return max(sample.memory for sample in self.samples)

    @property
    def server_share(self) -> float:
        """The server's CPU time as a share of one processor's."""
        return spread([sample.server_cpu / sample.wall for sample in self.samples]).median

    @property
    def requests_per_object(self) -> float | None:
        """Requests sent for an object, what the run as a whole takes included."""
        return sum(self.requests.values()) / self.objects if self.requests else None


@dataclass(slots=True)
class RowResult:
    """One row.

    Attributes:
        name: as ``--only`` takes it.
        title: for people.
        server: which server answered, and how.
        objects: how many objects a run of a quick program is about.
        size: bytes of each.
        family: what else it belongs together with; growth rows are shown by themselves.
        entries: one for each program.
        skipped: why there is nothing else; empty otherwise.
    """

    name: str
    title: str
    server: str
    objects: int
    size: int
    family: str = ""
    entries: list[Entry] = field(default_factory=list)
    skipped: str = ""

    def of(self, tool: str) -> Entry | None:
        """Return a program's entry, if it was measured."""
        return next((each for each in self.entries if each.tool == tool and each.samples), None)


@dataclass(slots=True)
class Report:
    """All rows of one run of the benchmarks.

    Attributes:
        date: when.
        machine: what it ran on.
        versions: of the programs, by name.
        notes: what else has to be known.
        rows: the rows.
    """

    date: str
    machine: str
    versions: dict[str, str]
    notes: list[str] = field(default_factory=list)
    rows: list[RowResult] = field(default_factory=list)

    def row(self, name: str) -> RowResult | None:
        """Return a row by its name."""
        return next((row for row in self.rows if row.name == name), None)

    def record(self) -> dict[str, Any]:
        """Return all figures as JSON has them, with what is worked out of them."""
        record = asdict(self)
        for row, reported in zip(self.rows, record["rows"], strict=True):
            for entry, each in zip(row.entries, reported["entries"], strict=True):
                if entry.samples:
                    each |= {
                        "objects_per_second": asdict(entry.rate),
                        "cpu_microseconds_per_object": asdict(entry.cpu),
                        "requests_per_object": entry.requests_per_object,
                        "peak_memory": entry.memory,
                        "server_share": entry.server_share,
                    }
        return record
