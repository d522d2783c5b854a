"""All output of the commands: data on stdout, everything else on stderr.

Text from S3 is never parsed as rich markup, and keys are escaped by :mod:`frogmove.cli.escaping`.
"""

from __future__ import annotations

import io
import json
import sys
import time
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from frogmove.cli import streams
from frogmove.cli.escaping import printable
from frogmove.cli.failure_groups import EXAMPLES, FailureGroups
from frogmove.cli.key_argument import extra_key_argument, key_argument
from frogmove.cli.listing_format import ListingFormat
from frogmove.cli.listing_view import PLAIN, ListingTotals, ListingView
from frogmove.cli.messages import Messages, rich_console
from frogmove.cli.plan_text import WIDTH, WORDS, reason_of, style_of
from frogmove.cli.quantities import counts, done, size
from frogmove.cli.run_list import run_lines
from frogmove.core.models import Action, Effect, Outcome, Result, Verb
from frogmove.core.records import Record, Summary, action_record, result_record
from frogmove.core.verify_results import Status
from frogmove.s3.uri import Location

if TYPE_CHECKING:
    import rich.console

    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.run_history import RunHistory
    from frogmove.core.verify_results import VerifyResult, VerifySummary
    from frogmove.s3.models import S3Object

_STYLES = {
    Outcome.MOVED: "green",
    Outcome.COPIED: "green",
    Outcome.DELETED: "green",
    Outcome.SKIPPED: "dim",
    Outcome.WAITING: "yellow",
    Outcome.GONE: "dim",
    Outcome.NOT_FOUND: "bold yellow",
    Outcome.SUPERSEDED: "yellow",
    Outcome.CONFLICT: "bold yellow",
    Outcome.FAILED: "bold red",
}


_STATUS_STYLES = {
    Status.SAME: "dim",
    Status.MISSING: "bold red",
    Status.EXTRA: "yellow",
    Status.DIFFERENT: "bold red",
    Status.NOT_DELETED: "bold yellow",
    Status.NOT_COMPARED: "bold yellow",
}

# How often, in seconds, stdout is flushed and a closed pipe is noticed.
FLUSH_SECONDS = 0.2


