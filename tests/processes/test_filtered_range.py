"""A range of which a filter leaves most out: nothing waits for the rest of the listing."""

from __future__ import annotations

from threading import Event

import pytest

from frogmove.core.filters import Filters, Pattern
from frogmove.core.journal import NoJournal
from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.selection import Selection
from frogmove.processes import range_runner
from frogmove.processes.messages import Take
from frogmove.processes.range_runner import RangeRunner
from frogmove.s3.bucket_features import BucketFeatures
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.range_listing import KeyRange
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

PAGE = 10
# One that is selected, many that are not, and one more.
KEYS = ["0.csv", *(f"{number:03}.tmp" for number in range(1, 200)), "9.csv"]


def runner_of(state: FakeS3State, stop: Event, command: Command) -> RangeRunner:
    filters = Filters(patterns=(Pattern(True, "*.csv"),))
    spec = RunSpec(
        id="run",
        started="",
        command=command,
        source="s3://external",
        destination="s3://internal",
        selection=Selection(folders=("",), filters=filters),
    )
    options = spec.options(ALL_SUPPORTED, BucketFeatures())
    return RangeRunner(FakeS3(state), spec, options, NoJournal(), stop, offer=lambda _: None)


@pytest.fixture
def state() -> FakeS3State:
    made = FakeS3State(buckets={"external": {}, "internal": {}}, page=PAGE)
    for key in KEYS:
        made.put("external", key, key.encode())
    return made


@pytest.mark.parametrize("command", [Command.MOVE, Command.COPY, Command.SYNC])
def test_selected_objects_are_done_before_the_rest_is_listed(
    state: FakeS3State, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(range_runner, "PAUSE_SECONDS", 0)
    runner = runner_of(state, Event(), command)
    keys = KeyRange("", None)
    listing = runner.begin("", keys)
    outcomes = {}
    for result in runner.results(listing, Take("", keys, skips_first=False)):
        if result is not None:
            outcomes[result.key] = (result.outcome, runner.planned)
    done = Outcome.MOVED if command is Command.MOVE else Outcome.COPIED
    # The first has its result, its delete included, when nothing else is planned.
    assert outcomes == {"0.csv": (done, 1), "9.csv": (done, 2)}
    assert sorted(state.buckets["internal"]) == ["0.csv", "9.csv"]
    assert runner.is_planned


def test_run_that_is_stopped_lists_no_further(state: FakeS3State) -> None:
    stop = Event()
    runner = runner_of(state, stop, Command.MOVE)
    keys = KeyRange("", None)
    listing = runner.begin("", keys)
    seen = 0

    def stop_soon() -> None:
        nonlocal seen
        seen += 1
        if seen == 2 * PAGE:
            stop.set()

    runner._before_each = stop_soon
    results = [each for each in runner.results(listing, Take("", keys, skips_first=False)) if each]
    assert [each.key for each in results] == ["0.csv"]
    assert seen <= 2 * PAGE + 1
    # What is left counts as planned, so that the run is resumed.
    assert (runner.planned, runner.is_planned) == (2, False)
    assert "9.csv" in state.buckets["external"]
