"""Plans in files: nothing is lost on the way, and memory does not grow with them."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.models import Action, Effect, Forecast, Verb
from frogmove.core.options import TransferOptions
from frogmove.core.plan_file import PlanHeader, count_actions, keep_plan, read_plan, write_plan
from frogmove.core.plan_summary import MAX_GROUPS, OTHERS, PlanSummary
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.selection import Selection
from frogmove.credentials import _account_of_key
from frogmove.errors import UsageError
from frogmove.run import Run
from frogmove.run_plan import Plan
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from tests.factories import an_object
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SPEC = RunSpec(
    id="20261128-120000-0000",
    started="2026-11-28T12:00:00+00:00",
    command=Command.MOVE,
    source="s3://a1b/in",
    destination="s3://c1d/out",
    selection=Selection(base="in/", folders=("in/",)),
)
HEADER = PlanHeader(SPEC, "111122223333")

MANY = 10_000
# Bytes. As objects, so many actions take some 10 MB.
BOUND = 3_000_000


THERE = an_object("out/a", etag="f" * 32)


@pytest.mark.parametrize(
    "action",
    [
        Action(Verb.MOVE, an_object("in/a"), "out/a", forecast=Forecast(Effect.MOVE)),
        Action(
            Verb.COPY,
            an_object("in/\u2028 \x00'é😀")._replace(version_id="null", storage_class="GLACIER"),
            "out/a",
            "the sizes differ",
            replaces="f" * 32,
            forecast=Forecast(Effect.REPLACE, THERE, "the sizes differ"),
            pinned="v1",
        ),
        Action(
            Verb.CONFLICT,
            an_object("in/a"),
            "out/a",
            "x",
            forecast=Forecast(Effect.CONFLICT, THERE, "y"),
        ),
        Action(Verb.SKIP, an_object("in/a"), "out/a", "already there"),
        Action(Verb.NOT_FOUND, an_object("in/a"), "", "gone"),
    ],
)
def test_plan_file_is_read_as_it_was_written(tmp_path: Path, action: Action) -> None:
    path = tmp_path / "plan"
    assert list(write_plan(path, HEADER, [action])) == [action]
    assert list(read_plan(path)) == [action]
    assert count_actions(path) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_plan_file_is_not_written_without_a_look_at_the_destination(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    with pytest.raises(UsageError):
        list(write_plan(path, HEADER, [Action(Verb.MOVE, an_object("in/a"), "out/a")]))
    assert not path.exists()


def many() -> Iterator[Action]:
    for number in range(MANY):
        item = an_object(f"in/{number % 3000}/{number:06}", size=number)
        yield Action(Verb.SKIP, item, f"out/{number:06}", f"reason {number}")


def peak(work: Callable[[], object]) -> int:
    """Return the most memory that a piece of work allocates, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def consume(actions: Iterator[object]) -> int:
    return sum(1 for _ in actions)


@pytest.mark.matrix
def test_plan_file_takes_no_more_memory_if_it_is_longer(tmp_path: Path) -> None:
    path, kept = tmp_path / "plan", tmp_path / "kept"
    summary = PlanSummary(SPEC)
    outcomes: Counter[str] = Counter()

    def show() -> None:
        for action in read_plan(path):
            summary.add(action)

    def apply() -> None:
        s3 = RetryingS3(FakeS3(FakeS3State(buckets={"a1b": {}, "c1d": {}})), Limits())
        plan = Plan(
            SPEC, SPEC.route(), TransferOptions(), read_plan(kept), (), (), Event(), Event()
        )
        outcomes.update(each.outcome for each in Run(s3, plan, tmp_path / "run.jsonl"))

    assert peak(lambda: consume(write_plan(path, HEADER, many()))) < BOUND
    assert path.stat().st_size > BOUND
    assert peak(show) < BOUND
    assert peak(lambda: keep_plan(path, kept)) < BOUND
    assert kept.read_bytes() == path.read_bytes()
    assert peak(apply) < BOUND
    assert outcomes == {"skipped": MANY}
    assert summary.total.counts == {Effect.SKIP: MANY}
    assert len(summary.folders) == MAX_GROUPS + 1
    assert summary.reasons[Effect.SKIP, OTHERS].counts[Effect.SKIP] == MANY - MAX_GROUPS


@pytest.mark.parametrize(
    ("access_key", "account"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
        ("minioadmin", "key:"),
    ],
)
def test_access_key_tells_the_account(access_key: str, account: str) -> None:
    assert _account_of_key(access_key).startswith(account)
    assert access_key not in _account_of_key(access_key)
