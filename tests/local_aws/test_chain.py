"""The whole chain under faults: every upload moved, none lost, and the poison alone set aside."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.packaging.function_zip import build_package
from tests.aws_events import notification, record
from tests.fault_proxy import (
    DROP_AFTER,
    DROP_BEFORE,
    ERROR_IN_200,
    ERROR_IN_200_AFTER,
    FAIL,
    FAIL_AFTER,
    PASS,
    TRUNCATE,
    proxied,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from tests.fault_proxy import Fault, FaultProxy, Request

UPLOADS = 500
# Of each hundred, how many are reported once more.
DUPLICATES = 12
# How many are there before anything reports them.
MISSED = 30
SWEEPS = 5
SECONDS_TO_WAIT = 90.0
FAULTS = (
    *(DROP_BEFORE, DROP_AFTER, TRUNCATE, FAIL, FAIL_AFTER),
    *(ERROR_IN_200, ERROR_IN_200_AFTER),
)
SHARE_OF_FAULTS = 0.03


@pytest.fixture
def faulty(server: Server) -> Iterator[FaultProxy]:
    """The way from the function to S3, on which requests come to grief."""
    chance = random.Random(20260701)

    def fault(request: Request) -> Fault:
        # A probe that fails is asked again with the next message; that is tested elsewhere.
        if request.is_probe or chance.random() >= SHARE_OF_FAULTS:
            return PASS
        return chance.choice(FAULTS)

    with proxied(server, fault) as proxy:  # type: ignore[arg-type]
        yield proxy


@pytest.fixture
def stack(clients: Clients, stack_config: StackConfig, faulty: FaultProxy) -> Stack:
    stack_config = replace(stack_config, visibility_seconds=6, tries=3)
    stack = build_stack(clients, build_package(), stack_config)
    functions = clients.functions
    variables = functions.get_function_configuration(FunctionName=stack_config.name)["Environment"]
    variables["Variables"]["FROGMOVE_ENDPOINT_URL"] = faulty.endpoint_url
    functions.update_function_configuration(
        FunctionName=stack_config.name, Environment={"Variables": variables["Variables"]}
    )
    return stack


def _files() -> dict[str, bytes]:
    """Return files of mixed sizes under mixed keys."""
    chance = random.Random(7)
    names = ("a b+c%20", "été", "🐸", "//", "plain", "x" * 200)
    sizes = (0, 1, 100, 10_000, 300_000)
    return {
        f"{number % 7}/{names[number % len(names)]}-{number}": chance.randbytes(
            sizes[number % len(sizes)]
        )
        for number in range(UPLOADS)
    }


def _poison() -> list[str]:
    return [
        "not JSON",
        json.dumps({"Records": [{"s3": None}]}),
        json.dumps(notification("another-bucket", "key")),
        json.dumps({"Records": [record("another-bucket", "key", eventVersion="9.0")]}),
        json.dumps({"Records": "none"}),
    ]


def _send(clients: Clients, stack: Stack, bodies: Iterable[str]) -> None:
    messages = list(bodies)
    for start in range(0, len(messages), 10):
        entries: Any = [
            {"Id": str(number), "MessageBody": body}
            for number, body in enumerate(messages[start : start + 10])
        ]
        clients.sqs.send_message_batch(QueueUrl=stack.queue_url, Entries=entries)


def _keys(clients: Clients, bucket: str) -> list[str]:
    pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def _contents(clients: Clients, bucket: str) -> dict[str, bytes]:
    return {
        key: clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in _keys(clients, bucket)
    }


def _waiting(clients: Clients, url: str) -> int:
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(count) for count in answer["Attributes"].values())


def _wait_until(true: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not true():
        assert time.monotonic() < deadline, server.log_tail()
        time.sleep(0.1)


def _taken_from(clients: Clients, url: str) -> list[str]:
    taken = []
    while messages := clients.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60
    ).get("Messages"):
        taken += [message["Body"] for message in messages]
    return taken


def _invoke(clients: Clients, stack: Stack, event: object) -> Any:
    answer = clients.functions.invoke(
        FunctionName=stack.config.name, Payload=json.dumps(event).encode()
    )
    return json.loads(answer["Payload"].read())


@pytest.mark.matrix
def test_uploads_amid_faults_duplicates_and_poison_are_all_moved(
    server: Server, clients: Clients, stack: Stack, faulty: FaultProxy
) -> None:
    source, destination = stack.config.source_bucket, stack.config.destination_bucket
    files, poison = _files(), _poison()
    chance = random.Random(3)
    missed = list(files)[:MISSED]
    for number, (key, body) in enumerate(files.items()):
        if number == MISSED:
            connect(clients, stack)
            _send(clients, stack, poison)
        clients.s3.put_object(Bucket=source, Key=key, Body=body)
        if number % 100 == 50:
            again = chance.sample(list(files)[MISSED : number + 1], DUPLICATES)
            _send(clients, stack, (json.dumps(notification(source, each)) for each in again))

    _wait_until(lambda: sorted(_keys(clients, source)) == sorted(missed), server)
    # The schedule comes round until nothing is left: a sweep has faults of its own.
    for _ in range(SWEEPS):
        _invoke(clients, stack, {"action": "sweep", "age": 0})
        if not _keys(clients, source):
            break
    assert _keys(clients, source) == []
    _wait_until(lambda: _waiting(clients, stack.queue_url) == 0, server)

    assert _contents(clients, destination) == files
    assert sorted(_taken_from(clients, stack.dead_letter_url)) == sorted(poison)
    faults = [request for request in faulty.requests if request.fault is not PASS]
    assert len(faults) > UPLOADS * SHARE_OF_FAULTS
