import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.function.events import EventError, Upload
from frogmove.function.s3_events import Ignored, read_notification
from tests.aws_events import TEST_EVENT, bridged, notification, record
from tests.function.test_events import KEYS
from tests.strategies import JSON


def one_encoded(encoded: str) -> dict[str, Any]:
    made = record("external", "")
    made["s3"]["object"]["key"] = encoded
    return {"Records": [made]}


@pytest.mark.parametrize("key", KEYS)
def test_notification_reads_as_the_key_that_was_uploaded(key: str) -> None:
    assert read_notification(notification("external", key)) == (Upload("external", key),)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_key_comes_back_out_of_its_notification(key: str) -> None:
    assert read_notification(notification("external", key)) == (Upload("external", key),)


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a%2Fb", "a/b"),
        ("a/b", "a/b"),
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("a%2Bb", "a+b"),
        ("a%252Bb", "a%2Bb"),
        ("%F0%9F%90%B8", "🐸"),
        ("%e2%82%ac", "€"),
        ("100%", "100%"),
        ("é", "é"),
    ],
)
def test_keys_are_decoded_once(encoded: str, key: str) -> None:
    assert read_notification(one_encoded(encoded)) == (Upload("external", key),)


def test_records_are_read_in_their_order() -> None:
    uploads = read_notification(notification("external", "b", "a", "b"))
    assert [upload.key for upload in uploads] == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("ObjectCreated:Put", True),
        ("ObjectCreated:Post", True),
        ("ObjectCreated:Copy", True),
        ("ObjectCreated:CompleteMultipartUpload", True),
        ("ObjectCreated:SomethingNew", True),
        ("ObjectRemoved:Delete", False),
        ("ObjectRestore:Completed", False),
        ("ObjectTagging:Put", False),
        ("LifecycleTransition", False),
        ("LifecycleExpiration:DeleteMarkerCreated", False),
        ("ReducedRedundancyLostObject", False),
        ("Replication:OperationMissedThreshold", False),
        ("ObjectAcl:Put", False),
        ("IntelligentTiering", False),
    ],
)
def test_notification_reports_only_new_objects(name: str, reported: bool) -> None:
    ignored: list[Ignored] = []
    uploads = read_notification({"Records": [record("external", "a b", name)]}, ignored)
    assert bool(uploads) is reported
    assert ignored == ([] if reported else [Ignored(name, "a b")])


@pytest.mark.parametrize("name", ["", "ObjectDreamt:Of", "objectcreated:put", "TestEvent"])
def test_event_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(EventError, match="unknown event"):
        read_notification({"Records": [record("external", "a", name)]})


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("AWS API Call via CloudTrail", "Object Created"),
        ("AWS Service Event via CloudTrail", "unknown event"),
        ("Object Dreamt Of", "unknown event"),
        ("object created", "unknown event"),
    ],
)
def test_detail_type_that_is_not_known_is_refused(kind: str, word: str) -> None:
    with pytest.raises(EventError) as shown:
        read_notification(bridged("external", "a", kind))
    assert word in str(shown.value)


@pytest.mark.parametrize(
    "kind",
    [
        "Object ACL Updated",
        "Object Access Tier Changed",
        "Object Deleted",
        "Object Restore Completed",
        "Object Restore Expired",
        "Object Restore Initiated",
        "Object Storage Class Changed",
        "Object Tags Added",
        "Object Tags Deleted",
    ],
)
def test_eventbridge_events_that_are_no_uploads_are_ignored_and_reported(kind: str) -> None:
    ignored: list[Ignored] = []
    assert read_notification(bridged("external", "a+b", kind), ignored) == ()
    assert ignored == [Ignored(kind, "a+b")]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.9", "2"])
def test_minor_versions_and_unknown_fields_are_read(version: str) -> None:
    event = {"Records": [record("external", "a", eventVersion=version, news={"a": 1})], "more": 1}
    assert read_notification(event) == (Upload("external", "a"),)


def test_s3_test_event_and_an_empty_notification_report_nothing() -> None:
    assert read_notification(TEST_EVENT) == ()
    assert read_notification({"Records": []}) == ()


def without(*path: str) -> dict[str, Any]:
    made = record("external", "a")
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return {"Records": [made]}


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        3,
        {},
        {"Records": None},
        {"Records": {"a": 1}},
        {"Records": [None]},
        {"Records": ["text"]},
        {"Records": [[]]},
        {"Records": [{}]},
        {"Event": "s3:OtherEvent"},
        {"source": "aws.s3", "detail": {"object": {"key": "a"}}},
        {"Type": "Notification", "Message": "{}"},
        without("eventVersion"),
        without("eventName"),
        without("s3"),
        without("s3", "bucket", "name"),
        without("s3", "object", "key"),
        {"Records": [record("external", "a", eventVersion="3.0")]},
        {"Records": [record("external", "a", eventVersion="20.0")]},
        {"Records": [record("external", "a", eventSource="aws:ses")]},
        {"Records": [record("external", "a", s3={"bucket": {"name": 1}, "object": {"key": "a"}})]},
        {"Records": [record("external", "a", s3=[])]},
        {"Records": [record("external", "a"), None]},
        one_encoded("%ff%fe"),
        one_encoded("\ud800"),
    ],
    ids=lambda event: ascii(event)[:40],
)
def test_read_notification_raises_an_event_error_with_a_remedy_for_anything_else(
    event: object,
) -> None:
    with pytest.raises(EventError) as caught:
        read_notification(event)
    assert caught.value.remedy


FIELDS = st.sampled_from(["eventName", "eventSource", "eventVersion", "s3"])


@given(FIELDS, JSON)
def test_read_notification_raises_nothing_worse_than_an_event_error_for_any_field(
    field: str, value: object
) -> None:
    with contextlib.suppress(EventError):
        read_notification({"Records": [record("external", "a") | {field: value}]})


@given(st.sampled_from(["bucket", "object"]), JSON)
def test_read_notification_raises_nothing_worse_than_an_event_error_for_any_part(
    part: str, value: object
) -> None:
    made = record("external", "a")
    made["s3"][part] = value
    with contextlib.suppress(EventError):
        read_notification({"Records": [made]})


SURROGATES = st.characters(categories=["Cs"])


@given(st.text(st.characters() | SURROGATES, max_size=20))
def test_read_notification_raises_nothing_worse_than_an_event_error_for_any_encoded_key(
    encoded: str,
) -> None:
    event = json.loads(json.dumps(one_encoded(encoded)))
    with contextlib.suppress(EventError):
        (upload,) = read_notification(event)
        upload.key.encode()
