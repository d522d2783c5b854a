import json

import pytest

from frogmove.core.models import Outcome, Result, Verb
from frogmove.core.records import Summary, action_record, object_record, result_record
from tests.factories import a_result, an_action, an_object, md5


def test_object_record_is_as_documented() -> None:
    assert object_record(an_object("a é", b"1234")) == {
        "type": "object",
        "key": "a é",
        "size": 4,
        "etag": md5(b"1234"),
        "last_modified": "2026-07-01T12:30:45+00:00",
        "storage_class": "STANDARD",
    }


def test_action_record_is_as_documented() -> None:
    assert action_record(an_action(Verb.COPY, "a", "the sizes differ")) == {
        "type": "action",
        "action": "copy",
        "key": "a",
        "destination_key": "a",
        "size": 4,
        "etag": md5(b"body"),
        "effect": "copy",
        "destination": None,
        "reason": "the sizes differ",
    }


def test_result_record_is_as_documented() -> None:
    assert result_record(Result(an_action(key="a"), Outcome.CONFLICT, "other", "a (2)")) == {
        "type": "result",
        "key": "a",
        "destination_key": "a (2)",
        "size": 4,
        "etag": md5(b"body"),
        "outcome": "conflict",
        "reason": "other",
    }


def test_result_has_the_destination_key_of_its_action_unless_it_names_another() -> None:
    assert a_result(Outcome.MOVED, "a").destination_key == "a"


def test_summary_counts_every_outcome_and_the_bytes_that_were_carried() -> None:
    summary = Summary()
    for outcome in [*Outcome, Outcome.MOVED]:
        summary.add(a_result(outcome))
    record = summary.record()
    assert record["type"] == "summary"
    assert record["counts"] == {outcome.value: 1 for outcome in Outcome} | {"moved": 2}
    assert record["bytes"] == 3 * 4
    assert record["seconds"] >= 0
    assert record["interrupted"] is False


def test_summary_that_is_empty_names_every_outcome_and_is_json() -> None:
    record = json.loads(json.dumps(Summary().record()))
    assert record["counts"] == {outcome.value: 0 for outcome in Outcome}


@pytest.mark.parametrize("outcome", Outcome)
def test_summary_needs_attention_for_not_found_conflict_and_failed(outcome: Outcome) -> None:
    summary = Summary()
    summary.add(a_result(outcome))
    assert summary.needs_attention is (
        outcome in {Outcome.NOT_FOUND, Outcome.CONFLICT, Outcome.FAILED}
    )
