"""A run does what its dry run says: any state, policy, mapping, selection, deletes and plans."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frogmove import Client, Command, Config, OnConflict, Outcome, Verb
from frogmove.core.filters import Filters, Pattern
from frogmove.core.journal_reader import JournalReader
from frogmove.core.key_mapping import KeyMapping
from frogmove.core.models import Effect
from frogmove.core.selection import Selection
from frogmove.core.verify import CompareBy
from frogmove.errors import UsageError
from frogmove.run_config import applied_spec, new_spec, undo_spec
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from frogmove import Action
    from frogmove.core.run_spec import RunSpec

SIDES = ("external", "internal")
KEYS = ("a", "a.txt", "in", "in/", "in/a", "in/b.csv", "in/sub/c", "in2/a", "é")
CONFIG = Config("s3://external", "s3://internal", endpoint_url="http://127.0.0.1:9")

BODIES = st.sampled_from([b"", b"frog", b"toad", b"newt!"])
PLACES = st.tuples(st.sampled_from(SIDES), st.sampled_from(["", "to/"]), st.sampled_from(KEYS)).map(
    lambda place: (place[0], (place[1] if place[0] == "internal" else "") + place[2])
)
SELECTIONS = st.sampled_from(
    [
        Selection(folders=("",)),
        Selection(folders=("in",)),
        Selection(folders=("a", "in/")),
        Selection(folders=("",), filters=Filters(patterns=(Pattern(True, "**/a"),))),
        Selection(folders=("",), filters=Filters(patterns=(Pattern(False, "in/**"),))),
    ]
)
MAPPINGS = st.sampled_from(
    [
        KeyMapping(),
        KeyMapping(to_prefix="to"),
        KeyMapping(strip_prefix="in"),
        KeyMapping(strip_prefix="in", to_prefix="to"),
    ]
)


@dataclass
class Scene:
    """What both sides hold, a run, and what others change after it was planned."""

    state: FakeS3State
    spec: RunSpec
    changes: list[tuple[str, str, bytes | None]]

    def change(self) -> None:
        for bucket, key, body in self.changes:
            if body is None:
                self.state.buckets[bucket].pop(key, None)
            else:
                self.state.put(bucket, key, body)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    state = FakeS3State({"external": {}, "internal": {}, "attic": {}})
    state.kms, state.checksums = draw(st.booleans()), draw(st.booleans())
    for bucket, key in draw(st.lists(PLACES, max_size=10, unique=True)):
        # In parts, as other programs write: the ETag says nothing.
        etag = draw(st.sampled_from([None, None, None, "1-2"]))
        metadata = draw(st.sampled_from([{}, {}, {}, {"owner": "toad"}]))
        state.put(bucket, key, draw(BODIES), etag, metadata)
    command = draw(st.sampled_from([Command.MOVE, Command.COPY, Command.SYNC]))
    is_sync = command is Command.SYNC
    delete = is_sync and draw(st.booleans())
    policies = [each for each in OnConflict if not (delete and each is OnConflict.KEEP_BOTH)]
    spec = replace(
        new_spec(command, CONFIG),
        on_conflict=draw(st.sampled_from(policies)),
        selection=draw(SELECTIONS),
        mapping=draw(MAPPINGS),
        compare=draw(st.sampled_from(CompareBy)),
        delete=delete,
        max_delete=draw(st.sampled_from(["1000", "50%"])),
        backup=draw(st.sampled_from([None, "s3://attic/kept"])) if is_sync else None,
    )
    changes = draw(st.lists(st.tuples(PLACES, BODIES | st.none()), max_size=3))
    return Scene(state, spec, [(*place, body) for place, body in changes])


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with Client(CONFIG) as client:
            yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for journals and plans."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("runs")
        patch.setenv("FROGMOVE_STATE", str(folder))
        yield folder


numbers = count()

ENDS = {
    Effect.MOVE: Outcome.MOVED,
    Effect.COPY: Outcome.COPIED,
    Effect.DELETE: Outcome.DELETED,
    Effect.SKIP: Outcome.SKIPPED,
    Effect.GONE: Outcome.GONE,
    Effect.SUPERSEDED: Outcome.SUPERSEDED,
    Effect.CONFLICT: Outcome.CONFLICT,
    Effect.REFUSE: Outcome.FAILED,
}


# What comes back, and what was changed since the run, has more than one outcome.
UNDONE = {
    Effect.MOVE: {Outcome.MOVED},
    Effect.ALREADY_THERE: {Outcome.MOVED},
    Effect.RESTORE: {Outcome.MOVED, Outcome.COPIED, Outcome.CONFLICT},
    Effect.SKIP: {Outcome.SKIPPED},
    Effect.GONE: {Outcome.GONE},
    Effect.SUPERSEDED: {Outcome.SUPERSEDED},
}


def bodies(state: FakeS3State) -> dict[str, dict[str, bytes]]:
    return {bucket: state.bodies(bucket) for bucket in state.buckets}


def foretold(
    actions: list[Action], before: dict[str, dict[str, bytes]], command: Command
) -> tuple[dict[str, Outcome], dict[str, dict[str, bytes]]]:
    """Return the outcome of each key, and what both sides hold afterwards."""
    done = Outcome.MOVED if command is Command.MOVE else Outcome.COPIED
    outcomes: dict[str, Outcome] = {}
    after = {side: dict(before[side]) for side in SIDES}
    for action in actions:
        key, effect = action.object.key, action.effect
        assert key not in outcomes
        outcomes[key] = done if effect.is_transfer else ENDS[effect]
        if effect.is_transfer and effect is not Effect.ALREADY_THERE:
            after["internal"][action.destination_key] = before["external"][key]
        if effect.is_transfer and command is Command.MOVE:
            del after["external"][key]
        if effect is Effect.DELETE:
            del after["internal"][action.destination_key]
    return outcomes, after


def refusal_of(client: Client, spec: RunSpec, *, dry_run: bool) -> str:
    """Return why a run, or its dry run, is refused; empty if it is not."""
    try:
        client.prepare(spec, dry_run=dry_run)
    except UsageError as refusal:
        return str(refusal)
    return ""


def assert_done(client: Client, fault_fixture: Scene, spec: RunSpec, folder: Path) -> None:
    """Show a run, then execute it, and assert that it does what was shown."""
    state = fault_fixture.state
    before = bodies(state)
    refusals = [refusal_of(client, spec, dry_run=dry_run) for dry_run in (True, False)]
    assert (refusals[0], bodies(state)) == (refusals[1], before)
    if refusals[0]:
        return
    untouched = deepcopy(state)
    actions = list(client.prepare(spec, dry_run=True))
    assert state == untouched
    outcomes, after = foretold(actions, before, spec.command)
    run = client.start(client.prepare(spec), folder / f"{next(numbers)}.jsonl")
    done = {result.key: result.outcome for result in run}
    if run.undeleted:
        # After a failure, deletes are shown as skipped, and not started.
        assert Outcome.FAILED in done.values()
        outcomes = {key: outcome for key, outcome in outcomes.items() if key in done}
    assert done == outcomes
    assert {side: state.bodies(side) for side in SIDES} == after
    if spec.backup is not None:
        lost = [
            before["internal"][action.destination_key]
            for action in actions
            if action.effect in {Effect.DELETE, Effect.REPLACE}
        ]
        assert set(lost) <= set(state.bodies("attic").values())


@settings(deadline=None, max_examples=60)
@given(fault_fixture=scenes())
def test_run_does_what_its_dry_run_says(client: Client, folder: Path, fault_fixture: Scene) -> None:
    client.s3 = RetryingS3(FakeS3(fault_fixture.state), Limits())
    assert_done(client, fault_fixture, fault_fixture.spec, folder)


@settings(deadline=None, max_examples=60)
@given(fault_fixture=scenes())
def test_plan_does_what_its_dry_run_says_and_nothing_that_was_not_reviewed(
    client: Client, folder: Path, fault_fixture: Scene
) -> None:
    state = fault_fixture.state
    client.s3 = RetryingS3(FakeS3(state), Limits())
    file = folder / f"{next(numbers)}.plan"
    try:
        plan = client.prepare(fault_fixture.spec, dry_run=True)
    except UsageError:
        return
    reviewed = list(plan.written(file))
    fault_fixture.change()
    held = {side: dict(state.buckets[side]) for side in SIDES}
    assert_done(client, fault_fixture, applied_spec(file, CONFIG), folder)
    moved = {(each.object.key, each.object.etag) for each in reviewed if each.verb is Verb.MOVE}
    ended = {(each.destination_key, each.replaces or "") for each in reviewed}
    ended |= {
        (each.destination_key, each.object.etag) for each in reviewed if each.verb is Verb.DELETE
    }
    for side, allowed in zip(SIDES, (moved, ended), strict=True):
        now = state.buckets[side]
        changed = {(key, it.etag) for key, it in held[side].items() if now.get(key) != it}
        assert changed <= allowed


@settings(deadline=None, max_examples=60)
@given(fault_fixture=scenes(), versioned=st.booleans())
def test_undo_does_what_its_dry_run_says(
    client: Client, folder: Path, fault_fixture: Scene, versioned: bool
) -> None:
    client.s3 = RetryingS3(FakeS3(fault_fixture.state), Limits())
    fault_fixture.state.versioned = set(fault_fixture.state.buckets) if versioned else set()
    try:
        run = client.start(client.prepare(fault_fixture.spec), folder / f"{next(numbers)}.jsonl")
    except UsageError:
        return
    list(run)
    if not run.path.exists():
        return
    fault_fixture.change()
    earlier = (JournalReader(run.path),)
    spec = replace(undo_spec(run.spec), id="undo", on_conflict=OnConflict.FAIL)
    untouched = deepcopy(fault_fixture.state)
    effects = {
        action.object.key: action.effect for action in client.prepare(spec, earlier, dry_run=True)
    }
    assert fault_fixture.state == untouched
    undo = client.start(client.prepare(spec, earlier), folder / f"{next(numbers)}.jsonl")
    done = {result.key: result.outcome for result in undo}
    assert effects.keys() == done.keys()
    for key, effect in effects.items():
        assert done[key] in UNDONE.get(effect, {ENDS.get(effect)}), (key, effect)
