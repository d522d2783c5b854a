import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.verify import CompareBy
from frogmove.function.batch_operations import Job
from frogmove.function.events import (
    EventError,
    Message,
    Move,
    Notification,
    Ping,
    Queue,
    Sweep,
    Sync,
    Upload,
    read_event,
)
from tests.aws_events import (
    SAMPLES,
    SCHEDULED,
    TEST_EVENT,
    batch,
    bridged,
    delivery,
    enveloped,
    job,
    message,
    notification,
    record,
    task,
)
from tests.strategies import CHARACTERS, JSON, mutations

KEYS = [
    "happyface.jpg",
    "reports/2026 été+1%.csv",
    "a//b",
    "/a",
    "a/",
    "a\nb",
    "100%25",
    "蛙/🐸",
    "e\u0301 and é",
    "x=y&z?#",
]


def read_messages(event: object) -> tuple[Message, ...]:
    queue = read_event(event)
    assert isinstance(queue, Queue)
    return queue.messages


# What an event comes through makes no difference to what it reports.

THROUGH: dict[str, Callable[[Any], Any]] = {
    "directly": lambda event: event,
    "sns": delivery,
    "queue": lambda event: batch(message("1", event)),
    "sns and queue": lambda event: batch(message("1", enveloped(event))),
}


def reported(event: object) -> tuple[Upload, ...]:
    """Return the uploads that an event reports, whatever it came through."""
    read = read_event(event)
    if isinstance(read, Notification):
        return read.uploads
    assert isinstance(read, Queue)
    (only,) = read.messages
    assert only.error is None, only.error
    return only.uploads


@pytest.mark.parametrize("through", THROUGH)
@pytest.mark.parametrize("key", KEYS)
def test_upload_is_reported_whatever_it_came_through(through: str, key: str) -> None:
    uploads = (Upload("external", key),)
    assert reported(THROUGH[through](notification("external", key))) == uploads
    assert reported(THROUGH[through](bridged("external", key))) == uploads


@pytest.mark.parametrize("through", THROUGH)
@pytest.mark.parametrize(
    "event",
    [
        TEST_EVENT,
        {"Records": [record("external", "a", "ObjectRemoved:Delete")]},
        bridged("external", "a", "Object Deleted"),
        bridged("external", "a", "Object Tags Added"),
    ],
    ids=["test", "removed", "bridged-deleted", "bridged-tagged"],
)
def test_event_that_is_no_upload_is_consumed_whatever_it_came_through(
    through: str, event: Any
) -> None:
    assert reported(THROUGH[through](event)) == ()


def test_notifications_of_a_topic_are_all_read() -> None:
    event = delivery(notification("external", "a", "b"))
    event["Records"] += delivery(bridged("external", "c"))["Records"]
    assert [upload.key for upload in reported(event)] == ["a", "b", "c"]


def test_keys_of_eventbridge_are_taken_as_they_are() -> None:
    assert reported(bridged("external", "a+b%20c")) == (Upload("external", "a+b%20c"),)


def test_eventbridge_event_that_is_older_names_no_version() -> None:
    event = bridged("external", "a")
    del event["detail"]["event-version"]
    assert reported(event) == (Upload("external", "a"),)


