"""An undo brings back what a run moved, and leaves alone what has changed since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Outcome, Route, Verb
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.transfer import run
from frogmove.core.undo import copies_of, plan_undo
from frogmove.errors import UsageError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_prefix
from frogmove.s3.retry import RetryingS3
from frogmove.s3.uri import Location
from tests.factories import ROUTE, RUN_SPEC, md5
from tests.fake_s3 import FakeS3, FakeS3State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from frogmove.core.models import Action
    from frogmove.s3.interface import S3

T = TypeVar("T")

RECORD = {
    "type": "copied",
    "key": "a",
    "size": 1,
    "etag": "source's",
    "storage_class": "GLACIER_IR",
    "destination_key": "to/a",
    "destination_etag": "copy's",
    "destination_version_id": None,
    "held": False,
    "resent": False,
    "modified": None,
    "replaced": None,
}


@pytest.fixture
def state() -> FakeS3State:
    made = FakeS3State({"external": {}, "internal": {}})
    for key in ("a", "b", "c\n"):
        made.put("external", key, key.encode())
    return made


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
    """Runs on a world, each with a journal of its own."""

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


@pytest.fixture
def runs(state: FakeS3State, tmp_path: Path) -> Runs:
    return Runs(state, tmp_path)


def test_a_copy_is_named_by_what_the_run_wrote() -> None:
    (action,) = plan_undo([RECORD])
    assert (action.verb, action.object.key, action.destination_key) == (Verb.MOVE, "to/a", "a")
    assert (action.object.etag, action.object.size) == ("copy's", 1)
    assert action.object.storage_class == "GLACIER_IR"
    assert action.replaces is None


@pytest.mark.parametrize(
    "more", [{"held": True}, {"replaced": {"etag": "theirs", "version_id": None}}]
)
def test_what_did_not_take_a_free_place_is_not_taken_away(more: dict[str, object]) -> None:
    (action,) = plan_undo([RECORD | more])
    assert action.verb is Verb.RESTORE
    assert (action.object.key, action.destination_key) == ("to/a", "a")


@pytest.mark.parametrize("lacking", sorted(set(RECORD) - {"type", "etag", "resent", "modified"}))
def test_a_record_that_lacks_something_is_refused(lacking: str) -> None:
    record = {name: value for name, value in RECORD.items() if name != lacking}
    with pytest.raises(UsageError, match=lacking):
        list(plan_undo([record]))
    if lacking in {"key", "destination_key", "destination_etag"}:
        with pytest.raises(UsageError, match=lacking):
            list(plan_undo(copies_of(journal(record), journal(RECORD))))


AGAIN = RECORD | {"destination_etag": "later", "replaced": {"etag": "copy's", "version_id": "1"}}


def journal(*records: dict[str, object]) -> JournalReader:
    """Return a journal of these records."""

    class Journal:
        spec = RUN_SPEC

        def of_type(self, kind: str) -> list[dict[str, object]]:
            return [record for record in records if record["type"] == kind]

        def begun_twice(self) -> list[dict[str, object]]:
            return []

    return cast("JournalReader", Journal())


@pytest.mark.parametrize(
    ("earlier", "later", "joined"),
    [
        (RECORD, RECORD | {"held": True}, RECORD),
        (RECORD | {"held": True}, RECORD | {"held": True}, RECORD | {"held": True}),
        (RECORD, AGAIN, AGAIN | {"replaced": None}),
        (RECORD | {"held": True}, AGAIN, AGAIN | {"replaced": None, "held": True}),
        (RECORD | {"replaced": {"etag": "theirs", "version_id": None}}, AGAIN, None),
        (RECORD, RECORD | {"destination_etag": "other", "held": True}, None),
    ],
)
def test_of_two_copies_to_one_place_counts_what_was_there_before_the_first(
    earlier: dict[str, object], later: dict[str, object], joined: dict[str, object] | None
) -> None:
    other = RECORD | {"key": "b", "destination_key": "to/b"}
    expected = joined
    if joined is None:
        theirs = earlier["replaced"] if later["replaced"] else later["replaced"]
        expected = later | {"replaced": theirs}
    assert list(copies_of(journal(other, earlier), journal(later))) == [other, expected]
    three = copies_of(journal(), journal(earlier), journal(other, later))
    assert list(three) == [expected, other]
    assert list(copies_of(journal(earlier))) == [earlier]


SENT = {"type": "copying", "key": "a", "destination_key": "to/a", "replaced": None}
FOUND = RECORD | {"held": True, "modified": RUN_SPEC.started}
THEIRS = {"etag": "theirs", "version_id": "1"}
EARLIER = "2026-11-23T07:30:11+00:00"


@pytest.mark.parametrize(
    ("sent", "found", "expected"),
    [
        (SENT, FOUND, {"held": False}),
        (SENT | {"replaced": THEIRS}, FOUND, {"held": False, "replaced": THEIRS}),
        (SENT, FOUND | {"modified": EARLIER}, {}),
        (SENT | {"destination_key": "to/b"}, FOUND, {}),
    ],
)
def test_what_a_resume_finds_is_the_killed_runs_if_it_was_sent_and_made_since(
    sent: dict[str, object], found: dict[str, object], expected: dict[str, object]
) -> None:
    assert list(copies_of(journal(sent), journal(found))) == [found | expected]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FOUND | {"resent": True}, {"held": False}),
        (FOUND | {"resent": True, "modified": EARLIER}, {}),
        (FOUND, {}),
    ],
)
def test_what_a_run_finds_is_its_own_if_it_sent_it_before_and_it_was_made_since(
    found: dict[str, object], expected: dict[str, object]
) -> None:
    assert list(copies_of(journal(found))) == [found | expected]


def test_nothing_copied_is_nothing_to_undo() -> None:
    assert list(plan_undo([])) == []


def test_a_moves_objects_come_back(state: FakeS3State, runs: Runs) -> None:
    before = state.bodies("external")
    moved = runs.move()
    assert state.bodies("external") == {}
    runs.undo(moved)
    assert set(runs.outcomes.values()) == {Outcome.MOVED}
    assert (state.bodies("external"), state.bodies("internal")) == (before, {})


def test_keys_come_back_to_their_own_places(state: FakeS3State, runs: Runs) -> None:
    state.buckets["external"].clear()
    state.put("external", "in/a", b"mine")
    route = Route(Location("external", "in/"), Location("internal", "out/2026/"))
    moved = runs.move(route=route)
    assert state.bodies("internal") == {"out/2026/a": b"mine"}
    runs.undo(moved, route=route)
    assert state.bodies("external") == {"in/a": b"mine"}


def test_what_was_kept_beside_another_comes_back_under_its_own_name(
    state: FakeS3State, runs: Runs
) -> None:
    state.put("internal", "a", b"theirs")
    runs.undo(runs.move(TransferOptions(ALL_SUPPORTED, OnConflict.KEEP_BOTH)))
    assert state.bodies("external")["a"] == b"a"
    assert state.bodies("internal") == {"a": b"theirs"}


def test_what_changed_at_the_destination_since_stays_there(state: FakeS3State, runs: Runs) -> None:
    moved = runs.move()
    state.put("internal", "a", b"changed since")
    runs.undo(moved)
    assert runs.outcomes == {
        "a": Outcome.SUPERSEDED,
        "b": Outcome.MOVED,
        "c\n": Outcome.MOVED,
    }
    assert state.bodies("internal") == {"a": b"changed since"}
    assert "a" not in state.bodies("external")


def test_what_is_gone_from_the_destination_is_no_failure(state: FakeS3State, runs: Runs) -> None:
    moved = runs.move()
    del state.buckets["internal"]["a"]
    runs.undo(moved)
    assert runs.outcomes["a"] is Outcome.GONE


@pytest.mark.parametrize("policy", [OnConflict.FAIL, OnConflict.SKIP])
def test_what_was_uploaded_since_is_not_overwritten(
    state: FakeS3State, runs: Runs, policy: OnConflict
) -> None:
    moved = runs.move()
    state.put("external", "a", b"uploaded since")
    runs.undo(moved, TransferOptions(ALL_SUPPORTED, policy))
    assert runs.outcomes["a"] in {Outcome.CONFLICT, Outcome.SKIPPED}
    assert state.bodies("external")["a"] == b"uploaded since"
    assert state.bodies("internal") == {"a": b"a"}


def test_what_was_uploaded_again_meanwhile_only_loses_its_copy(
    state: FakeS3State, runs: Runs
) -> None:
    moved = runs.move()
    state.put("external", "a", b"a")
    runs.undo(moved)
    assert runs.outcomes["a"] is Outcome.MOVED
    assert state.bodies("external")["a"] == b"a"
    assert state.bodies("internal") == {}


OVERWRITE = TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE)


def test_what_was_replaced_is_said_to_be_lost_where_no_version_is_kept(
    state: FakeS3State, runs: Runs
) -> None:
    state.put("internal", "a", b"theirs")
    moved = runs.move(OVERWRITE)
    runs.undo(moved)
    assert runs.outcomes["a"] is Outcome.FAILED
    assert "cannot be restored, because the bucket keeps no version of it" in runs.reasons["a"]
    assert "the copy stays at 's3://internal/a'" in runs.reasons["a"]
    assert state.bodies("internal") == {"a": b"a"}
    assert set(state.bodies("external")) == {"a", "b", "c\n"}


@pytest.mark.parametrize("lost", ["", "CopyObject"], ids=["heard", "answer-lost"])
@pytest.mark.parametrize("theirs", [b"theirs", b"other"])
@pytest.mark.parametrize("command", ["move", "sync", "in-parts"])
def test_what_was_replaced_is_there_again_where_its_version_is_kept(
    state: FakeS3State, runs: Runs, command: str, theirs: bytes, lost: str
) -> None:
    parts = TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE, multipart=Multipart(0, 3))
    options = parts if command == "in-parts" else OVERWRITE
    before = state.bodies("external")
    state.versioned.add("internal")
    for body in (b"older", theirs):
        state.put("internal", "a", body)
    runs.lose_answers(lost)
    ran = runs.sync() if command == "sync" else runs.move(options)
    assert state.bodies("internal")["a"] == b"a"
    runs.undo(ran, options)
    assert set(runs.outcomes.values()) == {Outcome.MOVED}
    assert (state.bodies("external"), state.bodies("internal")) == (before, {"a": theirs})
    runs.undo(ran)
    assert set(runs.outcomes.values()) == {Outcome.GONE}
    assert (state.bodies("external"), state.bodies("internal")) == (before, {"a": theirs})


def test_what_was_written_since_over_what_replaced_another_stays(
    state: FakeS3State, runs: Runs
) -> None:
    state.versioned.add("internal")
    state.put("internal", "a", b"theirs")
    moved = runs.move(OVERWRITE)
    state.put("internal", "a", b"since")
    runs.undo(moved, OVERWRITE)
    assert runs.outcomes["a"] is Outcome.SUPERSEDED
    assert state.bodies("internal") == {"a": b"since"}


def test_after_an_overwrite_whose_answer_was_lost_the_key_is_not_emptied(
    state: FakeS3State, runs: Runs
) -> None:
    before = state.bodies("external")
    state.put("internal", "a", b"theirs")
    runs.lose_answers("CopyObject")
    runs.undo(runs.move(OVERWRITE))
    assert runs.outcomes["a"] is Outcome.FAILED
    assert (state.bodies("external"), state.bodies("internal")) == (before, {"a": b"a"})


@pytest.mark.parametrize("command", ["move", "sync"])
def test_what_the_destination_held_before_is_not_taken_away(
    state: FakeS3State, runs: Runs, command: str
) -> None:
    before = state.bodies("external")
    state.put("internal", "a", b"a")
    ran = runs.move() if command == "move" else runs.sync()
    runs.undo(ran)
    if command == "move":
        assert runs.outcomes["a"] is Outcome.COPIED
    assert (state.bodies("external"), state.bodies("internal")) == (before, {"a": b"a"})


def test_after_a_sync_only_the_copies_go_away(state: FakeS3State, runs: Runs) -> None:
    state.put("internal", "a", b"theirs")
    state.put("internal", "b", b"b")
    state.put("internal", "kept", b"kept")
    before = state.bodies("external")
    runs.undo(runs.sync())
    assert runs.outcomes == {"a": Outcome.FAILED, "c\n": Outcome.MOVED}
    assert "cannot be restored" in runs.reasons["a"]
    assert state.bodies("external") == before
    # "a" was replaced and cannot be brought back; "b" was there already.
    assert state.bodies("internal") == {"a": b"a", "b": b"b", "kept": b"kept"}


def test_an_undo_can_be_undone(state: FakeS3State, runs: Runs) -> None:
    moved = runs.move()
    after = state.bodies("internal")
    undone = runs.undo(moved)
    runs.undo(undone, route=Route(ROUTE.destination, ROUTE.source))
    assert (state.bodies("external"), state.bodies("internal")) == ({}, after)


def test_an_undo_that_ran_before_finds_nothing_left(state: FakeS3State, runs: Runs) -> None:
    moved = runs.move()
    runs.undo(moved)
    before = state.bodies("external")
    runs.undo(moved)
    assert set(runs.outcomes.values()) == {Outcome.GONE}
    assert state.bodies("external") == before


def test_a_copy_whose_source_was_not_deleted_only_goes_away(state: FakeS3State, runs: Runs) -> None:
    """As after a crash between the journal's record and the delete."""
    moved = runs.move()
    state.buckets["external"] |= {
        key: replace(stored, modified=state.now())
        for key, stored in state.buckets["internal"].items()
    }
    before = state.bodies("external")
    runs.undo(moved)
    assert set(runs.outcomes.values()) == {Outcome.MOVED}
    assert (state.bodies("external"), state.bodies("internal")) == (before, {})


