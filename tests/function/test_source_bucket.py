"""A source bucket that is not there: nothing that was to be moved from it counts as done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.errors import FrogmoveError
from tests.aws_events import batch, bridged, job, message, notification, task
from tests.fake_s3_state import FakeS3State
from tests.function.fake_lambda import CONTEXT, lambda_app
from tests.interceptors import RequestHook

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.function.invoke import Invoke

NOWHERE = "frogmove-nobodys-source"


@pytest.fixture
def mistyped(buckets: Buckets) -> Buckets:
    return replace(buckets, source=NOWHERE)


def test_queue_keeps_its_messages(mistyped: Buckets, invoke: Invoke) -> None:
    event = batch(
        message("1", notification(NOWHERE, "a")),
        message("2", bridged(NOWHERE, "b")),
    )
    answer = invoke(mistyped, event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}


def test_notification_is_delivered_again(mistyped: Buckets, invoke: Invoke) -> None:
    with pytest.raises(FrogmoveError, match=r"(?i)bucket"):
        invoke(mistyped, notification(NOWHERE, "a", "b"))


def test_task_of_a_job_fails(mistyped: Buckets, invoke: Invoke) -> None:
    for key in ("a", "a b+c"):
        answer = invoke(mistyped, job(task(NOWHERE, key)))
        assert [each["resultCode"] for each in answer["results"]] == ["PermanentFailure"]


def test_operator_is_told(mistyped: Buckets, invoke: Invoke) -> None:
    with pytest.raises(FrogmoveError, match=r"(?i)bucket"):
        invoke(mistyped, {"action": "move", "keys": ["a", "b"]})


def test_dry_run_is_not_of_nothing(mistyped: Buckets, invoke: Invoke) -> None:
    answer = invoke(mistyped, {"action": "move", "keys": ["a", "b"], "dry_run": True})
    assert answer["counts"] == {"failed": 2}
    assert [each["key"] for each in answer["results"]] == ["a", "b"]
    assert all("ucket" in each["reason"] for each in answer["results"])


def test_bucket_is_asked_for_once(capsys: pytest.CaptureFixture[str]) -> None:
    interceptor = RequestHook()
    keys = [f"k{number}" for number in range(20)]
    state = FakeS3State({"external": {}, "internal": {}})
    event: dict[str, Any] = {"action": "move", "keys": keys}
    assert lambda_app(state, interceptor).handle(event, CONTEXT)["counts"] == {"gone": 20}
    assert interceptor.operations.count("ListObjectsV2") == 1
