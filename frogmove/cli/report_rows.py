"""The content of a report, for all formats: results, route, times, and next commands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from frogmove.cli.quantities import done, size
from frogmove.cli.run_description import next_commands
from frogmove.core.models import Outcome
from frogmove.errors import UsageError
from frogmove.s3.uri import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from frogmove.core.records import Record
    from frogmove.core.run_spec import RunSpec

ALL = frozenset(outcome.value for outcome in Outcome)
ATTENTION = frozenset(outcome.value for outcome in Outcome if outcome.needs_attention)


class RunRecords(Protocol):
    """What a report shows: a journal, or the results of a job of S3 Batch Operations."""

    @property
    def spec(self) -> RunSpec:
        """The run."""
        ...

    def records(self) -> Iterator[Record]:
        """Yield all records."""
        ...

    def of_type(self, kind: str) -> Iterator[Record]:
        """Yield the records of one type."""
        ...

    def cut_off(self) -> list[Record]:
        """Return the results of copies that have none, because the run was cut off."""
        ...

    def end(self) -> Record | None:
        """Return the totals; None if the run did not finish."""
        ...

    def is_running(self) -> bool:
        """Tell whether the run is still running."""
        ...


@dataclass(frozen=True)
class Report:
    """A report of a run.

    Attributes:
        reader: its records.
        outcomes: the outcomes of the results to show.
    """

    reader: RunRecords
    outcomes: Set[str] = ALL

    def results(self) -> Iterator[Record]:
        """Yield the results, those that need attention first; all objects that left the source.

        For a run that was cut off, copies without a result come after failures and conflicts.
        """
        yield from self._of(ATTENTION)
        cut_off = self.reader.cut_off()
        yield from (each for each in cut_off if each["outcome"] in self.outcomes)
        yield from self._of(ALL - ATTENTION)

    def _of(self, outcomes: Set[str]) -> Iterator[Record]:
        wanted = self.outcomes & outcomes
        if not wanted:
            return iter(())
        return (each for each in self.reader.of_type("result") if each.get("outcome") in wanted)

    def ends(self) -> tuple[Location, Location]:
        """Return both ends of the route; a journal may contain anything."""
        spec = self.reader.spec
        return _end(spec.source), _end(spec.destination)

    def ending(self) -> str:
        """Describe how the run ended, with its totals."""
        end = self.reader.end()
        if end is None:
            return "still running" if self.reader.is_running() else "did not finish"
        interrupted = "interrupted; " if end["interrupted"] else ""
        words = done(end["counts"], is_unfinished=end["interrupted"])
        return f"{interrupted}{words}; {size(end['bytes'])} in {end['seconds']} s"

    def counts(self) -> Counter[str]:
        """Return the number of objects of each outcome, including those not shown."""
        end = self.reader.end()
        if end is not None:
            return Counter({name: count for name, count in end["counts"].items() if count})
        counts = Counter(str(each.get("outcome")) for each in self.reader.of_type("result"))
        counts.update(record["outcome"] for record in self.reader.cut_off())
        return +counts

    def command(self) -> str:
        """Return the command that prints it."""
        return f"frogmove report {self.reader.spec.id}"

    def next_commands(self) -> list[tuple[str, str]]:
        """Return the possible next commands with their purposes."""
        end = self.reader.end()
        if end is None and self.reader.is_running():
            # Neither is allowed yet.
            return []
        is_unfinished = end is None or bool(end["interrupted"])
        counts = self.counts()
        return next_commands(self.reader.spec, counts, None, is_unfinished=is_unfinished)

    def ended(self) -> datetime | None:
        """Return when the run ended; None if unknown."""
        end, started = self.reader.end(), time_of(self.reader.spec.started)
        if end is None or started is None:
            return None
        return started + timedelta(seconds=float(end["seconds"]))


def time_of(text: object) -> datetime | None:
    """Parse a time of a journal; None if it is not valid."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _end(uri: str) -> Location:
    try:
        return parse_location(uri)
    except UsageError:
        return Location("")
