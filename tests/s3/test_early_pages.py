"""A first page that is requested before its listing begins."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from frogmove import Client, Config
from frogmove.core.run_spec import Command
from frogmove.run_config import new_spec, select_for
from frogmove.s3.early_pages import MAX_AGE_SECONDS
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_prefix
from frogmove.s3.retry import RetryingS3
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.s3.test_retry import Faults, ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.buckets import Buckets

KEYS = ["in/a", "in/b"]


@pytest.fixture
def state() -> FakeS3State:
    state = FakeS3State({"a": {}, "b": {}})
    for key in KEYS:
        state.put("a", key, b"bytes")
    return state


def test_early_page_is_the_first_of_the_next_listing_only(state: FakeS3State) -> None:
    gate = Faults()
    s3 = RetryingS3(FakeS3(state, gate), Limits(4))
    s3.list_early("a", "in/").result()
    assert (gate.requests, s3.activity.listed) == (1, 0)
    assert [each.key for each in list_prefix(s3, "a", "in/")] == KEYS
    assert (gate.requests, s3.activity.listed) == (1, 2)
    state.put("a", "in/c", b"bytes")
    assert [each.key for each in list_prefix(s3, "a", "in/")] == [*KEYS, "in/c"]
    assert gate.requests == 2


@pytest.mark.parametrize(
    "listed",
    [
        lambda s3: s3.list_page("b", "in/"),
        lambda s3: s3.list_page("a", "i"),
        lambda s3: s3.list_page("a", "in/", limit=1),
        lambda s3: s3.list_page("a", "in/", start_after="in/a"),
        lambda s3: s3.list_page("a", "in/", delimiter="/"),
    ],
    ids=count(),
)
def test_early_page_is_not_one_of_another_listing(
    state: FakeS3State, listed: Callable[[RetryingS3], object]
) -> None:
    gate = Faults()
    s3 = RetryingS3(FakeS3(state, gate), Limits(4))
    s3.list_early("a", "in/").result()
    listed(s3)
    assert gate.requests == 2


def test_early_page_that_is_old_is_requested_again(state: FakeS3State) -> None:
    clock = ManualClock()
    s3 = RetryingS3(FakeS3(state), Limits(4), clock)
    s3.list_early("a", "in/").result()
    state.put("a", "in/c", b"bytes")
    clock.advance(MAX_AGE_SECONDS + 1)
    assert [each.key for each in list_prefix(s3, "a", "in/")] == [*KEYS, "in/c"]


def test_early_page_that_failed_is_requested_again(state: FakeS3State) -> None:
    s3 = RetryingS3(FakeS3(state, Faults("AccessDenied")), Limits(4))
    assert s3.list_early("a", "in/").exception() is not None
    assert [each.key for each in list_prefix(s3, "a", "in/")] == KEYS


def test_early_page_is_not_one_of_a_later_check(
    ministack_buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    ministack_buckets.put("a")
    for name, value in ministack_buckets.server.environment().items():
        monkeypatch.setenv(name, value)
    source, destination = ministack_buckets.source, ministack_buckets.destination
    config = Config(
        f"s3://{source}",
        f"s3://{destination}",
        endpoint_url=ministack_buckets.server.endpoint_url,
    )
    with Client(config) as client:
        spec = select_for(new_spec(Command.SYNC, config), (), {"everything": True})
        client.prepare(spec)
        ministack_buckets.put("b")
        compared = client.prepare_verification(spec)
        assert {each.key for each in compared} == {"a", "b"}
