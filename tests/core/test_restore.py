"""An undo restores what a run replaced, and takes away nothing that was there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frogmove.core.models import Outcome
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from tests.core.runs import OVERWRITE, Runs
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def test_undo_reports_what_was_replaced_as_lost_where_no_version_is_kept(
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
def test_undo_restores_what_was_replaced_where_its_version_is_kept(
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


def test_undo_leaves_what_was_written_since_over_what_replaced_another(
    state: FakeS3State, runs: Runs
) -> None:
    state.versioned.add("internal")
    state.put("internal", "a", b"theirs")
    moved = runs.move(OVERWRITE)
    state.put("internal", "a", b"since")
    runs.undo(moved, OVERWRITE)
    assert runs.outcomes["a"] is Outcome.SUPERSEDED
    assert state.bodies("internal") == {"a": b"since"}


def test_undo_does_not_empty_the_key_of_an_overwrite_whose_answer_was_lost(
    state: FakeS3State, runs: Runs
) -> None:
    before = state.bodies("external")
    state.put("internal", "a", b"theirs")
    runs.lose_answers("CopyObject")
    runs.undo(runs.move(OVERWRITE))
    assert runs.outcomes["a"] is Outcome.FAILED
    assert (state.bodies("external"), state.bodies("internal")) == (before, {"a": b"a"})


@pytest.mark.parametrize("command", ["move", "sync"])
def test_undo_does_not_take_away_what_the_destination_held_before(
    state: FakeS3State, runs: Runs, command: str
) -> None:
    before = state.bodies("external")
    state.put("internal", "a", b"a")
    ran = runs.move() if command == "move" else runs.sync()
    runs.undo(ran)
    if command == "move":
        assert runs.outcomes["a"] is Outcome.COPIED
    assert (state.bodies("external"), state.bodies("internal")) == (before, {"a": b"a"})


def test_undo_of_a_sync_takes_only_the_copies_away(state: FakeS3State, runs: Runs) -> None:
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


PLACES = ("free", "twin", "theirs")
COPY_FAULTS = ("none", "response lost", "request lost")


@dataclass
class CopyFaults:
    """Lets copies succeed, or lose their response after or before they took place."""

    left: list[str]

    def __call__(self, operation: str, request: Callable[[], T]) -> T:
        fault = self.left.pop() if operation == "CopyObject" and self.left else "none"
        if fault == "request lost":
            raise S3Error(operation, "RequestTimeout", None, "no answer")
        answer = request()
        if fault == "response lost":
            raise S3Error(operation, "RequestTimeout", None, "no answer")
        return answer


@given(
    places=st.lists(st.sampled_from(PLACES), min_size=3, max_size=3),
    faults=st.lists(st.sampled_from(COPY_FAULTS), max_size=8),
    versioned=st.booleans(),
    in_parts=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_undo_leaves_both_sides_as_they_were_whatever_response_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[str],
    faults: list[str],
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
    runs.s3 = RetryingS3(FakeS3(state, CopyFaults(faults)), Limits(first_delay=0.0001, attempts=20))
    parts = Multipart(2 if in_parts else 1000, part_size=3)
    options = TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE, multipart=parts)
    runs.undo(runs.move(options), options)
    replaced = {key: body for key, body in there.items() if body == b"theirs"}
    assert state.bodies("external") == before
    if versioned:
        assert state.bodies("internal") == there
    else:
        assert state.bodies("internal") == there | {key: key.encode() for key in replaced}
