"""The function's log is shown from the command line, and what the function is."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest

from frogmove.local_aws.server import REGION
from frogmove.local_aws.stack import build_stack
from frogmove.packaging.function_zip import build_package
from tests.cli.cli_runner import COMMAND, ROOT, Ran, run
from tests.ops.conftest import keys_of_user

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from frogmove.local_aws.stack import Stack, StackConfig


NOW = datetime.now(UTC)
HOSTILE = {"level": "ERROR", "message": "failed", "key": "e\x1b[31mvil", "outcome": "failed"}
LINES = {
    "one": [
        (3, "START RequestId: 1 Version: 7"),
        (3, json.dumps({"level": "INFO", "message": "moved", "key": "a", "outcome": "moved"})),
        (3, json.dumps({"_aws": {"Timestamp": 1}, "moved": [1.0]})),
        (90, json.dumps({"level": ["ERROR"], "outcome": {}, "type": 1, "message": None})),
        (90, json.dumps({"type": "platform.report", "record": {"status": []}})),
        (90, "too old"),
    ],
    "two": [
        (4, json.dumps(HOSTILE)),
        (1, "2026-11-28T07:30:00Z 2 Task timed out after 3.00 seconds"),
    ],
}


@pytest.fixture(scope="module")
def function(server: Server) -> str:
    """The name of a function that left these lines."""
    session = boto3.Session("test", "test", region_name=REGION)
    logs = session.client("logs", endpoint_url=server.endpoint_url)
    name = f"logged-{uuid.uuid4().hex[:8]}"
    group = f"/aws/lambda/{name}"
    logs.create_log_group(logGroupName=group)
    for stream, lines in LINES.items():
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [
            {"timestamp": int((NOW - timedelta(minutes=age)).timestamp() * 1000), "message": text}
            for age, text in sorted(lines, reverse=True)
        ]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return name


def environment(server: Server) -> dict[str, str | None]:
    return {**server.client_environment(), "AWS_PROFILE": None}


def logs(server: Server, function: str, *arguments: str) -> Ran:
    command = ("lambda", "logs", "--function", function, *arguments)
    return run(*command, environment=environment(server))


def test_log_lines_of_all_streams_come_in_the_order_of_time_without_lambdas_own(
    server: Server, function: str
) -> None:
    ran = logs(server, function)
    lines = ran.out.splitlines()
    assert (ran.code, len(lines)) == (0, 3)
    assert r"failed $'e\x1b[31mvil'" in lines[0]
    assert "moved 'a'" in lines[1]
    assert "Task timed out" in lines[2]
    assert "\x1b" not in ran.out

    assert len(logs(server, function, "--verbose").out.splitlines()) == 5
    ran = logs(server, function, "--since", "2h")
    assert (ran.code, "too old" in ran.out) == (0, True)


def test_logs_show_only_failures_on_request_and_as_json(server: Server, function: str) -> None:
    ran = logs(server, function, "--failed", "-o", "json")
    first, second = ran.of("log")
    assert (first["stream"], first["line"]["key"], first["failure"]) == (
        "two",
        HOSTILE["key"],
        True,
    )
    assert "Task timed out" in second["line"]


def test_logs_without_lines_name_the_group(server: Server, quiet_stack: Stack) -> None:
    name = quiet_stack.config.name
    ran = logs(server, name, "--since", "2099-01-01")
    assert (ran.code, ran.out) == (0, "")
    assert f"/aws/lambda/{name}" in ran.err


@pytest.mark.parametrize("options", [[], ["--follow"]], ids=["once", "follow"])
def test_log_of_a_function_that_is_not_there_is_refused(server: Server, options: list[str]) -> None:
    ran = logs(server, "not-there", *options)
    assert (ran.code, ran.out) == (2, "")
    assert "There is no function 'not-there'" in ran.err


def test_logs_follow_shows_new_lines_once(server: Server, function: str) -> None:
    reported = {name: value for name, value in environment(server).items() if value is not None}
    process = subprocess.Popen(
        [*COMMAND, "lambda", "logs", "--follow", "--failed", "--function", function],
        cwd=ROOT,
        env={**os.environ, **reported},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(2)]
        session = boto3.Session("test", "test", region_name=REGION)
        client = session.client("logs", endpoint_url=server.endpoint_url)
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "[ERROR] new"}
        client.put_log_events(
            logGroupName=f"/aws/lambda/{function}", logStreamName="one", logEvents=[event]
        )
        third = process.stdout.readline()
        process.terminate()
    assert "Task timed out" in first[1]
    assert "[ERROR] new" in third
    assert process.returncode == 130


@pytest.mark.parametrize("since", ["soon", "2026-13-01"])
def test_since_that_is_no_time_is_refused(server: Server, since: str) -> None:
    ran = logs(server, "any", "--since", since)
    assert (ran.code, ran.out) == (2, "")


def test_permission_that_is_missing_is_named(
    server: Server, clients: Clients, function: str
) -> None:
    more = environment(server) | keys_of_user(clients, ["sqs:GetQueueUrl"])
    for command in (("logs",), ("info",)):
        ran = run("lambda", *command, "--function", function, environment=more)
        assert ran.code in {1, 2}
        assert "logs:FilterLogEvents" in ran.err or "lambda:GetFunctionConfiguration" in ran.err


def test_lambda_info_shows_the_function_and_its_versions(
    server: Server, clients: Clients, quiet_stack: Stack
) -> None:
    name = quiet_stack.config.name
    version = clients.functions.publish_version(FunctionName=name)["Version"]
    clients.functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    ran = run("lambda", "info", "--function", name, "-o", "json", environment=environment(server))
    (reported,) = ran.of("function")
    assert (ran.code, reported["unknown"]) == (0, [])
    assert reported["FROGMOVE_SOURCE"] == quiet_stack.source
    assert reported["queue"] == quiet_stack.queue_url
    (shown,) = ran.of("version")
    assert (shown["version"], shown["live"], shown["problem"]) == (version, True, None)

    ran = run("lambda", "info", "--function", name, environment=environment(server))
    assert "valid settings" in ran.out


def test_lambda_info_names_in_json_all_that_is_unknown(
    server: Server, clients: Clients, stack_config: StackConfig
) -> None:
    stack = build_stack(clients, build_package(), stack_config)
    variables = {"type": "evil", "arn": "evil", "state": "evil", "unknown": "evil"}
    clients.functions.update_function_configuration(
        FunctionName=stack.config.name, Environment={"Variables": variables}
    )
    allowed = ["lambda:GetFunctionConfiguration", "lambda:ListEventSourceMappings"]
    more = environment(server) | keys_of_user(clients, allowed)
    ran = run("lambda", "info", "--function", stack.config.name, "-o", "json", environment=more)
    (reported,) = ran.of("function")
    assert ran.code == 1
    assert reported["arn"].startswith("arn:aws:lambda:")
    assert reported["state"] != "evil"
    for action in ("scheduler:GetSchedule", "lambda:ListVersionsByFunction"):
        assert any(action in each for each in reported["unknown"])


def test_logs_of_a_group_whose_name_is_not_known_are_not_nothing(
    server: Server, clients: Clients
) -> None:
    more = environment(server) | keys_of_user(clients, ["logs:FilterLogEvents"])
    ran = run("lambda", "logs", "--function", "never-ran", environment=more)
    assert (ran.code, ran.out) == (2, "")
    assert "lambda:GetFunctionConfiguration is missing" in ran.err


def test_function_that_is_not_there_has_no_info(server: Server) -> None:
    for name in ("not-there", "not-there:live"):
        ran = run("lambda", "info", "--function", name, environment=environment(server))
        assert (ran.code, ran.out) == (2, "")
        assert f"There is no function '{name}' in this account and Region." in ran.err
        assert "Check --function" in ran.err


@pytest.mark.parametrize("name", ["'frogmove'", "frogmove ", "frog/move", "\x1b[31m"])
@pytest.mark.parametrize("command", ["lambda info", "lambda logs", "dlq ls"])
def test_function_name_that_none_can_have_is_refused_before_any_request(
    command: str, name: str
) -> None:
    more: dict[str, str | None] = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PROFILE": None}
    ran = run(*command.split(), "--function", name, environment=more)
    assert (ran.code, ran.out) == (2, "")
    assert "is not the name of a function" in ran.err
    assert "\x1b" not in ran.err
