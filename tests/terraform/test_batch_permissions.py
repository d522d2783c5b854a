"""Jobs of S3 Batch Operations, with the policies of the operators and of the jobs' role.

The stand-in acts with that role; who may create a job is decided by S3 alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.local_aws.batch_operations import batch_operations, invoke_by
from frogmove.packaging.function_zip import build_package
from tests.cli.cli_runner import Ran, run
from tests.terraform.deployment import Deployment, Running, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server
    from tests.terraform.module import Plan


@pytest.fixture
def running(ministack: Server, plan: Plan) -> Running:
    return build(Deployment.make(ministack, plan), build_package())


@contextmanager
def an_operator(running: Running, folder: Path) -> Iterator[Any]:
    """Run commands as an operator; jobs have the planned role."""
    deployment = running.deployment
    file = folder / "config.toml"
    # The plan is for another Region than the server.
    told = deployment.plan.outputs["config_toml"].replace("eu-central-1", "us-east-1")
    file.write_text(told, "utf-8")
    operator, role = deployment.person("operators"), deployment.role("batch")
    with batch_operations(role.client("s3"), invoke_by(role.client("lambda"))) as url:
        environment: dict[str, str | None] = {
            **operator.environment(),
            "FROGMOVE_CONFIG": str(file),
            "AWS_ENDPOINT_URL": deployment.server.endpoint_url,
            "AWS_ENDPOINT_URL_S3_CONTROL": url,
        }

        def batch(*arguments: str) -> Ran:
            return run("batch", *arguments, environment=environment)

        yield batch


def test_operators_submit_follow_and_read_a_job_of_the_planned_role(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frogmove.cli.batch_jobs.FIRST_POLL_SECONDS", 0.05)
    buckets = running.deployment.buckets
    buckets.put("a", "reports/été + 1.csv")
    with an_operator(running, tmp_path) as batch:
        shown = batch("submit", "--all", "--dry-run", "-o", "json")
        assert shown.code == 0, shown.err
        lambda_invoke = shown.records[0]["Operation"]["LambdaInvoke"]
        assert lambda_invoke["FunctionArn"] == running.output("function_arn")
        submitted = batch("submit", "--all")
        assert submitted.code == 0, submitted.err
        job = submitted.out.strip()
        followed = batch("status", job, "--follow")
        assert followed.code == 0, followed.out
        report = batch("report", job, "-o", "json")
        assert report.outcomes == {"a": "moved", "reports/été + 1.csv": "moved"}
        assert (report.code, buckets.here()) == (0, {})
        (listed,) = batch("status", "-o", "json").of("job")
        assert (listed["id"], listed["status"]) == (job, "Complete")
        assert batch("cancel", job).code == 2
