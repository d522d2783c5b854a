"""A response that is not AWS's is none: it must not look as if there was nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.config import Config
from frogmove.ops.aws_request import AwsRequestError, Cause, send, send_pages
from frogmove.ops.check import State
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment
from frogmove.ops.function_checks import check_state
from frogmove.ops.queue import Queue
from tests.canned_server import canned_server

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = "\n<!DOCTYPE html><html><body>Please sign in to the network.</body></html>"

REQUESTS: dict[str, Callable[[Any], object]] = {
    "logs": lambda client: client.filter_log_events(logGroupName="f"),
    "sqs": lambda client: client.receive_message(QueueUrl="http://localhost/0/q"),
    "lambda": lambda client: client.get_function_concurrency(FunctionName="f"),
    "sts": lambda client: client.get_caller_identity(),
    "s3": lambda client: client.get_bucket_versioning(Bucket="b"),
    "location": lambda client: client.get_bucket_location(Bucket="b"),
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("frogmove.ops.clients._ATTEMPTS", 1)


def client_of(service: str, url: str) -> Any:
    if service in {"s3", "location"}:
        return Services().s3(Config(endpoint_url=url, region="us-east-1"))
    return Services(region="us-east-1", endpoint_url=url).client(service)


@pytest.mark.parametrize("service", REQUESTS)
def test_response_that_is_not_of_aws_is_a_failure(service: str) -> None:
    bodies = [HTML, "", "[]", "null", '{"events": [']
    with canned_server(*((200, body) for body in bodies)) as server:
        client = client_of(service, server.endpoint_url)
        for body in bodies:
            with pytest.raises(AwsRequestError) as raised:
                send("some:Action", lambda: REQUESTS[service](client))
            assert raised.value.cause is Cause.FAILED
            assert "Please sign in" not in str(raised.value), body


def test_response_with_nothing_to_tell_is_taken() -> None:
    with canned_server((200, "{}")) as server:
        client = client_of("sqs", server.endpoint_url)
        found: Any = send("sqs:ReceiveMessage", lambda: REQUESTS["sqs"](client))
        assert found.get("Messages") is None
        functions = client_of("lambda", server.endpoint_url)
        assert (
            send_pages("l:L", functions, "list_versions_by_function", "V", FunctionName="f") == []
        )


def test_field_that_a_response_lacks_is_named() -> None:
    with canned_server((200, json.dumps({"Attributes": {"QueueArn": "arn:q"}}))) as server:
        services = Services(region="us-east-1", endpoint_url=server.endpoint_url)
        found = check_state(Deployment("f", services))
        assert (found.state, "has no Version" in found.message) == (State.UNKNOWN, True)
        sqs = services.client("sqs")
        with pytest.raises(AwsRequestError, match="has no QueueUrl"):
            Queue.of_name(sqs, "q")