@pytest.mark.parametrize(
    "event",
    [
        bridged("external", "a", **{"event-version": "2.0"}),
        bridged("external", "a", **{"event-version": 1}),
        bridged("external", "a", bucket={}),
        bridged("external", "a", object={"key": 3}),
        bridged("external", "\ud800"),
        bridged("external", "a") | {"detail": "{}"},
        bridged("external", "a") | {"detail-type": None},
        bridged("external", "a") | {"source": "aws.ec2"},
        enveloped(enveloped(notification("external", "a"))),
        enveloped("not json"),
        enveloped("null"),
        {"Type": "Notification"},
        {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe"},
        delivery("not json"),
        {"Records": [delivery(TEST_EVENT)["Records"][0], None]},
        {"Records": [{"EventSource": "aws:sns", "Sns": None}]},
    ],
    ids=lambda event: ascii(event)[:40],
)
def test_notification_that_is_broken_is_refused(event: Any) -> None:
    with pytest.raises(EventError) as caught:
        read_event(event)
    assert caught.value.remedy
    (queued,) = read_messages(batch(message("1", event)))
    assert queued.error is not None


def test_event_is_identified_by_its_sender() -> None:
    assert isinstance(read_event(batch(message("1", TEST_EVENT))), Queue)
    assert read_event({"Records": []}) == Notification(())
    assert read_event(SCHEDULED) == Sweep()
    assert read_event(SCHEDULED | {"source": "aws.scheduler", "detail": "{}"}) == Sweep()
    assert isinstance(read_event(job(task("external", "a"))), Job)


@pytest.mark.parametrize("event", [{"action": "ping"}, SCHEDULED, job(task("external", "a"))])
def test_queue_brings_notifications_only(event: Any) -> None:
    (read,) = read_messages(batch(message("1", event)))
    assert isinstance(read.error, EventError)


# The operator's own requests.


@pytest.mark.parametrize(
    ("event", "read"),
    [
        ({"action": "ping"}, Ping()),
        ({"action": "sync"}, Sync()),
        ({"action": "sync", "dry_run": True}, Sync(dry_run=True)),
        ({"action": "sync", "compare": "content"}, Sync(compare=CompareBy.CONTENT)),
        ({"action": "sweep"}, Sweep()),
        ({"action": "sweep", "age": 0}, Sweep(age=0.0)),
        ({"action": "sweep", "age": 1.5, "dry_run": False}, Sweep(age=1.5)),
        ({"action": "sweep", "age": "2h", "dry_run": True}, Sweep(dry_run=True, age=7200.0)),
        ({"action": "sweep", "age": None}, Sweep()),
        ({"action": "move", "keys": ["a", "b/ ", "a"]}, Move(("a", "b/ "))),
        ({"action": "move", "keys": ["a"], "dry_run": True}, Move(("a",), dry_run=True)),
    ],
    ids=repr,
)
def test_request_is_read(event: dict[str, Any], read: object) -> None:
    assert read_event(event) == read


@pytest.mark.parametrize(
    "event",
    [
        {"action": None},
        {"action": "delete"},
        {"action": ["move"]},
        {"action": "ping", "dry_run": True},
        {"action": "move"},
        {"action": "move", "keys": []},
        {"action": "move", "keys": "a"},
        {"action": "move", "keys": ["a", 1]},
        {"action": "move", "keys": [""]},
        {"action": "move", "keys": ["k" * 1025]},
        {"action": "move", "keys": ["\ud800"]},
        {"action": "move", "keys": ["a"], "dry_run": "yes"},
        {"action": "move", "keys": ["a"], "dry-run": True},
        {"action": "move", "keys": ["a"], "age": 1},
        {"action": "sync", "keys": ["a"]},
        {"action": "sync", "dry_run": 1},
        {"action": "sync", "compare": "etag"},
        {"action": "sync", "compare": ["size"]},
        {"action": "sync", "compare": None},
        {"action": "sweep", "compare": "size"},
        {"action": "sweep", "age": -1},
        {"action": "sweep", "age": "soon"},
        {"action": "sweep", "age": True},
        {"action": "sweep", "age": float("nan")},
        {"action": "sweep", "age": 10**99},
        {"action": "sweep", "age": [1]},
    ],
    ids=lambda event: ascii(event)[:60],
)
def test_request_that_is_not_understood_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(EventError) as caught:
        read_event(event)
    assert caught.value.remedy
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 400


POISON = [
    "",
    "not json",
    "{",
    "null",
    "[]",
    '"text"',
    "NaN",
    "{}",
    '{"Records":[{}]}',
    "[" * 100_000,
    '{"a":' * 100_000,
    "1" * 5_000,
    '{"Records":[{"s3":{"object":{"key":"\\ud800"}}}]}',
    "\x00",
]


@pytest.mark.parametrize("body", POISON, ids=lambda body: ascii(body)[:30])
def test_message_that_is_poisoned_is_an_error_of_that_message_alone(body: str) -> None:
    good = message("good", notification("external", "a"))
    before, bad, after = read_messages(batch(good, message("bad", body), good))
    assert before == after
    assert before.uploads == (Upload("external", "a"),)
    assert (bad.id, bad.uploads) == ("bad", ())
    assert isinstance(bad.error, EventError)


@pytest.mark.parametrize("body", [None, 3, {}, []], ids=repr)
def test_message_without_a_text_body_is_an_error_of_that_message(body: object) -> None:
    (read,) = read_messages(batch(message("1", "") | {"body": body}))
    assert isinstance(read.error, EventError)


def test_s3_test_event_in_a_message_is_consumed_quietly() -> None:
    (read,) = read_messages(batch(message("1", TEST_EVENT)))
    assert (read.uploads, read.error) == ((), None)


@pytest.mark.parametrize("nameless", [None, "text", {}, {"messageId": 3}], ids=repr)
def test_message_without_an_id_fails_the_batch(nameless: object) -> None:
    with pytest.raises(EventError, match="messageId"):
        read_messages({"Records": [message("1", TEST_EVENT), nameless]})


@given(JSON)
def test_read_event_raises_nothing_worse_than_an_event_error_for_any_json(event: object) -> None:
    with contextlib.suppress(EventError):
        read_event(event)
    read_messages(batch(message("1", event)))
    read_messages(batch(message("1", enveloped(event))))


@given(mutations(SAMPLES, JSON))
def test_read_event_raises_nothing_worse_than_an_event_error_for_any_change_to_a_sample(
    event: object,
) -> None:
    with contextlib.suppress(EventError):
        read_event(event)


@given(st.text(CHARACTERS))
def test_read_event_raises_nothing_worse_than_an_event_error_for_any_text_in_a_message(
    body: str,
) -> None:
    (read,) = read_messages(batch(message("1", body)))
    assert read.error is None or isinstance(read.error, EventError)


@pytest.mark.parametrize("source", ["aws.s3", "somebody.else", "", None])
def test_schedule_of_somebody_elses_is_refused(source: str | None) -> None:
    assert read_event(SCHEDULED | {"source": "aws.scheduler"}) == Sweep()
    with pytest.raises(EventError, match="Scheduled Event"):
        read_event(SCHEDULED | {"source": source})


@pytest.mark.parametrize(
    "event",
    [
        {"source": "aws.config", "detail-type": "Config Rules Compliance Change", "detail": {}},
        {"s3Bucket": "logs", "s3ObjectKey": ["a.json.gz"]},
        {"version": "1.0", "invokingEvent": "{}", "resultToken": "x"},
        {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": "e30="}}]},
        {"Records": [{"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {}}]},
        {"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {}}]},
        {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe"},
        {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {}},
        {"awslogs": {"data": "H4sI"}},
    ],
    ids=repr,
)
def test_events_of_other_services_are_refused_whatever_they_come_through(event: Any) -> None:
    with pytest.raises(EventError):
        read_event(event)
    (message_read,) = read_messages(batch(message("1", event)))
    assert message_read.error is not None
