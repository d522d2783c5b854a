"""Messages of a queue, whatever they hold, are read as the function reads them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frogmove.ops.queue_message import read_message
from tests.aws_events import SAMPLES, TEST_EVENT, bridged, enveloped, notification
from tests.strategies import CHARACTERS, JSON, mutations

NUMBERS = st.from_regex(r"\A[0-9]{10,20}[a-z]?\Z")


def reported(body: str, **more: Any) -> dict[str, Any]:
    system = {"SentTimestamp": "1545082649183", "ApproximateReceiveCount": "3"}
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": body, "Attributes": system, **more}


@pytest.mark.parametrize(
    "body",
    [
        notification("external", "a b+é", "a b+é"),
        enveloped(notification("external", "a b+é")),
        bridged("external", "a b+é"),
    ],
)
def test_uploads_of_a_message_are_those_of_the_function(body: object) -> None:
    message = read_message(reported(json.dumps(body)))
    assert message.uploads == (("external", "a b+é"),)
    assert message.sent == datetime(2018, 12, 17, 21, 37, 29, 183000, tzinfo=UTC)
    assert (message.receives, message.problem) == (3, "")


@pytest.mark.parametrize(
    ("body", "problem"),
    [("", "is not JSON"), ("[" * 100_000, "is not JSON"), ("{}", "no Records")],
    ids=["empty", "deep", "no Records"],
)
def test_message_that_the_function_cannot_read_says_so(body: str, problem: str) -> None:
    message = read_message(reported(body))
    assert (problem in message.problem, message.uploads) == (True, ())


def test_message_without_an_upload_is_no_problem() -> None:
    message = read_message(reported(json.dumps(TEST_EVENT)))
    assert (message.problem, message.uploads) == ("", ())


def test_attributes_of_a_message_can_be_sent_again() -> None:
    text = {"DataType": "String", "StringValue": "v", "StringListValues": []}
    raw = {"DataType": "Binary", "BinaryValue": b"\x00", "BinaryListValues": []}
    message = read_message(reported("x", MessageAttributes={"text": text, "raw": raw}))
    assert message.attributes == {
        "text": {"DataType": "String", "StringValue": "v"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    assert message.size > len("x")


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(CHARACTERS), JSON.map(json.dumps), mutations(SAMPLES, JSON).map(json.dumps))
)
def test_message_of_any_text_is_read_or_has_a_problem(body: str) -> None:
    message = read_message(reported(body))
    assert not (message.problem and message.uploads)
    assert message.body == body


@given(JSON | NUMBERS, JSON | NUMBERS)
def test_message_of_any_attributes_is_read(sent: object, count: object) -> None:
    more = {"Attributes": {"SentTimestamp": sent, "ApproximateReceiveCount": count}}
    message = read_message(reported("x", **more))
    assert message.receives >= 0