def test_an_undo_writes_no_throw_away_key_to_where_uploads_set_something_off(
    state: FakeS3State, runs: Runs
) -> None:
    """A copy as old as its source makes one ask whether the two are one."""
    written: list[str] = []
    put = state.put

    def watched(bucket: str, key: str, *more: object, **others: object) -> object:
        if "probe" in key:
            written.append(bucket)
        return put(bucket, key, *more, **others)  # type: ignore[arg-type]

    state.put = watched  # type: ignore[method-assign,assignment]
    moved = runs.move()
    state.buckets["external"] |= state.buckets["internal"]
    runs.undo(moved, TransferOptions(ALL_SUPPORTED, probe_source=True))
    assert set(runs.outcomes.values()) == {Outcome.MOVED}
    assert set(written) == {"internal"}
    assert md5(b"a") == state.buckets["external"]["a"].etag
    assert state.bodies("internal") == {}


PLACES = ("free", "twin", "theirs")
FATES = ("heard", "took place", "got lost")


@dataclass
class Fates:
    """Gives each copy a fate: heard of, or not, and then it took place or did not."""

    left: list[str]

    def __call__(self, operation: str, request: Callable[[], T]) -> T:
        fate = self.left.pop() if operation == "CopyObject" and self.left else "heard"
        if fate == "got lost":
            raise S3Error(operation, "RequestTimeout", None, "no answer")
        answer = request()
        if fate == "took place":
            raise S3Error(operation, "RequestTimeout", None, "no answer")
        return answer


