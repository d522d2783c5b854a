from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.models import Action, Outcome, Verb
from frogmove.core.options import TransferOptions
from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.sync_plan import resolve_comparisons
from frogmove.core.transfer import run
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.listing import list_prefix
from tests.factories import ROUTE, an_action
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from tests.buckets import Buckets


def planned(buckets: Buckets, s3: BotoS3) -> list[Action]:
    sources = list_prefix(s3, buckets.source, "")
    others = list_prefix(s3, buckets.destination, "")
    return list(plan_sync(sources, others, buckets.route))


def resolved(buckets: Buckets, s3: BotoS3, actions: list[Action]) -> list[Action]:
    return list(resolve_comparisons(actions, s3, buckets.route, 4, Event()))


def test_sync_copies_the_same_size_and_other_bytes(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", body=b"new!")
    buckets.put_there("a", body=b"old!")
    (open_question,) = planned(buckets, s3)
    assert open_question.verb is Verb.COMPARE
    (action,) = resolved(buckets, s3, [open_question])
    assert action.verb is Verb.COPY
    assert "differs" in action.reason
    assert action.replaces == open_question.replaces


def test_sync_skips_what_cannot_be_compared_once_it_is_newer(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put_in_parts(buckets.source, "a", b"frog")
    time.sleep(1.1)
    buckets.put_there("a", body=b"frog")
    (open_question,) = planned(buckets, s3)
    assert open_question.verb is Verb.COMPARE
    (action,) = resolved(buckets, s3, [open_question])
    assert action.verb is Verb.SKIP
    assert "newer than the source" in action.reason
    time.sleep(1.1)
    buckets.put_in_parts(buckets.source, "a", b"toad")
    (action,) = resolved(buckets, s3, planned(buckets, s3))
    assert action.verb is Verb.COPY
    assert "no ETag or checksum proves" in action.reason


def test_sync_leaves_what_went_away_since_it_was_listed_to_the_copys_conditions(
    buckets: Buckets, s3: BotoS3
) -> None:
    buckets.put("a", body=b"new!")
    buckets.put_there("a", body=b"old!")
    plan = planned(buckets, s3)
    buckets.client.delete_object(Bucket=buckets.destination, Key="a")
    (action,) = resolved(buckets, s3, plan)
    assert action.verb is Verb.COPY


def test_sync_skips_what_became_the_same_since_it_was_listed(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", body=b"new!")
    buckets.put_there("a", body=b"old!")
    plan = planned(buckets, s3)
    buckets.put_there("a", body=b"new!")
    (action,) = resolved(buckets, s3, plan)
    assert action.verb is Verb.SKIP
    assert "ETag" in action.reason


@pytest.mark.parametrize("verb", [Verb.COPY, Verb.SKIP, Verb.REFUSE, Verb.MOVE])
def test_resolve_comparisons_passes_on_what_is_decided_already(
    buckets: Buckets, s3: BotoS3, verb: Verb
) -> None:
    actions = [an_action(verb, key, "because") for key in ("b", "a")]
    assert resolved(buckets, s3, actions) == actions


def test_resolve_comparisons_refuses_what_cannot_be_looked_up(buckets: Buckets, s3: BotoS3) -> None:
    buckets.put("a", body=b"new!")
    buckets.put_there("a", body=b"old!")
    actions = planned(buckets, s3)
    s3.close()
    wrong = BotoS3(buckets.server.spoken_to_as("nobody", "nothing").client(), 1)
    if buckets.server.name == "moto":
        pytest.skip("moto takes anybody for its owner")
    (action,) = resolved(buckets, wrong, actions)
    assert action.verb is Verb.REFUSE
    assert "could not be compared" in action.reason


def test_resolve_comparisons_takes_no_action_once_stopped(buckets: Buckets, s3: BotoS3) -> None:
    stop = Event()
    stop.set()
    actions = [an_action(Verb.COPY)]
    assert list(resolve_comparisons(actions, s3, buckets.route, 4, stop)) == []


@pytest.mark.parametrize("year", [1970, 2026, 2099])
def test_time_of_an_object_is_no_reason_to_skip_it(year: int) -> None:
    """In memory, as no server lets one choose an object's time."""
    state = FakeS3State({"external": {}, "internal": {}})
    s3 = FakeS3(state)
    old = state.put("internal", "a", b"old!")
    new = state.put("external", "a", b"new!")
    then = datetime(year, 1, 1, tzinfo=UTC)
    state.buckets["internal"]["a"] = replace(old, modified=datetime(2026, 6, 1, tzinfo=UTC))
    state.buckets["external"]["a"] = replace(new, modified=then)
    actions = plan_sync(list_prefix(s3, "external", ""), list_prefix(s3, "internal", ""), ROUTE)
    (action,) = actions
    assert action.verb == "compare"
    moves = plan_move(list_prefix(s3, "external", ""), ROUTE)
    (result,) = run(moves, s3, ROUTE, TransferOptions(ALL_SUPPORTED), Event())
    assert result.outcome is Outcome.CONFLICT
