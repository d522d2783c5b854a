"""The planned deployment at work: from an upload to the other bucket, and the smoke test on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from frogmove.packaging.function_zip import build_package
from tests.cli.cli_runner import Ran, run
from tests.terraform.deployment import Deployment, Running, build, connect
from tests.terraform.module import MODULE, Plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers import Server


@pytest.fixture
def running(ministack: Server, plan: Plan) -> Running:
    """Sweeps take every object here, as none of them is old."""
    return build(Deployment.make(ministack, plan), build_package(), FROGMOVE_SWEEP_AGE="0")


def eventually(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_upload_is_moved(running: Running) -> None:
    connect(running)
    buckets = running.deployment.buckets
    files = {"a.txt": b"a.txt", "reports/été 2026.csv": "reports/été 2026.csv".encode()}
    buckets.put(*files)
    eventually(lambda: not buckets._list(buckets.source))
    # What a server other than AWS is asked with comes and goes.
    eventually(lambda: len(buckets._list(buckets.destination)) == len(files))
    assert buckets.there() == files


def test_bucket_that_holds_something_is_not_deleted(running: Running) -> None:
    """Which is what keeps objects when the deployment is destroyed, as it does not empty it."""
    deployment = running.deployment
    deployment.buckets.put_there("old")
    deployment.buckets.client.delete_object(Bucket=deployment.buckets.destination, Key="old")
    assert not deployment.plan.resources["aws_s3_bucket.destination[0]"]["force_destroy"]
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        deployment.buckets.client.delete_bucket(Bucket=deployment.buckets.destination)


def test_message_of_another_bucket_is_not_taken(running: Running) -> None:
    """The queue's policy names the source bucket: S3 does not get to send for another."""
    deployment = running.deployment
    other = deployment.buckets.make(deployment.server)
    with pytest.raises(ClientError, match="Unable to validate"):
        other.client.put_bucket_notification_configuration(
            Bucket=other.source,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {"QueueArn": running.output("queue_arn"), "Events": ["s3:ObjectCreated:*"]}
                ]
            },
        )


def test_sweep_moves_what_no_notification_has(running: Running) -> None:
    """Started as Scheduler would: by its role, through the alias, with the planned input."""
    deployment = running.deployment
    deployment.buckets.put("missed")
    (target,) = deployment.plan.resources["aws_scheduler_schedule.sweep[0]"]["target"]
    answer = (
        deployment.role("scheduler")
        .client("lambda")
        .invoke(FunctionName=running.output("function_arn"), Payload=target["input"])
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert (deployment.buckets.here(), set(deployment.buckets.there())) == ({}, {"missed"})


def test_operators_pause_it_undo_and_resume_it(running: Running, tmp_path: Path) -> None:
    """With their own rights; ministack knows no condition on a mapping's function."""
    connect(running)
    deployment, buckets = running.deployment, running.deployment.buckets
    name = deployment.plan.resources["aws_scheduler_schedule.sweep[0]"]["name"]
    create_schedule(running)
    operator = deployment.person("operators", lacking="lambda:FunctionArn")
    file = tmp_path / "config.toml"
    file.write_text(deployment.plan.outputs["config_toml"], "utf-8")
    environment = {
        **operator.environment(),
        "AWS_ENDPOINT_URL": deployment.server.endpoint_url,
        "FROGMOVE_CONFIG": str(file),
    }
    function = ("--function", f"{deployment.name}:live", "-o", "json")

    def frogmove(*arguments: str) -> Ran:
        return run(*arguments, environment={**environment})

    ran = frogmove("lambda", "pause", *function)
    assert ran.code == 0, ran.err
    assert {each["name"]: each["on"] for each in ran.of("trigger")}[name] is False
    buckets.put("key")
    assert frogmove("move", "key").code == 0
    (moved,) = frogmove("runs", "-o", "json").of("run")
    assert frogmove("undo", moved["id"]).code == 0
    assert frogmove("lambda", "resume", *function).code == 0
    assert frogmove("undo", moved["id"]).code == 2
    eventually(lambda: not buckets._list(buckets.source))
    assert buckets.there() == {"key": b"key"}


def create_schedule(running: Running) -> None:
    """Create the planned schedule."""
    deployment = running.deployment
    planned = deployment.plan.resources["aws_scheduler_schedule.sweep[0]"]
    role = deployment.create_role("scheduler")
    arn = deployment.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    (target,) = planned["target"]
    deployment.client("scheduler").create_schedule(
        Name=planned["name"],
        ScheduleExpression=planned["schedule_expression"],
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": running.output("function_arn"),
            "RoleArn": arn,
            "Input": target["input"],
        },
    )


def smoke_test(
    running: Running, outputs: object, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the script as an operator."""
    operator = running.deployment.person("operators")
    server = {"AWS_ENDPOINT_URL": running.deployment.server.endpoint_url}
    return script(json.dumps(outputs), *arguments, **operator.environment(), **server)


def script(outputs: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(MODULE / "smoke_test.py"), *arguments],
        env={**os.environ, **environment},
        input=outputs,
        capture_output=True,
        text=True,
        check=False,
    )


def test_smoke_test_passes_and_leaves_nothing(running: Running) -> None:
    connect(running)
    # As in the examples: one output that holds all.
    values = {name: output["value"] for name, output in running.outputs.items()}
    done = smoke_test(running, {"frogmove": {"value": values}})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.endswith("It works.\n")
    assert running.deployment.buckets.state() == []


def test_smoke_test_uploads_what_the_function_moves(ministack: Server, plan: Plan) -> None:
    filters = {"PREFIXES": "in/csv/,in/tsv/", "SUFFIXES": ".csv"}
    environment: Any = {f"FROGMOVE_KEY_{name}": value for name, value in filters.items()}
    made = build(Deployment.make(ministack, plan), build_package(), **environment)
    connect(made)
    done = smoke_test(made, made.outputs)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "/in/csv/frogmove-smoke-test/" in done.stdout


def test_smoke_test_says_when_nothing_moves(running: Running) -> None:
    """Nothing is connected: the upload stays, is reported and removed."""
    done = smoke_test(running, running.outputs, "--timeout", "1")
    assert done.returncode == 1
    assert "still at the source" in done.stderr
    assert "exclude ['frogmove-batch/**']" in done.stderr
    assert running.deployment.buckets.state() == []


def test_smoke_test_says_when_the_function_fails(running: Running) -> None:
    name = running.deployment.plan.resources["aws_lambda_function.move"]["function_name"]
    functions = running.deployment.client("lambda")
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    done = smoke_test(running, running.outputs)
    assert done.returncode == 1
    assert "cannot start or fails" in done.stderr


@pytest.mark.parametrize("outputs", ["", "[]", '{"region": {"value": "x"}}', "null"])
def test_smoke_test_refuses_what_are_no_outputs(outputs: str) -> None:
    done = script(outputs)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_smoke_test_needs_somebody(plan: Plan) -> None:
    outputs = {name: {"value": value or "unknown"} for name, value in plan.outputs.items()}
    unknown = ("queue_url", "dead_letter_url", "sweep_dead_letter_url", "function_arn")
    outputs |= {name: {"value": "unknown"} for name in unknown}
    done = script(json.dumps(outputs), AWS_EC2_METADATA_DISABLED="true")
    assert (done.returncode, done.stdout) == (2, "")
    assert "credentials" in done.stderr
