"""Operators look after the planned deployment with their own policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove.packaging.function_zip import build_package
from tests.cli.cli_runner import run
from tests.terraform.deployment import Deployment, Running, build, connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.cli_runner import Ran


@pytest.fixture
def running(deployment: Deployment) -> Running:
    made = build(deployment, build_package())
    connect(made)
    return made


@pytest.fixture
def operate(running: Running, tmp_path: Path) -> Callable[..., Ran]:
    """The command line, run by an operator with the operators' policy and the module's file."""
    deployment = running.deployment
    file = tmp_path / "config.toml"
    file.write_text(deployment.plan.outputs["config_toml"], "utf-8")
    environment: dict[str, str | None] = {
        **deployment.person("operators").environment(),
        "AWS_ENDPOINT_URL": deployment.server.endpoint_url,
        "FROGMOVE_CONFIG": str(file),
    }

    def invoke(*arguments: str) -> Ran:
        return run(*arguments, environment=environment)

    return invoke


def checks(ran: Ran) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in ran.of("check")}


def test_operators_see_the_status(running: Running, operate: Callable[..., Ran]) -> None:
    ran = operate("status", "-o", "json")
    reported = checks(ran)
    assert (ran.code, {each["state"] for each in reported.values()}) == (0, {"ok", "not offered"})
    assert reported["function"]["version"] == running.output("function_version")
    assert reported["failed sweeps"]["messages"] == 0


def test_operators_examine_everything(running: Running, operate: Callable[..., Ran]) -> None:
    ran = operate("doctor", "-o", "json")
    reported = checks(ran)
    assert "s3:DeleteObject" in reported["permissions to move"]["allowed"]
    assert "s3:DeleteObject" in reported["permissions to undo"]["allowed"]
    # The test's deployment has no lifecycle rules, and a queue of short visibility timeout;
    # ministack asks for PutFunctionConcurrency where AWS asks for GetFunctionConcurrency.
    assert {name for name, each in reported.items() if each["state"] != "ok"} == {
        "source lifecycle",
        "destination lifecycle",
        "queue",
        "concurrency",
    }
    assert running.deployment.buckets.there() == {}
