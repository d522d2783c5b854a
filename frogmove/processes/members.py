"""The members of a pool: the run's own process and its worker processes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from frogmove.core.models import Outcome
from frogmove.errors import RunError
from frogmove.processes.child import Child
from frogmove.processes.messages import ExtendTo, Failed, Results, Setup, Split, Take
from frogmove.quoting import in_quotes
from frogmove.s3.activity import Activity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue

    from frogmove.core.sent_copies import SentCopy
    from frogmove.processes.range_runner import RangeRunner
    from frogmove.processes.spares import Spare
    from frogmove.s3.range_listing import KeyRange

# A member that could not split its range is asked again after this many objects.
_RESPLIT_AFTER = 1_000


@dataclass(eq=False)
class RangeTask:
    """A range that a member works on, or that waits for one.

    Attributes:
        folder: see :class:`Take`.
        keys: the range, without the parts that were split off.
        skips_first: see :class:`Take`.
        given: the part that was split off last, until its first key is known.
        tries: how often it was started.
        done: see :class:`Take`.
        sent: see :class:`Take`.
    """

    folder: str
    keys: KeyRange
    skips_first: bool = False
    given: RangeTask | None = None
    tries: int = 0
    done: frozenset[str] = frozenset()
    sent: Mapping[str, SentCopy] = field(default_factory=dict)

    def as_message(self) -> Take:
        """Return the message that starts a member on it as it is now."""
        return Take(self.folder, self.keys, self.skips_first, self.done, self.sent)


class Member:
    """One process that works on ranges."""

    def __init__(self) -> None:
        self.range: RangeTask | None = None
        self.is_asked = False
        self.planned = 0
        self.is_planned = False
        self.activity = Activity()
        self.asked_at = 0
        self.received = 0
        self.finished = 0
        # Objects of the current range that are not in the journal.
        self.counted: Counter[Outcome] = Counter()

    def assign(self, given: RangeTask) -> None:
        """Give it a range."""
        given.tries += 1
        self.range = given
        self.counted.clear()
        self.is_asked = self.is_planned = False
        self.asked_at = self.planned - _RESPLIT_AFTER
        self.take(given)

    def add(self, message: Results) -> bool:
        """Take over its progress and count its results.

        Returns:
            whether these are the first results that are also in its segment of the journal.
        """
        self.planned, self.is_planned = message.planned, message.is_planned
        self.activity = message.activity
        self.finished += message.skipped + len(message.results)
        self.counted[Outcome.SKIPPED] += message.skipped
        outcomes = [result.outcome for result in message.results]
        self.counted.update(each for each in outcomes if each.is_counted_only)
        before = self.received
        self.received += sum(not each.is_counted_only for each in outcomes)
        return before == 0 < self.received

    def may_split(self) -> bool:
        """Tell whether it can be asked for a part of its range."""
        if self.range is None or self.range.given is not None or self.is_asked:
            return False
        return self.planned_count() - self.asked_at >= _RESPLIT_AFTER

    def planned_count(self) -> int:
        """Return how many actions it has planned."""
        return self.planned

    def has_planned(self) -> bool:
        """Tell whether it has planned all actions of its range."""
        return self.is_planned

    def take(self, given: RangeTask) -> None:
        """Start on a range."""
        raise NotImplementedError

    def ask(self) -> None:
        """Ask for a part of the range to be split off."""
        raise NotImplementedError

    def extend_to(self, keys: KeyRange) -> None:
        """Say where the range ends, after a split."""
        raise NotImplementedError


class Remote(Member):
    """A worker process.

    Args:
        setup: what it needs.
        inbox: gets its messages.
        spare: a process that was forked for it; None to start one.

    Raises:
        OSError: when it cannot be started.
    """

    def __init__(
        self, setup: Setup, inbox: SimpleQueue[tuple[Member, object]], spare: Spare | None
    ) -> None:
        super().__init__()
        self.setup = setup
        module = "frogmove.worker"
        self._inbox = inbox
        self._failure = ""
        self._child = Child(module, setup, self._received, spare)
        self.process = self._child.process

    def exit_error(self, lost: RangeTask) -> RunError:
        """Return the error for a range of which the second worker has exited."""
        reason = self._failure or f"exit code {self.process.returncode}"
        return RunError(
            f"A worker process exited unexpectedly ({reason}) twice "
            f"while working on the keys after {in_quotes(lost.keys.after)}.",
            "Rerun with --processes 1.",
        )

    def _received(self, message: object) -> None:
        if isinstance(message, Failed):
            self._failure = message.error
        else:
            self._inbox.put((self, message))

    def send(self, message: object) -> None:
        """Send a message; see :class:`Child`."""
        self._child.send(message)

    def take(self, given: RangeTask) -> None:
        """See :class:`Member`."""
        self.send(given.as_message())

    def ask(self) -> None:
        """See :class:`Member`."""
        self.send(Split())

    def extend_to(self, keys: KeyRange) -> None:
        """See :class:`Member`."""
        self.send(ExtendTo(keys.last, keys.ends_at_key))


class Local(Member):
    """The run's own process."""

    def __init__(self, runner: RangeRunner) -> None:
        super().__init__()
        self.runner = runner

    def take(self, given: RangeTask) -> None:
        """See :class:`Member`; the thread that iterates over the results starts it."""

    def planned_count(self) -> int:
        """See :class:`Member`."""
        return self.runner.planned

    def has_planned(self) -> bool:
        """See :class:`Member`."""
        return self.runner.is_planned

    def ask(self) -> None:
        """See :class:`Member`."""
        if self.runner.listing is not None:
            self.runner.listing.ask_to_split()

    def extend_to(self, keys: KeyRange) -> None:
        """See :class:`Member`."""
        if self.runner.listing is not None:
            self.runner.listing.extend_to(keys.last, ends_at_key=keys.ends_at_key)

    def stop(self) -> None:
        """Stop waiting for other members."""
        if self.runner.listing is not None:
            self.runner.listing.stop()
