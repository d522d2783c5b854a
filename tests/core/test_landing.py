"""How one object lands: every condition that fails, and every policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.landing import beside
from frogmove.core.result import Outcome, Result
from frogmove.core.terms import Multipart, OnConflict
from frogmove.s3.conditions import ALL
from frogmove.s3.uri import LONGEST_KEY
from tests.core.landings import (
    BESIDE,
    MINE,
    POLICIES,
    THEIRS,
    UNGUARDED,
    Meddler,
    a_world,
    ended,
    land,
    landed,
    seen,
)
from tests.model import ModelS3, World
from tests.objects import md5

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")


@pytest.fixture
def world() -> World:
    return a_world()


# Nothing in the way.


@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 4], ids=["in-parts", "at-once"])
def test_an_object_lands_where_there_is_nothing(
    world: World, policy: OnConflict, conditions: Any, threshold: int
) -> None:
    multipart = Multipart(threshold, part_size=3)
    answer = land(
        world, seen(world), conditions=conditions, on_conflict=policy, multipart=multipart
    )
    assert landed(answer).key == "key"
    assert landed(answer).replaced is None
    assert landed(answer).etag == world.buckets["internal"]["key"].etag
    assert world.bodies("internal") == {"key": MINE}
    assert world.bodies("external") == {"key": MINE}


def test_a_copy_whose_etag_proves_it_costs_one_request(world: World) -> None:
    meddler = Meddler("", lambda: None)
    action = seen(world)
    assert landed(land(world, action, ModelS3(world, meddler))).note == ""
    assert meddler.asked == ["CopyObject"]


# The source is not what was seen.


@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
def test_what_is_gone_is_gone(world: World, conditions: Any, threshold: int) -> None:
    action = seen(world)
    del world.buckets["external"]["key"]
    multipart = Multipart(threshold, part_size=3)
    answer = land(world, action, conditions=conditions, multipart=multipart)
    assert "no longer at the source" in ended(answer, Outcome.GONE)
    assert world.bodies("internal") == {}


@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("there", [None, THEIRS, MINE], ids=["nothing", "theirs", "mine"])
def test_what_changed_since_it_was_seen_is_superseded(
    world: World, conditions: Any, threshold: int, policy: OnConflict, there: bytes | None
) -> None:
    action = seen(world)
    world.put("external", "key", b"newer")
    if there is not None:
        world.put("internal", "key", there)
    before = world.bodies("internal")
    multipart = Multipart(threshold, part_size=3)
    answer = land(world, action, conditions=conditions, on_conflict=policy, multipart=multipart)
    assert "changed at the source" in ended(answer, Outcome.SUPERSEDED)
    assert world.bodies("internal") == before
    assert world.uploads == {}


# The destination holds something.


@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
def test_an_identical_destination_is_as_good_as_a_copy(
    world: World, policy: OnConflict, conditions: Any, threshold: int
) -> None:
    world.put("internal", "key", MINE)
    multipart = Multipart(threshold, part_size=3)
    answer = land(
        world, seen(world), conditions=conditions, on_conflict=policy, multipart=multipart
    )
    assert "held the same bytes already" in landed(answer).note
    assert landed(answer).replaced is None
    assert world.bodies("internal") == {"key": MINE}


OUTCOMES = {
    OnConflict.FAIL: (Outcome.CONFLICT, {"key": THEIRS}),
    OnConflict.SKIP: (Outcome.SKIPPED, {"key": THEIRS}),
    OnConflict.OVERWRITE: (None, {"key": MINE}),
    OnConflict.KEEP_BOTH: (None, {"key": THEIRS, BESIDE: MINE}),
}


@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
def test_each_policy_does_its_own_with_another_object(
    world: World, policy: OnConflict, conditions: Any, threshold: int
) -> None:
    world.put("internal", "key", THEIRS)
    multipart = Multipart(threshold, part_size=3)
    answer = land(
        world, seen(world), conditions=conditions, on_conflict=policy, multipart=multipart
    )
    outcome, there = OUTCOMES[policy]
    assert world.bodies("internal") == there
    assert world.bodies("external") == {"key": MINE}
    assert world.uploads == {}
    if outcome is not None:
        reason = ended(answer, outcome)
        assert "6 bytes" in reason
        assert "source kept" in reason
    else:
        overwritten = policy is OnConflict.OVERWRITE
        assert landed(answer).replaced == (md5(THEIRS) if overwritten else None)
        assert landed(answer).key == ("key" if overwritten else BESIDE)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_comes_into_the_way_during_the_copy_is_treated_as_what_was_there(
    world: World, policy: OnConflict
) -> None:
    action = seen(world)
    meddler = Meddler("CopyObject", lambda: world.put("internal", "key", THEIRS))
    answer = land(world, action, ModelS3(world, meddler), on_conflict=policy)
    outcome, there = OUTCOMES[policy]
    assert world.bodies("internal") == there
    assert (answer.outcome if isinstance(answer, Result) else None) is outcome


def test_what_is_overwritten_is_what_was_looked_at(world: World) -> None:
    """Between the look and the copy the destination changes once more."""
    world.put("internal", "key", b"first")
    action = seen(world)
    replaced: list[str] = []

    def gate(operation: str, request: Callable[[], T]) -> T:
        if operation == "CopyObject" and len(replaced) < 2:
            replaced.append(world.put("internal", "key", f"{len(replaced)}".encode()).etag)
        return request()

    answer = land(world, action, ModelS3(world, gate), on_conflict=OnConflict.OVERWRITE)
    assert landed(answer).replaced == replaced[-1]
    assert world.bodies("internal") == {"key": MINE}


def test_a_destination_that_keeps_changing_is_left_to_whoever_changes_it(world: World) -> None:
    action = seen(world)
    count = iter(range(100))

    def gate(operation: str, request: Callable[[], T]) -> T:
        if operation == "CopyObject":
            world.put("internal", "key", f"{next(count)}".encode())
        return request()

    answer = land(world, action, ModelS3(world, gate), on_conflict=OnConflict.OVERWRITE)
    assert "kept changing" in ended(answer, Outcome.CONFLICT)
    assert next(count) < 10
    assert world.bodies("external") == {"key": MINE}


def test_an_obstacle_that_goes_away_is_none(world: World) -> None:
    world.put("internal", "key", THEIRS)
    action, heads = seen(world), []

    def gate(operation: str, request: Callable[[], T]) -> T:
        # The first look is at the source, the second at what is in the way.
        heads.extend([operation] * (operation == "HeadObject"))
        if operation == "HeadObject" and len(heads) == 2:
            world.buckets["internal"].clear()
        return request()

    assert landed(land(world, action, ModelS3(world, gate))).key == "key"
    assert world.bodies("internal") == {"key": MINE}


# What sync is to replace.


@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
def test_what_sync_saw_is_replaced(world: World, threshold: int, conditions: Any) -> None:
    there = world.put("internal", "key", THEIRS)
    multipart = Multipart(threshold, part_size=3)
    action = seen(world, replaces=there.etag)
    answer = land(world, action, conditions=conditions, multipart=multipart)
    assert landed(answer).replaced == there.etag
    assert world.bodies("internal") == {"key": MINE}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("conditions", [ALL, UNGUARDED], ids=["guarded", "unguarded"])
def test_what_sync_did_not_see_is_not_replaced(
    world: World, policy: OnConflict, threshold: int, conditions: Any
) -> None:
    """Whatever the policy: it is about what is in a move's way."""
    world.put("internal", "key", b"changed since")
    multipart = Multipart(threshold, part_size=3)
    action = seen(world, replaces=md5(THEIRS))
    answer = land(world, action, conditions=conditions, on_conflict=policy, multipart=multipart)
    ended(answer, Outcome.CONFLICT)
    assert world.bodies("internal") == {"key": b"changed since"}


