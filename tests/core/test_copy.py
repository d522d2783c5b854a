"""How one object lands: every condition that fails, and every policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.conflict import keep_both_key
from frogmove.core.models import Outcome, Replaced, Result
from frogmove.core.options import Multipart, OnConflict
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.uri import MAX_KEY_BYTES
from tests.core.copy_helpers import (
    KEEP_BOTH_KEY,
    MINE,
    POLICIES,
    THEIRS,
    UNGUARDED,
    a_state,
    copy_object,
    ended,
    seen,
    verified,
)
from tests.factories import md5
from tests.fake_s3 import FakeS3
from tests.interceptors import RequestHook

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fake_s3_state import FakeS3State


T = TypeVar("T")


@pytest.fixture
def state() -> FakeS3State:
    return a_state()


# Nothing in the way.


@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 4], ids=["in-parts", "at-once"])
def test_copy_is_made_where_there_is_nothing(
    state: FakeS3State, policy: OnConflict, capabilities: Any, threshold: int
) -> None:
    multipart = Multipart(threshold, part_size=3)
    answer = copy_object(
        state, seen(state), capabilities=capabilities, on_conflict=policy, multipart=multipart
    )
    assert verified(answer).key == "key"
    assert verified(answer).replaced is None
    assert verified(answer).etag == state.buckets["internal"]["key"].etag
    assert state.bodies("internal") == {"key": MINE}
    assert state.bodies("external") == {"key": MINE}


def test_copy_whose_etag_proves_it_costs_one_request(state: FakeS3State) -> None:
    hook = RequestHook()
    action = seen(state)
    assert verified(copy_object(state, action, FakeS3(state, hook))).note == ""
    assert hook.operations == ["CopyObject"]


# The source is not what was seen.


@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
def test_copy_of_an_object_that_is_gone_is_gone(
    state: FakeS3State, capabilities: Any, threshold: int
) -> None:
    action = seen(state)
    del state.buckets["external"]["key"]
    multipart = Multipart(threshold, part_size=3)
    answer = copy_object(state, action, capabilities=capabilities, multipart=multipart)
    assert "no longer at the source" in ended(answer, Outcome.GONE)
    assert state.bodies("internal") == {}


@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("there", [None, THEIRS, MINE], ids=["nothing", "theirs", "mine"])
def test_copy_of_an_object_that_changed_is_superseded(
    state: FakeS3State, capabilities: Any, threshold: int, policy: OnConflict, there: bytes | None
) -> None:
    action = seen(state)
    state.put("external", "key", b"newer")
    if there is not None:
        state.put("internal", "key", there)
    before = state.bodies("internal")
    multipart = Multipart(threshold, part_size=3)
    answer = copy_object(
        state, action, capabilities=capabilities, on_conflict=policy, multipart=multipart
    )
    assert "source has changed since" in ended(answer, Outcome.SUPERSEDED)
    assert state.bodies("internal") == before
    assert state.uploads == {}


# The destination holds something.


@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
def test_copy_counts_an_identical_destination_as_made(
    state: FakeS3State, policy: OnConflict, capabilities: Any, threshold: int
) -> None:
    state.put("internal", "key", MINE)
    multipart = Multipart(threshold, part_size=3)
    answer = copy_object(
        state, seen(state), capabilities=capabilities, on_conflict=policy, multipart=multipart
    )
    assert "already held the same bytes" in verified(answer).note
    assert verified(answer).replaced is None
    assert state.bodies("internal") == {"key": MINE}


OUTCOMES = {
    OnConflict.FAIL: (Outcome.CONFLICT, {"key": THEIRS}),
    OnConflict.SKIP: (Outcome.SKIPPED, {"key": THEIRS}),
    OnConflict.OVERWRITE: (None, {"key": MINE}),
    OnConflict.KEEP_BOTH: (None, {"key": THEIRS, KEEP_BOTH_KEY: MINE}),
}


@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
def test_copy_follows_the_conflict_policy(
    state: FakeS3State, policy: OnConflict, capabilities: Any, threshold: int
) -> None:
    state.put("internal", "key", THEIRS)
    multipart = Multipart(threshold, part_size=3)
    answer = copy_object(
        state, seen(state), capabilities=capabilities, on_conflict=policy, multipart=multipart
    )
    outcome, there = OUTCOMES[policy]
    assert state.bodies("internal") == there
    assert state.bodies("external") == {"key": MINE}
    assert state.uploads == {}
    if outcome is not None:
        reason = ended(answer, outcome)
        assert "6 bytes" in reason
        assert "source kept" in reason
    else:
        overwritten = policy is OnConflict.OVERWRITE
        assert verified(answer).replaced == (Replaced(md5(THEIRS)) if overwritten else None)
        assert verified(answer).key == ("key" if overwritten else KEEP_BOTH_KEY)


@pytest.mark.parametrize("policy", POLICIES)
def test_copy_follows_the_conflict_policy_for_what_comes_meanwhile(
    state: FakeS3State, policy: OnConflict
) -> None:
    action = seen(state)
    hook = RequestHook({0: lambda: state.put("internal", "key", THEIRS)}, only="CopyObject")
    answer = copy_object(state, action, FakeS3(state, hook), on_conflict=policy)
    outcome, there = OUTCOMES[policy]
    assert state.bodies("internal") == there
    assert (answer.outcome if isinstance(answer, Result) else None) is outcome


def test_copy_replaces_only_what_was_looked_at(state: FakeS3State) -> None:
    """Between the look and the copy the destination changes once more."""
    state.put("internal", "key", b"first")
    action = seen(state)
    replaced: list[str] = []

    def interceptor(operation: str, request: Callable[[], T]) -> T:
        if operation == "CopyObject" and len(replaced) < 2:
            replaced.append(state.put("internal", "key", f"{len(replaced)}".encode()).etag)
        return request()

    answer = copy_object(
        state, action, FakeS3(state, interceptor), on_conflict=OnConflict.OVERWRITE
    )
    assert verified(answer).replaced == Replaced(replaced[-1])
    assert state.bodies("internal") == {"key": MINE}


def test_copy_does_not_touch_a_destination_that_keeps_changing(
    state: FakeS3State,
) -> None:
    action = seen(state)
    count = iter(range(100))

    def interceptor(operation: str, request: Callable[[], T]) -> T:
        if operation == "CopyObject":
            state.put("internal", "key", f"{next(count)}".encode())
        return request()

    answer = copy_object(
        state, action, FakeS3(state, interceptor), on_conflict=OnConflict.OVERWRITE
    )
    assert "kept changing" in ended(answer, Outcome.CONFLICT)
    assert next(count) < 10
    assert state.bodies("external") == {"key": MINE}


def test_copy_is_made_once_the_obstacle_has_gone(state: FakeS3State) -> None:
    state.put("internal", "key", THEIRS)
    action, heads = seen(state), []

    def interceptor(operation: str, request: Callable[[], T]) -> T:
        # The first look is at the source, the second at what is in the way.
        heads.extend([operation] * (operation == "HeadObject"))
        if operation == "HeadObject" and len(heads) == 2:
            state.buckets["internal"].clear()
        return request()

    assert verified(copy_object(state, action, FakeS3(state, interceptor))).key == "key"
    assert state.bodies("internal") == {"key": MINE}


# What sync is to replace.


@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
def test_copy_for_sync_replaces_what_sync_saw(
    state: FakeS3State, threshold: int, capabilities: Any
) -> None:
    there = state.put("internal", "key", THEIRS)
    multipart = Multipart(threshold, part_size=3)
    action = seen(state, replaces=there.etag)
    answer = copy_object(state, action, capabilities=capabilities, multipart=multipart)
    assert verified(answer).replaced == Replaced(there.etag)
    assert state.bodies("internal") == {"key": MINE}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("threshold", [3, 100], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("capabilities", [ALL_SUPPORTED, UNGUARDED], ids=["guarded", "unguarded"])
def test_copy_for_sync_does_not_replace_what_sync_did_not_see(
    state: FakeS3State, policy: OnConflict, threshold: int, capabilities: Any
) -> None:
    """Whatever the policy: it is about what is in a move's way."""
    state.put("internal", "key", b"changed since")
    multipart = Multipart(threshold, part_size=3)
    action = seen(state, replaces=md5(THEIRS))
    answer = copy_object(
        state, action, capabilities=capabilities, on_conflict=policy, multipart=multipart
    )
    ended(answer, Outcome.CONFLICT)
    assert state.bodies("internal") == {"key": b"changed since"}