class ProgressMode(StrEnum):
    """When progress is shown."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Console(Messages):
    """One command's output.

    Args:
        json_lines: print data as JSON lines instead of text.
        quiet: print only what needs attention, and requested data.
        verbose: print diagnostic details.

    Attributes:
        progress: when to show progress.
    """

    def __init__(
        self, *, json_lines: bool = False, quiet: bool = False, verbose: bool = False
    ) -> None:
        super().__init__(quiet=quiet, verbose=verbose)
        self.json_lines = json_lines
        self.progress = ProgressMode.AUTO
        self._failures = FailureGroups()
        # The locations that the keys of results are relative to.
        self.source = self.destination = Location("")
        self._flushed = time.monotonic()
        self._out: rich.console.Console | None = None

    @property
    def out(self) -> rich.console.Console:
        """The rich console on stdout."""
        if self._out is None:
            self._out = rich_console(stderr=False)
        return self._out

    @cached_property
    def _encoding(self) -> str:
        return getattr(sys.stdout, "encoding", None) or "utf-8"

    def key(self, key: str) -> str:
        """Return a source key as it is printed."""
        return key_argument(key, self.source, self._encoding)

    def _columns(
        self,
        word: str,
        style: str,
        key: str,
        destination_key: str,
        reason: str,
        arrow: str = "->",
        *,
        is_extra: bool = False,
    ) -> list[tuple[str, str]]:
        """Return the parts of a line about a key; an extra one is only at the destination."""
        source, destination = self.source, self.destination
        name = self.key(key)
        there = key_argument(destination_key, destination, self._encoding)
        if is_extra:
            name = extra_key_argument(key, source, destination_key, destination, self._encoding)
        parts = [(f"{word:<10}  ", style), (name, "")]
        # An object without a valid key has no destination.
        if not destination_key:
            destination_key = destination.prefix + key.removeprefix(source.prefix)
        if key.removeprefix(source.prefix) != destination_key.removeprefix(destination.prefix):
            parts.append((f" {arrow} {there}", ""))
        if reason:
            parts.append((f"  ({printable(reason)})", "dim"))
        return parts

    @cached_property
    def _plain(self) -> bool:
        """Whether data goes to a file or a pipe."""
        return not sys.stdout.isatty()

    def say(self, text: str) -> None:
        """Print a line of data."""
        self.line([(printable(text), "")])
        streams.check()

    def is_writable(self) -> bool:
        """Flush stdout from time to time; tell whether it can still be written."""
        now = time.monotonic()
        if now - self._flushed > FLUSH_SECONDS:
            self._flushed = now
            streams.flush()
        return not streams.failure()

    def flush(self) -> None:
        """Flush stdout.

        Raises:
            OutputError: when stdout cannot be written.
        """
        streams.flush()
        streams.check()

    def listing_format(self, side: Location, view: ListingView = PLAIN) -> ListingFormat:
        """Return the format of a listing on stdout.

        Args:
            side: the location that keys are relative to.
            view: the options for it.

        Raises:
            UsageError: when they exclude each other.
        """
        view.check(json_lines=self.json_lines)
        if (
            view.null
            and self._encoding.lower() != "utf-8"
            and isinstance(sys.stdout, io.TextIOWrapper)
        ):
            sys.stdout.reconfigure(encoding="utf-8")
        return ListingFormat(
            side=side,
            view=view,
            json_lines=self.json_lines,
            encoding=self._encoding,
            is_plain=self._plain or self.json_lines or view.null,
        )

    def listed(self, entry: S3Object | str, form: ListingFormat) -> None:
        """Print an object or a folder of a listing.

        Raises:
            OutputError: when stdout cannot be written.
        """
        if form.is_plain:
            self.write(form.line(entry))
        else:
            streams.check()
            self.line(form.styled(entry))

    def write(self, text: str) -> None:
        """Print lines of data.

        Raises:
            OutputError: when stdout cannot be written.
        """
        streams.check()
        sys.stdout.write(text)

    def listing_totals(self, totals: ListingTotals, view: ListingView) -> None:
        """Print the totals of a listing."""
        if self.json_lines:
            self._json(totals.record())
        elif view.summarize:
            for line in totals.lines(view):
                self.say(line)
        else:
            self.total(totals.words())

    def planned(self, action: Action) -> None:
        """Print an action of a dry run.

        Raises:
            OutputError: when stdout cannot be written.
        """
        streams.check()
        effect = action.effect
        if self.json_lines:
            self._json(action_record(action))
        elif effect is not Effect.SKIP or self._verbose:
            self.line(
                self._columns(
                    f"{WORDS[effect]:<{WIDTH}}",
                    style_of(effect),
                    action.object.key,
                    action.destination_key,
                    reason_of(action),
                    arrow="as" if effect is Effect.KEEP_BOTH else "->",
                    is_extra=action.verb is Verb.DELETE,
                )
            )

    def done(self, result: Result) -> None:
        """Print a result; when quiet, only what needs attention, and skips only when verbose.

        On a terminal, if many have the same reason, only the first ones are printed, unless
        verbose; the others are in the summary and in the report.

        Raises nothing if stdout cannot be written: the caller stops the run.
        """
        alike = self._failures.add(result)
        if self.json_lines:
            self._json(result_record(result))
        elif alike > EXAMPLES and not self._plain and not self._verbose:
            return
        elif self._is_shown(result.outcome):
            style = _STYLES[result.outcome]
            word = result.outcome.value
            key = result.destination_key
            extra = result.action.verb is Verb.DELETE
            self.line(self._columns(word, style, result.key, key, result.reason, is_extra=extra))

    def _is_shown(self, outcome: Outcome) -> bool:
        if outcome is Outcome.SKIPPED:
            return self._verbose
        return not self.quiet or outcome.needs_attention

    def summary(self, summary: Summary, run_id: str, *, is_unfinished: bool) -> None:
        """Print the summary of a run, which may have ended early."""
        if self.json_lines:
            self._json({**summary.record(), "run": run_id})
            return
        for group in self._failures.large():
            keys = [self.key(key) for key in group.examples]
            text = f"{group.count:,} {group.outcome.value}: {group.reason}; such as"
            self.warn(f"{text} {', '.join(keys[:-1])} and {keys[-1]}")
        if self.quiet:
            return
        streams.flush()  # In a log of both streams, the results come first.
        by_outcome = {each.value: summary.counts[each] for each in Outcome}
        words = done(by_outcome, is_unfinished=is_unfinished)
        style = "bold yellow" if summary.needs_attention else "bold"
        self.message(f"{words}; {size(summary.bytes)} in {summary.seconds:.1f} s", style=style)

    @property
    def shows_unchanged(self) -> bool:
        """Whether objects that are the same at both ends are printed."""
        return self.json_lines or self._verbose

    def verified(self, result: VerifyResult) -> None:
        """Print the result of comparing a key; only when verbose if it is the same.

        Raises:
            OutputError: when stdout cannot be written.
        """
        streams.check()
        if self.json_lines:
            self._json(result.record())
        elif result.status is not Status.SAME or self.shows_unchanged:
            word, style = result.status.value, _STATUS_STYLES[result.status]
            key, extra = result.destination_key, result.status is Status.EXTRA
            self.line(self._columns(word, style, result.key, key, result.reason, is_extra=extra))

    def verify_summary(self, summary: VerifySummary) -> None:
        """Print the summary of a verification."""
        if self.json_lines:
            self._json(summary.record())
        elif not self.quiet:
            streams.flush()
            words = counts(dict(sorted(summary.counts.items()))) or "nothing was compared"
            text = words if summary.complete else f"incomplete: {words}"
            self.message(text, style="bold" if summary.same else "bold yellow")

    def run(self, journal: JournalReader, history: RunHistory) -> None:
        """Print two lines about a past run.

        Raises:
            OutputError: when stdout cannot be written.
        """
        streams.check()
        if self.json_lines:
            undos = [undo.spec.id for undo in history.undone_by(journal)]
            later = {"resumed_by": history.resumed_by(journal), "undone_by": undos}
            record = {"type": "run", **journal.spec.record(), "end": journal.end(), **later}
            self._json(record)
            return
        first, second = run_lines(journal, history, None if self._plain else self.out.width)
        self.line([(journal.spec.id, "cyan"), (first.removeprefix(journal.spec.id), "")])
        self.line([(second, "dim")])

    def record(self, record: Record) -> None:
        """Print a JSON line.

        Raises:
            OutputError: when stdout cannot be written.
        """
        self._json(record)
        streams.check()

    def _json(self, record: Record) -> None:
        sys.stdout.write(json.dumps(record) + "\n")

    def line(self, parts: list[tuple[str, str]]) -> None:
        """Print a line of data of texts, each with its style."""
        if self._plain:
            sys.stdout.write("".join(text for text, _ in parts) + "\n")
            return
        # Lazy: see frogmove.cli.messages.
        from rich.text import Text

        # While a bar is shown on the same terminal, lines must be printed through its console.
        console = self.err if self.is_live else self.out
        console.print(Text.assemble(*parts))