@given(
    places=st.lists(st.sampled_from(PLACES), min_size=3, max_size=3),
    fates=st.lists(st.sampled_from(FATES), max_size=8),
    versioned=st.booleans(),
    in_parts=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_whatever_was_heard_an_undo_leaves_both_sides_as_they_were(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[str],
    fates: list[str],
    versioned: bool,
    in_parts: bool,
) -> None:
    state = FakeS3State({"external": {}, "internal": {}})
    if versioned:
        state.versioned.add("internal")
    for key, place in zip("abc", places, strict=True):
        state.put("external", key, key.encode())
        if place != "free":
            state.put("internal", key, key.encode() if place == "twin" else b"theirs")
    before, there = state.bodies("external"), state.bodies("internal")
    runs = Runs(state, tmp_path_factory.mktemp("runs"))
    runs.s3 = RetryingS3(FakeS3(state, Fates(fates)), Limits(first_delay=0.0001, attempts=20))
    parts = Multipart(2 if in_parts else 1000, part_size=3)
    options = TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE, multipart=parts)
    runs.undo(runs.move(options), options)
    replaced = {key: body for key, body in there.items() if body == b"theirs"}
    assert state.bodies("external") == before
    if versioned:
        assert state.bodies("internal") == there
    else:
        assert state.bodies("internal") == there | {key: key.encode() for key in replaced}
