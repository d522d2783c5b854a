"""Commands for the deployed route, with the operators' policy and nothing else.

The stand-in of S3 Batch Operations acts with the role of the jobs; who may create one is decided by
S3 alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from frogmove.local_aws.batch_operations import batch_operations, invoke_by
from frogmove.packaging.function_zip import build_package
from tests.aws_events import notification
from tests.cli.cli_runner import Ran, run
from tests.terraform.deployment import Deployment, Running, build
from tests.terraform.test_chain import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers import Server
    from tests.terraform.module import Plan


@pytest.fixture(scope="module")
def running(ministack: Server, plan: Plan) -> Running:
    return build(Deployment.make(ministack, plan), build_package())


@pytest.fixture(scope="module")
def frogmove(
    running: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Ran]]:
    """Run commands as an operator; jobs have the planned role."""
    deployment = running.deployment
    file = tmp_path_factory.mktemp("operator") / "config.toml"
    # The plan is for another Region than the server.
    reported = deployment.plan.outputs["config_toml"].replace("eu-central-1", "us-east-1")
    file.write_text(reported, "utf-8")
    operator, role = deployment.person("operators"), deployment.role("batch")
    with batch_operations(role.client("s3"), invoke_by(role.client("lambda"))) as url:
        environment: dict[str, str | None] = {
            **operator.environment(),
            "FROGMOVE_CONFIG": str(file),
            "AWS_ENDPOINT_URL": deployment.server.endpoint_url,
            "AWS_ENDPOINT_URL_S3_CONTROL": url,
        }

        def invoke(*arguments: str) -> Ran:
            return run(*arguments, environment=environment)

        yield invoke


def test_operators_submit_follow_and_read_a_job_of_the_planned_role(
    running: Running, frogmove: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frogmove.cli.batch_jobs.FIRST_POLL_SECONDS", 0.05)
    buckets = running.deployment.buckets
    buckets.put("a", "reports/été + 1.csv")
    shown = frogmove("batch", "submit", "--all", "--dry-run", "-o", "json")
    assert shown.code == 0, shown.err
    lambda_invoke = shown.records[0]["Operation"]["LambdaInvoke"]
    assert lambda_invoke["FunctionArn"] == running.output("function_arn")
    submitted = frogmove("batch", "submit", "--all")
    assert submitted.code == 0, submitted.err
    job = submitted.out.strip()
    followed = frogmove("batch", "status", job, "--follow")
    assert followed.code == 0, followed.out
    report = frogmove("batch", "report", job, "-o", "json")
    assert report.outcomes == {"a": "moved", "reports/été + 1.csv": "moved"}
    assert (report.code, buckets.here()) == (0, {})
    (listed,) = frogmove("batch", "status", "-o", "json").of("job")
    assert (listed["id"], listed["status"]) == (job, "Complete")
    assert frogmove("batch", "cancel", job).code == 2


def test_operators_explain_redrive_and_drop_dead_letters(
    running: Running, frogmove: Callable[..., Ran], tmp_path: Path
) -> None:
    deployment = running.deployment
    deployment.buckets.put("dead")
    sqs, url = deployment.client("sqs"), running.output("dead_letter_url")
    for body in (json.dumps(notification(deployment.buckets.source, "dead")), "poison"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    listed = frogmove("dlq", "ls", "-o", "json")
    assert listed.code == 0, listed.err
    assert {each["state"] for each in listed.of("message")} == {"waits", "unreadable"}
    (poison,) = [each["id"] for each in listed.of("message") if not each["keys"]]
    assert frogmove("dlq", "show", poison).code == 0
    redriven = frogmove("dlq", "redrive", "--all")
    assert redriven.code == 0, redriven.err
    dropped = frogmove("dlq", "drop", poison, "--yes", "--copy", str(tmp_path / "copy"))
    assert dropped.code == 0, dropped.err
    assert frogmove("dlq", "ls").out == ""
    eventually(lambda: "dead" not in deployment.buckets.keys_here())


def test_operators_read_and_drop_failed_sweeps(
    running: Running, frogmove: Callable[..., Ran], tmp_path: Path
) -> None:
    sqs, url = running.deployment.client("sqs"), running.output("sweep_dead_letter_url")
    texts = {"ERROR_CODE": "AWS.Scheduler.InternalServerError", "ERROR_MESSAGE": "No invocation"}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}
    sweep = json.dumps({"action": "sweep"})
    sqs.send_message(QueueUrl=url, MessageBody=sweep, MessageAttributes=attributes)
    failed = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": {}}
    record = failed | {"responsePayload": {"errorMessage": "Not all keys were moved."}}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(record))
    listed = frogmove("dlq", "ls", "--sweeps", "-o", "json")
    assert listed.code == 0, listed.err
    assert {(each["state"], each["why"]) for each in listed.of("message")} == {
        ("failed-sweep", "AWS.Scheduler.InternalServerError: No invocation"),
        ("failed-sweep", "Not all keys were moved."),
    }
    copy = str(tmp_path / "copy")
    dropped = frogmove("dlq", "drop", "--sweeps", "--all", "--yes", "--copy", copy)
    assert (dropped.code, frogmove("dlq", "ls", "--sweeps").out) == (0, "")


def test_operators_trace_a_key(running: Running, frogmove: Callable[..., Ran]) -> None:
    deployment = running.deployment
    deployment.buckets.put("traced")
    sqs, url = deployment.client("sqs"), running.output("dead_letter_url")
    body = json.dumps(notification(deployment.buckets.source, "traced"))
    sqs.send_message(QueueUrl=url, MessageBody=body)
    ran = frogmove("trace", "traced", "-o", "json")
    (reported,) = ran.of("trace")
    assert reported["unknown"] == []
    assert reported["todo"][0].startswith("frogmove dlq show ")
    assert frogmove("move", "traced").code == 0
    moved = frogmove("trace", "traced", "-o", "json")
    assert {each["where"] for each in moved.of("event")} >= {"destination", "run", "dlq"}
    (reported,) = moved.of("trace")
    assert (reported["unknown"], reported["todo"][0][:18]) == ([], "frogmove dlq drop ")
