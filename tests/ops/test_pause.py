"""Operators pause and resume the function; no undo takes place while it is enabled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment
from frogmove.packaging.function_zip import build_package
from tests.canned_server import nobody_listening
from tests.cli.cli_runner import Ran, run

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from tests.local_aws.conftest import Eventually


@pytest.fixture
def stack(clients: Clients, stack_config: StackConfig) -> Stack:
    made = build_stack(clients, build_package(), stack_config)
    connect(clients, made)
    return made


def command(server: Server, *arguments: str, **more: str) -> Ran:
    environment = {**server.client_environment(), "AWS_PROFILE": None, **more}
    return run(*arguments, environment=environment)


def states(ran: Ran) -> dict[str, bool]:
    return {record["kind"]: record["on"] for record in ran.of("trigger")}


def keys(clients: Clients, bucket: str) -> list[str]:
    listed = clients.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return [each["Key"] for each in listed if ".frogmove-probe-" not in each["Key"]]


def schedule(clients: Clients, stack: Stack) -> dict[str, Any]:
    there = clients.scheduler.get_schedule(Name=f"{stack.config.name}-sweep")
    changing = {"State", "LastModificationDate", "ResponseMetadata"}
    return {name: value for name, value in there.items() if name not in changing}


def test_pause_lets_uploads_wait_and_resume_moves_them(
    server: Server, stack: Stack, clients: Clients, eventually: Eventually
) -> None:
    source, destination = stack.config.source_bucket, stack.config.destination_bucket
    function = ("--function", stack.config.name, "-o", "json")
    before = schedule(clients, stack)
    assert states(command(server, "lambda", "pause", "--dry-run", *function)) == {
        "event source mapping": True,
        "schedule": True,
    }
    ran = command(server, "lambda", "pause", *function)
    off = {"event source mapping": False, "schedule": False}
    assert (ran.code, states(ran)) == (0, off)
    assert "is paused" in ran.err
    # A second time changes nothing, and the schedule is but for its state as it was.
    assert states(command(server, "lambda", "pause", *function)) == off
    assert schedule(clients, stack) == before

    clients.s3.put_object(Bucket=source, Key="waits", Body=b"frogs")
    assert keys(clients, destination) == []
    ran = command(server, "lambda", "resume", *function)
    on = {"event source mapping": True, "schedule": True}
    assert (ran.code, states(ran)) == (0, on)
    eventually(lambda: not keys(clients, source))
    assert keys(clients, destination) == ["waits"]
    assert schedule(clients, stack) == before


def test_undo_is_refused_under_a_live_function_and_says_what_resuming_does(
    server: Server, stack: Stack, clients: Clients, eventually: Eventually
) -> None:
    source, destination = stack.config.source_bucket, stack.config.destination_bucket
    route = {
        "FROGMOVE_SOURCE": stack.source,
        "FROGMOVE_DESTINATION": stack.destination,
        "FROGMOVE_FUNCTION": stack.config.name,
    }
    command(server, "lambda", "pause", **route)
    clients.s3.put_object(Bucket=source, Key="key", Body=b"frogs")
    assert command(server, "move", "key", **route).code == 0
    (moved,) = command(server, "runs", "-o", "json").of("run")
    command(server, "lambda", "resume", **route)

    # The journal remembers the function.
    ran = command(server, "undo", moved["id"])
    assert (ran.code, ran.out) == (2, "")
    assert "is enabled (the event source mapping" in ran.err.replace("\n", " ")
    assert f"frogmove lambda pause --function {stack.config.name}" in ran.err.replace("\n", " ")
    assert keys(clients, destination) == ["key"]
    assert command(server, "undo", moved["id"], "--dry-run").code == 0

    command(server, "lambda", "pause", **route)
    ran = command(server, "undo", moved["id"])
    assert (ran.code, keys(clients, source), keys(clients, destination)) == (0, ["key"], [])
    assert "When it is resumed, it moves the objects again" in ran.err

    # As it said.
    command(server, "lambda", "resume", **route)
    eventually(lambda: keys(clients, destination) == ["key"])


def test_function_of_another_source_is_in_nobodys_way(
    server: Server, stack: Stack, clients: Clients
) -> None:
    other = f"other-{stack.config.source_bucket}"
    clients.s3.create_bucket(Bucket=other)
    clients.s3.put_object(Bucket=other, Key="key", Body=b"frogs")
    route = {
        "FROGMOVE_SOURCE": f"s3://{other}",
        "FROGMOVE_DESTINATION": stack.destination,
        "FROGMOVE_FUNCTION": stack.config.name,
    }
    assert command(server, "move", "key", **route).code == 0
    (moved,) = command(server, "runs", "-o", "json").of("run")
    assert command(server, "undo", moved["id"]).code == 0
    assert keys(clients, other) == ["key"]


def test_pause_and_resume_refuse_a_function_that_is_not_there(server: Server) -> None:
    for verb in ("pause", "resume"):
        ran = command(server, "lambda", verb, "--function", "not-there")
        assert (ran.code, ran.out) == (2, "")
        assert "no schedule 'not-there-sweep'" in ran.err.replace("\n", " ")


def test_connection_that_is_refused_is_reported(server: Server) -> None:
    with nobody_listening() as url:
        ran = command(server, "lambda", "pause", "--function", "any", "--endpoint-url", url)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be read" in ran.err
    assert "undo" not in ran.err
    assert "AWS_ENDPOINT_URL" in ran.err


def test_schedule_that_was_named_must_exist(server: Server, quiet_stack: Stack) -> None:
    name = quiet_stack.config.name
    ran = command(server, "lambda", "pause", "--function", name, "--schedule", "not-there")
    assert (ran.code, ran.out) == (2, "")
    assert "There is no schedule 'not-there'" in " ".join(ran.err.split())
    assert "Check --schedule" in ran.err


def test_pause_switches_what_it_can_and_says_what_it_could_not(
    server: Server, stack: Stack, clients: Clients
) -> None:
    """Without permission to change the schedule, the mapping is paused, and this is said."""
    name = f"{stack.config.name}-operator"
    clients.iam.create_user(UserName=name)
    actions = [
        "lambda:ListEventSourceMappings",
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
        "scheduler:GetSchedule",
    ]
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    clients.iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=policy)
    key = clients.iam.create_access_key(UserName=name)["AccessKey"]
    who = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    ran = command(server, "lambda", "pause", "--function", stack.config.name, "-o", "json", **who)
    assert (ran.code, states(ran)) == (1, {"event source mapping": False})
    assert "Not all triggers were paused: the schedule" in ran.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("function", "schedule"),
    [
        ("frogmove", "frogmove-sweep"),
        ("frogmove:live", "frogmove-sweep"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:reports", "reports-sweep"),
        ("arn:aws:lambda:eu-central-1:123456789012:function:reports:live", "reports-sweep"),
    ],
)
def test_schedule_is_named_after_the_function(function: str, schedule: str) -> None:
    assert Deployment(function, Services()).schedule_name == schedule
