"""What HEAD tells of an object that was listed, held to a listing of the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, Outcome, Verb
from frogmove.core.scheduler import run_one
from frogmove.s3.errors import MALFORMED, S3Error
from tests.core.copy_helpers import MINE, a_state, copy_object, ended, seen
from tests.fake_s3 import FakeS3
from tests.interceptors import RequestHook

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.s3.models import Head, S3Object
    from tests.fake_s3_state import FakeS3State

T = TypeVar("T")


@pytest.fixture
def state() -> FakeS3State:
    return a_state()


def missing(operation: str) -> S3Error:
    return S3Error(operation, "NoSuchKey", 404, "Not Found")


def not_found(operation: str, request: Callable[[], T]) -> T:
    """Find no object, and list them all."""
    if operation in {"HeadObject", "CopyObject"}:
        raise missing(operation)
    return request()


def find(s3: FakeS3, item: S3Object) -> Head | None:
    return run_one(Lookup(s3, "external").find(item))


def test_lookup_asks_once_for_what_is_as_listed(state: FakeS3State) -> None:
    item = seen(state).object
    hook = RequestHook()
    found = find(FakeS3(state, hook), item)
    assert found is not None
    assert found.object == item
    assert hook.operations == ["HeadObject"]


def test_lookup_finds_nothing_where_the_listing_has_nothing_either(state: FakeS3State) -> None:
    item = seen(state).object
    state.buckets["external"].clear()
    assert find(FakeS3(state), item) is None


def test_lookup_finds_what_was_overwritten_as_another(state: FakeS3State) -> None:
    item = seen(state).object
    state.put("external", "key", b"newer")
    found = find(FakeS3(state), item)
    assert found is not None
    assert found.object.etag != item.etag


def test_lookup_raises_if_what_is_listed_is_not_found(state: FakeS3State) -> None:
    with pytest.raises(S3Error, match="is wrong") as caught:
        find(FakeS3(state, not_found), seen(state).object)
    assert caught.value.code == MALFORMED
    assert not caught.value.retrying_helps
    assert not caught.value.ends_the_run


def test_lookup_raises_if_head_and_listing_have_different_etags(state: FakeS3State) -> None:
    item = seen(state).object

    def other(operation: str, request: Callable[[], T]) -> T:
        if operation == "HeadObject":
            state.put("external", "key", MINE, "another")
        answer = request()
        state.put("external", "key", MINE)
        return answer

    with pytest.raises(S3Error, match="'another' for it"):
        find(FakeS3(state, other), item)


@pytest.mark.parametrize("first", ["delete", "overwrite"])
def test_lookup_takes_no_change_between_the_two_answers_for_a_contradiction(
    state: FakeS3State, first: str
) -> None:
    item = seen(state).object
    bucket = state.buckets["external"]
    if first == "delete":
        bucket.clear()
    else:
        state.put("external", "key", b"newer")
    hook = RequestHook({0: lambda: state.put("external", "key", MINE)}, only="ListObjectsV2")
    found = find(FakeS3(state, hook), item)
    assert found is not None
    assert found.object.etag == item.etag


def test_lookup_without_permission_to_list_trusts_head_alone(state: FakeS3State) -> None:
    item = seen(state).object
    state.buckets["external"].clear()

    def denied(operation: str, request: Callable[[], T]) -> T:
        if operation == "ListObjectsV2":
            raise S3Error(operation, "AccessDenied", 403, "Denied")
        return request()

    assert find(FakeS3(state, denied), item) is None


def test_copy_of_what_is_listed_and_not_found_fails(state: FakeS3State) -> None:
    with pytest.raises(S3Error, match="is wrong"):
        copy_object(state, seen(state), FakeS3(state, not_found))


def test_named_version_is_not_held_to_a_listing(state: FakeS3State) -> None:
    item = seen(state).object._replace(version_id="1")
    action = Action(Verb.MOVE, item, "key")
    ended(copy_object(state, action, FakeS3(state, not_found)), Outcome.GONE)
