"""An undo brings back what a run moved, and leaves alone what has changed since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

import pytest

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Outcome, Route, Verb, VerifiedCopy
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.undo import copies_of, plan_undo
from frogmove.errors import UsageError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.models import Copy
from frogmove.s3.uri import Location
from tests.factories import ROUTE, RUN_SPEC, an_object, md5

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.runs import Runs
    from tests.fake_s3_state import FakeS3State

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


def test_plan_undo_names_a_copy_by_what_the_run_wrote() -> None:
    (action,) = plan_undo([RECORD])
    assert (action.verb, action.object.key, action.destination_key) == (Verb.MOVE, "to/a", "a")
    assert (action.object.etag, action.object.size) == ("copy's", 1)
    assert action.object.storage_class == "GLACIER_IR"
    assert action.replaces is None


@pytest.mark.parametrize(
    "more", [{"held": True}, {"replaced": {"etag": "theirs", "version_id": None}}]
)
def test_plan_undo_does_not_take_away_what_took_no_free_place(more: dict[str, object]) -> None:
    (action,) = plan_undo([RECORD | more])
    assert action.verb is Verb.RESTORE
    assert (action.object.key, action.destination_key) == ("to/a", "a")


@pytest.mark.parametrize("lacking", sorted(set(RECORD) - {"type", "etag", "resent", "modified"}))
def test_plan_undo_refuses_a_record_that_lacks_something(lacking: str) -> None:
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

        def copied_by_dead_workers(self) -> list[dict[str, object]]:
            return []

        def sent_by_dead_workers(self) -> list[dict[str, object]]:
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
def test_copies_of_joins_two_copies_to_one_place(
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


SENT = {
    "type": "copying",
    "key": "a",
    "etag": "sent",
    "destination_key": "to/a",
    "replaced": None,
}
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
        (SENT, RECORD | {"replaced": {"etag": "sent", "version_id": "2"}}, {"replaced": None}),
        (SENT, RECORD | {"replaced": THEIRS}, {}),
    ],
)
def test_copies_of_counts_what_a_resume_finds_if_it_was_sent_and_made_since(
    sent: dict[str, object], found: dict[str, object], expected: dict[str, object]
) -> None:
    assert list(copies_of(journal(sent), journal(found))) == [found | expected]


def test_copies_of_knows_what_was_replaced_if_a_resume_was_killed_as_well() -> None:
    """The resume sent the copy again, on the condition that the key was free, and had no answer."""
    killed = journal(SENT | {"replaced": THEIRS}), journal({**SENT})
    expected = FOUND | {"held": False, "replaced": THEIRS}
    assert list(copies_of(*killed, journal(FOUND))) == [expected]
    assert list(copies_of(journal(), *killed, journal(FOUND))) == [expected]


def test_copies_of_does_not_count_what_a_resume_finds_if_it_was_not_sent() -> None:
    dropped: dict[str, object] = {**SENT, "type": "not-sent"}
    assert list(copies_of(journal({**SENT}, dropped), journal(FOUND))) == [FOUND]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FOUND | {"resent": True}, {"held": False}),
        (FOUND | {"resent": True, "modified": EARLIER}, {}),
        (FOUND, {}),
    ],
)
def test_copies_of_counts_what_a_run_finds_if_it_was_resent_and_made_since(
    found: dict[str, object], expected: dict[str, object]
) -> None:
    assert list(copies_of(journal(found))) == [found | expected]


@pytest.mark.parametrize("made", [True, False], ids=["made", "held-before"])
def test_copies_of_counts_what_a_worker_finds_if_another_sent_it_and_died(
    tmp_path: Path, made: bool
) -> None:
    item = an_object("a")
    sent = Copy("external", item, "internal", "a", "theirs", "1")
    modified = datetime.fromisoformat(RUN_SPEC.started if made else EARLIER)
    main = JournalWriter(tmp_path / "run.jsonl", RUN_SPEC)
    main.copying(replace(sent, replaces=None))
    main.copied(item, VerifiedCopy("a", item.etag, held=True, modified=modified))
    main.commit()
    dead = JournalWriter(tmp_path / "run.jsonl.1", RUN_SPEC)
    dead.copying(replace(sent, replaces=None))
    dead.copying(sent)
    dead.commit()
    (found,) = copies_of(JournalReader(main.path))
    replaced = THEIRS | {"backup": None} if made else None
    assert (found["held"], found["replaced"]) == (not made, replaced)


def test_plan_undo_of_nothing_copied_is_nothing() -> None:
    assert list(plan_undo([])) == []


def test_undo_brings_a_moves_objects_back(state: FakeS3State, runs: Runs) -> None:
    before = state.bodies("external")
    moved = runs.move()
    assert state.bodies("external") == {}
    runs.undo(moved)
    assert set(runs.outcomes.values()) == {Outcome.MOVED}
    assert (state.bodies("external"), state.bodies("internal")) == (before, {})


def test_undo_brings_keys_back_to_their_own_places(state: FakeS3State, runs: Runs) -> None:
    state.buckets["external"].clear()
    state.put("external", "in/a", b"mine")
    route = Route(Location("external", "in/"), Location("internal", "out/2026/"))
    moved = runs.move(route=route)
    assert state.bodies("internal") == {"out/2026/a": b"mine"}
    runs.undo(moved, route=route)
    assert state.bodies("external") == {"in/a": b"mine"}


def test_undo_brings_what_was_kept_beside_another_back_under_its_own_name(
    state: FakeS3State, runs: Runs
) -> None:
    state.put("internal", "a", b"theirs")
    runs.undo(runs.move(TransferOptions(ALL_SUPPORTED, OnConflict.KEEP_BOTH)))
    assert state.bodies("external")["a"] == b"a"
    assert state.bodies("internal") == {"a": b"theirs"}


def test_undo_leaves_what_changed_at_the_destination_since(state: FakeS3State, runs: Runs) -> None:
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


def test_undo_of_what_is_gone_from_the_destination_is_no_failure(
    state: FakeS3State, runs: Runs
) -> None:
    moved = runs.move()
    del state.buckets["internal"]["a"]
    runs.undo(moved)
    assert runs.outcomes["a"] is Outcome.GONE


@pytest.mark.parametrize("policy", [OnConflict.FAIL, OnConflict.SKIP])
def test_undo_does_not_overwrite_what_was_uploaded_since(
    state: FakeS3State, runs: Runs, policy: OnConflict
) -> None:
    moved = runs.move()
    state.put("external", "a", b"uploaded since")
    runs.undo(moved, TransferOptions(ALL_SUPPORTED, policy))
    assert runs.outcomes["a"] in {Outcome.CONFLICT, Outcome.SKIPPED}
    assert state.bodies("external")["a"] == b"uploaded since"
    assert state.bodies("internal") == {"a": b"a"}


def test_undo_of_what_was_uploaded_again_only_deletes_the_copy(
    state: FakeS3State, runs: Runs
) -> None:
    moved = runs.move()
    state.put("external", "a", b"a")
    runs.undo(moved)
    assert runs.outcomes["a"] is Outcome.MOVED
    assert state.bodies("external")["a"] == b"a"
    assert state.bodies("internal") == {}


def test_undo_can_be_undone(state: FakeS3State, runs: Runs) -> None:
    moved = runs.move()
    after = state.bodies("internal")
    undone = runs.undo(moved)
    runs.undo(undone, route=Route(ROUTE.destination, ROUTE.source))
    assert (state.bodies("external"), state.bodies("internal")) == ({}, after)


def test_undo_that_ran_before_finds_nothing_left(state: FakeS3State, runs: Runs) -> None:
    moved = runs.move()
    runs.undo(moved)
    before = state.bodies("external")
    runs.undo(moved)
    assert set(runs.outcomes.values()) == {Outcome.GONE}
    assert state.bodies("external") == before


def test_undo_of_a_copy_whose_source_was_not_deleted_only_deletes_the_copy(
    state: FakeS3State, runs: Runs
) -> None:
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


def test_undo_writes_no_throw_away_key_to_where_uploads_set_something_off(
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