def test_what_sync_was_to_replace_and_is_gone_is_written_anew(world: World) -> None:
    assert landed(land(world, seen(world, replaces=md5(THEIRS)))).replaced is None
    assert world.bodies("internal") == {"key": MINE}


# Both are kept.


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("a.txt", "a.12345678.txt"),
        ("a", "a.12345678"),
        (".profile", ".profile.12345678"),
        (".a.txt", ".a.12345678.txt"),
        ("a.tar.gz", "a.tar.12345678.gz"),
        ("a.", "a.12345678."),
        ("b.c/a", "b.c/a.12345678"),
        ("b.c/.a", "b.c/.a.12345678"),
        ("b/a.txt", "b/a.12345678.txt"),
        ("b/", "b/.12345678"),
        ("/", "/.12345678"),
        ("//", "//.12345678"),
        ("🐸.txt", "🐸.12345678.txt"),
    ],
)
def test_what_is_kept_beside_another_keeps_its_folder_and_extension(key: str, kept: str) -> None:
    assert beside(key, "1234567890abcdef") == kept


@given(
    st.text(st.sampled_from("a./é"), min_size=1, max_size=9), st.sampled_from(["0" * 32, md5(b"")])
)
def test_the_name_beside_is_another_in_the_same_folder_and_always_the_same(
    key: str, etag: str
) -> None:
    kept = beside(key, etag)
    assert kept != key
    assert kept == beside(key, etag)
    assert kept.rpartition("/")[:2] == key.rpartition("/")[:2]
    assert kept.replace(f".{etag[:8]}", "", 1) == key


def test_a_second_run_finds_what_the_first_kept_beside(world: World) -> None:
    world.put("internal", "key", THEIRS)
    action = seen(world)
    land(world, action, on_conflict=OnConflict.KEEP_BOTH)
    again = landed(land(world, action, on_conflict=OnConflict.KEEP_BOTH))
    assert again.key == BESIDE
    assert "same bytes already" in again.note
    assert world.bodies("internal") == {"key": THEIRS, BESIDE: MINE}


def test_both_cannot_be_kept_where_another_has_that_name_too(world: World) -> None:
    world.put("internal", "key", THEIRS)
    world.put("internal", BESIDE, b"another")
    answer = land(world, seen(world), on_conflict=OnConflict.KEEP_BOTH)
    ended(answer, Outcome.CONFLICT)
    assert world.bodies("internal") == {"key": THEIRS, BESIDE: b"another"}


@pytest.mark.parametrize(("length", "kept"), [(LONGEST_KEY - 9, True), (LONGEST_KEY - 8, False)])
def test_both_cannot_be_kept_where_the_name_would_be_too_long(
    world: World, length: int, kept: bool
) -> None:
    key = "k" * length
    world.put("external", key, MINE)
    world.put("internal", key, THEIRS)
    answer = land(world, seen(world, key), on_conflict=OnConflict.KEEP_BOTH)
    if kept:
        assert len(landed(answer).key) == LONGEST_KEY
    else:
        ended(answer, Outcome.CONFLICT)
        assert world.bodies("internal") == {key: THEIRS}
