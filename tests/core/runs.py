"""Runs on the fake S3 and their undo, each with a journal of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Outcome, Route
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.transfer import run
from frogmove.core.undo import copies_of, plan_undo
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_prefix
from frogmove.s3.retry import RetryingS3
from tests.factories import ROUTE, RUN_SPEC
from tests.fake_s3 import FakeS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from frogmove.core.models import Action
    from frogmove.s3.interface import S3
    from tests.fake_s3_state import FakeS3State

T = TypeVar("T")

OVERWRITE = TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE)


@dataclass
class LostAnswer:
    """Takes the first request of an operation, and does not answer it."""

    operation: str

    def __call__(self, operation: str, request: Callable[[], T]) -> T:
        answer = request()
        if operation == self.operation:
            self.operation = ""
            raise S3Error(operation, "RequestTimeout", None, "no answer")
        return answer


class Runs:
    """Runs on two buckets, each with a journal of its own."""

    def __init__(self, state: FakeS3State, folder: Path) -> None:
        self.s3: S3 = FakeS3(state)
        self._state = state
        self._folder = folder
        self._count = 0

    def move(self, options: TransferOptions | None = None, route: Route = ROUTE) -> Path:
        source = list_prefix(self.s3, "external", route.source.prefix)
        return self._run(plan_move(source, route), route, options)

    def sync(self) -> Path:
        sides = [list_prefix(self.s3, side, "") for side in ("external", "internal")]
        return self._run(plan_sync(sides[0], sides[1], ROUTE), ROUTE, OVERWRITE)

    def undo(
        self, journal: Path, options: TransferOptions | None = None, route: Route = ROUTE
    ) -> Path:
        actions = plan_undo(copies_of(JournalReader(journal)))
        return self._run(actions, Route(route.destination, route.source), options)

    def lose_answers(self, operation: str) -> None:
        """Let the first request of an operation take place, and nobody know of it."""
        self.s3 = RetryingS3(FakeS3(self._state, LostAnswer(operation)), Limits(first_delay=0.001))

    def _run(
        self, actions: Iterable[Action], route: Route, options: TransferOptions | None
    ) -> Path:
        self._count += 1
        begun = replace(RUN_SPEC, started=self._state.now().isoformat())
        journal = JournalWriter(self._folder / f"{self._count}.jsonl", begun)
        self.outcomes: dict[str, Outcome] = {}
        self.reasons: dict[str, str] = {}
        for result in run(
            actions, self.s3, route, options or TransferOptions(ALL_SUPPORTED), Event(), journal
        ):
            self.outcomes[result.action.object.key] = result.outcome
            self.reasons[result.action.object.key] = result.reason
        journal.commit()
        return journal.path
