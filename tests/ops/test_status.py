"""One screen says how a route is, and what to do; the exit code says whether somebody must."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.client import Client
from frogmove.config import Config
from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.ops.check import State
from frogmove.ops.deployment import Deployment
from frogmove.ops.status import Status
from frogmove.packaging.function_zip import build_package
from tests.canned_server import nobody_listening
from tests.cli.cli_runner import Ran, run
from tests.ops.conftest import keys_of_user

if TYPE_CHECKING:
    from pathlib import Path

    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server
    from frogmove.ops.clients import Services
    from tests.servers import Server as MotoServer


HOSTILE = "e\x1b[31mvil/\u202egnp.exe"


@pytest.fixture
def stack(clients: Clients, stack_config: StackConfig) -> Stack:
    made = build_stack(clients, build_package(), stack_config)
    connect(clients, made)
    return made


def environment(server: Server, stack: Stack) -> dict[str, str | None]:
    return {
        **server.client_environment(),
        "AWS_PROFILE": None,
        "FROGMOVE_ENDPOINT_URL": server.endpoint_url,
        "FROGMOVE_SOURCE": stack.source,
        "FROGMOVE_DESTINATION": stack.destination,
        "FROGMOVE_FUNCTION": stack.config.name,
    }


def status(server: Server, stack: Stack, *arguments: str, **more: str | None) -> Ran:
    return run("status", *arguments, environment=environment(server, stack) | more)


def lines(ran: Ran) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in ran.of("check")}


def states(ran: Ran) -> dict[str, str]:
    return {name: record["state"] for name, record in lines(ran).items()}


def test_status_of_a_route_that_works_is_well_and_counts_what_it_moved(
    server: Server, clients: Clients, stack_config: StackConfig
) -> None:
    stack = build_stack(clients, build_package(), stack_config)
    for key in ("a/1", "a/2"):
        clients.s3.put_object(Bucket=stack.config.source_bucket, Key=key, Body=b"frogs")
    clients.functions.invoke(
        FunctionName=stack.config.name,
        Payload=json.dumps({"action": "sweep", "age": 0}).encode(),
    )
    connect(clients, stack)
    ran = status(server, stack, "-o", "json")
    reported = lines(ran)
    assert (ran.code, ran.err) == (0, "")
    assert set(states(ran).values()) == {"ok", "not offered"}
    assert states(ran)["alarms"] == "not offered"
    assert reported["moves"]["hour"] == {"moved": 2, "bytes": 10, "sweeps": 1}
    assert reported["moves"]["origin"] == "log"
    assert reported["sweep"]["last"] is not None
    assert "does not offer cloudwatch:GetMetricData" in reported["queue"]["message"]
    assert (reported["source"]["objects"], reported["dead letters"]["messages"]) == (0, 0)
    assert ran.records[-1]["type"] == "summary"


def test_status_shows_what_waits_escaped_and_a_pause_needs_somebody(
    server: Server, stack: Stack, clients: Clients
) -> None:
    variables = environment(server, stack)
    assert run("lambda", "pause", environment=variables).code == 0
    for key in (HOSTILE, "top", "b/1", "b/2"):
        clients.s3.put_object(Bucket=stack.config.source_bucket, Key=key, Body=b"frogs")

    ran = status(server, stack, "-o", "json")
    reported = lines(ran)
    assert ran.code == 1
    assert states(ran)["uploads"] == states(ran)["sweep"] == "warning"
    assert f"frogmove lambda resume --function {stack.config.name}" in reported["uploads"]["remedy"]
    assert (reported["source"]["objects"], reported["source"]["bytes"]) == (4, 20)
    assert reported["source"]["folders"]["b/"] == 2
    assert reported["source"]["oldest_key"] == HOSTILE
    assert reported["queue"]["visible"] + reported["queue"]["in_flight"] >= 4

    ran = status(server, stack)
    assert ran.code == 1
    assert "4 objects wait, 20 bytes" in ran.out
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert r"$'e\x1b[31mvil/\u202egnp.exe'" in ran.out


def test_status_names_a_wrong_variable_and_dead_letters_as_the_cause(
    server: Server, stack: Stack, clients: Clients
) -> None:
    found = clients.functions.get_function_configuration(FunctionName=stack.config.name)
    variables = found["Environment"]["Variables"] | {"FROGMOVE_ON_CONFLICT": "sometimes"}
    clients.functions.update_function_configuration(
        FunctionName=stack.config.name, Environment={"Variables": variables}
    )
    clients.sqs.send_message(QueueUrl=stack.dead_letter_url, MessageBody="poison")
    ran = status(server, stack, "-o", "json")
    reported = lines(ran)
    assert ran.code == 1
    assert reported["settings"]["state"] == reported["dead letters"]["state"] == "broken"
    assert (
        "FROGMOVE_ON_CONFLICT: 'sometimes' is not a conflict policy"
        in reported["settings"]["message"]
    )
    assert "aws lambda update-alias" in reported["settings"]["remedy"]
    assert reported["dead letters"]["messages"] == 1
    assert "frogmove dlq" in reported["dead letters"]["remedy"]


def test_function_of_another_route_is_not_this_one(server: Server, quiet_stack: Stack) -> None:
    other = quiet_stack.config.destination_bucket
    ran = status(server, quiet_stack, "--destination", f"s3://{other}/elsewhere", "-o", "json")
    assert (ran.code, states(ran)["settings"]) == (1, "broken")
    assert "but the route is" in lines(ran)["settings"]["message"]


def test_scan_that_only_one_side_requires_is_reported(server: Server, quiet_stack: Stack) -> None:
    ran = status(server, quiet_stack, "-o", "json", FROGMOVE_REQUIRE_TAG="scan=clean")
    assert (ran.code, states(ran)["scan gate"]) == (1, "warning")


def test_status_names_each_missing_permission_beside_what_could_be_read(
    server: Server, quiet_stack: Stack, clients: Clients
) -> None:
    allowed = ["lambda:GetFunctionConfiguration", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
    keys = keys_of_user(clients, allowed)
    ran = status(server, quiet_stack, "-o", "json", **keys)
    reported = lines(ran)
    assert ran.code == 1
    assert states(ran)["function"] == states(ran)["settings"] == "ok"
    assert (
        reported["uploads"]["state"]
        == reported["sweep"]["state"]
        == reported["source"]["state"]
        == "unknown"
    )
    assert "lambda:ListEventSourceMappings" in reported["uploads"]["message"]
    assert "logs:FilterLogEvents" in reported["errors"]["message"]
    assert "scheduler:GetSchedule" in reported["sweep"]["message"]
    assert "s3:ListBucket" in reported["source"]["message"] + reported["source"]["remedy"]


def test_function_that_is_not_there_is_one_fault(server: Server, quiet_stack: Stack) -> None:
    ran = status(server, quiet_stack, "--function", "not-there", "-o", "json")
    assert (ran.code, states(ran)) == (1, {"function": "broken", "source": "ok"})
    assert lines(ran)["function"]["message"] == (
        "There is no function 'not-there' in this account and Region."
    )


def test_source_that_is_not_there_is_broken(server: Server, quiet_stack: Stack) -> None:
    ran = status(server, quiet_stack, "--source", "s3://nowhere-at-all", "-o", "json")
    assert (ran.code, states(ran)["source"]) == (1, "broken")


@pytest.mark.parametrize("command", ["status", "doctor", "dlq ls", "lambda logs", "batch status"])
def test_credentials_that_are_missing_are_one_fault(
    server: Server, quiet_stack: Stack, tmp_path: Path, command: str
) -> None:
    none: dict[str, str | None] = {
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }
    ran = run(*command.split(), environment=environment(server, quiet_stack) | none)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) <= 3
    assert "Unable to locate credentials" in ran.err
    assert "--profile" in ran.err


def test_status_ends_if_nobody_answers(server: Server, quiet_stack: Stack) -> None:
    with nobody_listening() as url:
        ran = status(server, quiet_stack, "-o", "json", AWS_ENDPOINT_URL=url)
    assert ran.code == 2
    assert "AWS does not respond" in ran.err


def test_status_without_a_route_is_refused(server: Server, quiet_stack: Stack) -> None:
    ran = status(server, quiet_stack, FROGMOVE_SOURCE=None)
    assert (ran.code, ran.out) == (2, "")


def test_status_warns_of_what_waits_for_hours_and_of_no_sweep_for_hours(
    server: Server, services: Services, quiet_stack: Stack, clients: Clients
) -> None:
    bucket = f"old-{quiet_stack.config.source_bucket}"
    clients.s3.create_bucket(Bucket=bucket)
    clients.s3.put_object(Bucket=bucket, Key="in/it's old", Body=b"frogs")
    source = f"s3://{bucket}/in"
    config = Config(source, quiet_stack.destination, endpoint_url=server.endpoint_url)
    later = datetime.now(UTC) + timedelta(hours=3)
    deployment = Deployment(quiet_stack.config.name, services)
    with Client(config) as client:
        checks = Status(config, deployment, client.s3, now=later).checks()
        reported = {check.name: check for check in checks}
    assert reported["source"].state is reported["sweep"].state is State.WARNING
    assert reported["source"].remedy == """frogmove trace 'it'"'"'s old'"""


def test_status_warns_of_alarms_that_are_muted(
    server: Server, quiet_stack: Stack, moto: MotoServer
) -> None:
    session: Any = moto.session()
    cloudwatch = session.client("cloudwatch", endpoint_url=moto.endpoint_url)
    name = quiet_stack.config.name
    alarm: dict[str, Any] = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "MetricName": "m",
        "Namespace": "n",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 0,
        "ActionsEnabled": False,
    }
    topic = ["arn:aws:sns:us-east-1:1:alarms"]
    cloudwatch.put_metric_alarm(AlarmName=f"{name}-conflict", AlarmActions=topic, **alarm)
    cloudwatch.put_metric_alarm(AlarmName=f"{name}-failed", **alarm)
    alarms = (f"{name}-conflict", f"{name}-failed")
    try:
        url = {"AWS_ENDPOINT_URL_CLOUDWATCH": moto.endpoint_url}
        found = lines(status(server, quiet_stack, "-o", "json", **url))["alarms"]
    finally:
        cloudwatch.delete_alarms(AlarmNames=alarms)
    assert (found["state"], found["muted"]) == ("warning", ["conflict"])
    assert found["remedy"].endswith(f"enable-alarm-actions --alarm-names {name}-conflict")


def test_status_uses_what_cloudwatch_tells_where_it_is_there(
    server: Server, quiet_stack: Stack, moto: MotoServer
) -> None:
    session: Any = moto.session()
    cloudwatch = session.client("cloudwatch", endpoint_url=moto.endpoint_url)
    name, now = quiet_stack.config.name, datetime.now(UTC)
    for alarm, state in (("dead-letters", "ALARM"), ("errors", "OK"), ("else-errors", "ALARM")):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{name}-{alarm}",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="m",
            Namespace="n",
            Period=60,
            Statistic="Sum",
            Threshold=0,
        )
        cloudwatch.set_alarm_state(
            AlarmName=f"{name}-{alarm}", StateValue=state, StateReason="test"
        )
    route = f"{quiet_stack.source} -> {quiet_stack.destination}"
    for namespace, metric, dimensions, value in (
        ("frogmove", "moved", {"service": "frogmove", "route": route}, 7),
        ("frogmove", "threats", {"service": "frogmove", "route": route}, 1),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": name}, 7200),
    ):
        data = {
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            "Timestamp": now - timedelta(minutes=4),
            "Value": value,
        }
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])

    url = {"AWS_ENDPOINT_URL_CLOUDWATCH": moto.endpoint_url}
    reported = lines(status(server, quiet_stack, "-o", "json", **url))
    assert reported["alarms"]["ringing"] == ["dead-letters"]
    assert reported["alarms"]["alarms"] == 2
    assert reported["moves"]["hour"] == {"moved": 7, "threats": 1}
    assert (reported["moves"]["origin"], reported["moves"]["state"]) == ("metrics", "warning")
    assert reported["queue"]["oldest_seconds"] == 7200