def test_copy_for_sync_is_made_where_what_it_was_to_replace_is_gone(state: FakeS3State) -> None:
    assert verified(copy_object(state, seen(state, replaces=md5(THEIRS)))).replaced is None
    assert state.bodies("internal") == {"key": MINE}


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
def test_keep_both_key_keeps_folder_and_extension(key: str, kept: str) -> None:
    assert keep_both_key(key, "1234567890abcdef") == kept


@given(
    st.text(st.sampled_from("a./é"), min_size=1, max_size=9), st.sampled_from(["0" * 32, md5(b"")])
)
def test_keep_both_key_is_another_key_in_the_same_folder_and_always_the_same(
    key: str, etag: str
) -> None:
    kept = keep_both_key(key, etag)
    assert kept != key
    assert kept == keep_both_key(key, etag)
    assert kept.rpartition("/")[:2] == key.rpartition("/")[:2]
    assert kept.replace(f".{etag[:8]}", "", 1) == key


def test_keep_both_finds_what_an_earlier_run_kept(state: FakeS3State) -> None:
    state.put("internal", "key", THEIRS)
    action = seen(state)
    copy_object(state, action, on_conflict=OnConflict.KEEP_BOTH)
    again = verified(copy_object(state, action, on_conflict=OnConflict.KEEP_BOTH))
    assert again.key == KEEP_BOTH_KEY
    assert "already held the same bytes" in again.note
    assert state.bodies("internal") == {"key": THEIRS, KEEP_BOTH_KEY: MINE}


def test_keep_both_is_a_conflict_where_another_has_that_key_too(state: FakeS3State) -> None:
    state.put("internal", "key", THEIRS)
    state.put("internal", KEEP_BOTH_KEY, b"another")
    answer = copy_object(state, seen(state), on_conflict=OnConflict.KEEP_BOTH)
    ended(answer, Outcome.CONFLICT)
    assert state.bodies("internal") == {"key": THEIRS, KEEP_BOTH_KEY: b"another"}


@pytest.mark.parametrize(
    ("length", "kept"), [(MAX_KEY_BYTES - 9, True), (MAX_KEY_BYTES - 8, False)]
)
def test_keep_both_is_limited_by_the_longest_key(
    state: FakeS3State, length: int, kept: bool
) -> None:
    key = "k" * length
    state.put("external", key, MINE)
    state.put("internal", key, THEIRS)
    answer = copy_object(state, seen(state, key), on_conflict=OnConflict.KEEP_BOTH)
    if kept:
        assert len(verified(answer).key) == MAX_KEY_BYTES
    else:
        ended(answer, Outcome.CONFLICT)
        assert state.bodies("internal") == {key: THEIRS}
