"""When failed messages come back: each as its failure needs it, and no other is touched."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from frogmove.function import redelivery
from frogmove.s3.errors import S3Error
from tests.aws_events import batch, message, notification
from tests.function.fake_lambda import CONTEXT, Clock, lambda_app, state_of, stopping
from tests.interceptors import RequestHook

if TYPE_CHECKING:
    from threading import Event

    from tests.fake_s3_state import FakeS3State


class FakeSqs:
    """Keeps what visibility is set to which message's receipt handle.

    Attributes:
        regions: those that a client was made for.
        urls: the queues that were asked.
        seconds: the visibility timeouts, by receipt handle.
        error: raised instead, where there is one.
    """

    def __init__(self) -> None:
        self.regions: list[str] = []
        self.urls: set[str] = set()
        self.seconds: dict[str, int] = {}
        self.error: Exception | None = None
        self.meta = SimpleNamespace(endpoint_url="https://sqs.us-east-1.amazonaws.com")

    def connect(self, region: str) -> FakeSqs:
        self.regions.append(region)
        return self

    def change_message_visibility(self, **asked: Any) -> None:
        if self.error is not None:
            raise self.error
        self.urls.add(asked["QueueUrl"])
        self.seconds[asked["ReceiptHandle"]] = asked["VisibilityTimeout"]


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    fake = FakeSqs()
    monkeypatch.setattr(redelivery, "sqs_client", fake.connect)
    return fake


def delivered(identity: str, body: object, receives: int = 1) -> dict[str, Any]:
    """Return a message as it is delivered the so many-th time."""
    made = message(identity, body)
    made["receiptHandle"] = f"handle {identity}"
    made["attributes"]["ApproximateReceiveCount"] = str(receives)
    return made


def ids(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def failing(state: FakeS3State, *, retrying_helps: bool) -> Any:
    """Return a process whose copies of the key ``bad`` fail."""
    code, status = ("InternalError", 500) if retrying_helps else ("AccessDenied", 403)

    def interceptor(operation: str, request: Any) -> Any:
        if operation == "CopyObject":
            raise S3Error("CopyObject", code, status, "no")
        return request()

    return lambda_app(state, interceptor)


def test_message_that_succeeds_asks_nothing_of_sqs(sqs: FakeSqs) -> None:
    state = state_of("a")
    answer = lambda_app(state).handle(batch(delivered("1", notification("external", "a"))), CONTEXT)
    assert (ids(answer), sqs.regions) == ([], [])


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (9, 1800)]
)
def test_failure_that_may_pass_comes_back_later_and_later(
    sqs: FakeSqs, receives: int, seconds: int
) -> None:
    state = state_of("bad")
    event = batch(delivered("1", notification("external", "bad"), receives))
    answer = failing(state, retrying_helps=True).handle(event, CONTEXT)
    assert ids(answer) == ["1"]
    assert sqs.seconds == {"handle 1": seconds}
    assert sqs.urls == {"https://sqs.us-east-1.amazonaws.com/123456789012/frogmove"}


@pytest.mark.parametrize("body", ["nonsense", notification("another-bucket", "a")])
def test_poison_is_dead_within_minutes(sqs: FakeSqs, body: object) -> None:
    app = lambda_app(state_of())
    waited = 0
    for receives in range(1, 10):
        assert ids(app.handle(batch(delivered("1", body, receives)), CONTEXT)) == ["1"]
        waited += sqs.seconds["handle 1"]
    assert waited < 300


def test_failure_that_does_not_pass_is_dead_within_minutes(sqs: FakeSqs) -> None:
    app = failing(state_of("bad"), retrying_helps=False)
    event = batch(delivered("1", notification("external", "bad"), 9))
    assert ids(app.handle(event, CONTEXT)) == ["1"]
    assert sqs.seconds == {"handle 1": 30}


def test_large_copy_goes_on_within_seconds(sqs: FakeSqs, flags: list[Event]) -> None:
    state = state_of("large", body=b"123456789")
    interceptor = RequestHook({0: stopping(flags)}, only="UploadPartCopy")
    event = batch(delivered("1", notification("external", "large"), 7))
    assert ids(lambda_app(state, interceptor).handle(event, CONTEXT)) == ["1"]
    assert sqs.seconds == {"handle 1": 1}


def test_redelivery_touches_only_what_is_answered_as_failed(sqs: FakeSqs) -> None:
    state = state_of("a", "b")
    event = batch(
        delivered("1", notification("external", "a")),
        delivered("2", "nonsense"),
        delivered("3", notification("external", "b")),
    )
    assert ids(lambda_app(state).handle(event, CONTEXT)) == ["2"]
    assert set(sqs.seconds) == {"handle 2"}


def test_failures_share_a_client(sqs: FakeSqs) -> None:
    event = batch(*(delivered(str(number), "nonsense") for number in range(95)))
    app = lambda_app(state_of())
    assert len(ids(app.handle(event, CONTEXT))) == 95
    assert (len(sqs.seconds), len(sqs.regions)) == (95, 1)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://sqs"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ChangeMessage"),
    ],
)
def test_queue_that_refuses_is_reported_and_harms_nothing(
    sqs: FakeSqs, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs.error = error
    app = lambda_app(state_of("a"))
    event = batch(delivered("1", "nonsense"), delivered("2", notification("external", "a")))
    assert ids(app.handle(event, CONTEXT)) == ["1"]
    assert "delivered again only after the queue's visibility timeout" in capsys.readouterr().out


def test_client_that_cannot_be_made_is_reported_and_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: str) -> FakeSqs:
        raise ValueError("Invalid endpoint: somewhere")

    monkeypatch.setattr(redelivery, "sqs_client", refuse)
    app = lambda_app(state_of())
    assert ids(app.handle(batch(delivered("1", "nonsense")), CONTEXT)) == ["1"]
    assert "Invalid endpoint: somewhere" in capsys.readouterr().out


def test_redelivery_without_time_left_spends_none(sqs: FakeSqs) -> None:
    app = lambda_app(state_of())
    assert ids(app.handle(batch(delivered("1", "nonsense")), Clock(1_400))) == ["1"]
    assert sqs.regions == []


@pytest.mark.parametrize(
    "change",
    [
        {"receiptHandle": None},
        {"eventSourceARN": None},
        {"eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream"},
        {"eventSourceARN": "arn:aws:sqs:::"},
        {"eventSourceARN": 7},
        {"attributes": None},
        {"attributes": {"ApproximateReceiveCount": "many"}},
        {"attributes": {"ApproximateReceiveCount": "0"}},
        {"attributes": {"ApproximateReceiveCount": "9" * 400}},
    ],
)
def test_event_that_lacks_something_is_answered_all_the_same(
    sqs: FakeSqs, change: dict[str, Any]
) -> None:
    app = lambda_app(state_of())
    assert ids(app.handle(batch(delivered("1", "nonsense") | change), CONTEXT)) == ["1"]
    assert set(sqs.seconds) == ({"handle 1"} if "attributes" in change else set())


def test_redelivery_is_counted_and_reported(
    sqs: FakeSqs, capsys: pytest.CaptureFixture[str]
) -> None:
    app = lambda_app(state_of())
    app.handle(batch(delivered("1", "nonsense"), delivered("2", "nonsense")), CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (blob,) = [line for line in lines if "_aws" in line]
    assert sum(blob["rejected"]) == 2
    reported = [line for line in lines if line.get("message") == "redelivery"]
    assert [(line["about"], line["cause"], line["seconds"]) for line in reported] == [
        ("1", "rejected", 1),
        ("2", "rejected", 1),
    ]
