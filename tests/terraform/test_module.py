"""The module as Terraform and checkov judge it; its own tests are terraform/tests/*.tftest.hcl."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from frogmove.config import Config, config_file, resolve
from frogmove.core.models import Route
from frogmove.s3.uri import parse_location
from tests.terraform.module import (
    GIVEN,
    MODULE,
    Plan,
    alone,
    require_stand_in,
    require_terraform,
    terraform,
    users_cache,
)

CHECKOV = "checkov==3.3.30"
LONG = pytest.mark.long


def test_module_is_formatted() -> None:
    require_terraform()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(MODULE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name",
    [
        file.name if file.name == "defaults.tftest.hcl" else pytest.param(file.name, marks=LONG)
        for file in sorted((MODULE / "tests").glob("*.tftest.hcl"))
    ],
)
def test_module_tests_pass(name: str) -> None:
    done = terraform(MODULE, "test", "-no-color", f"-filter=tests/{name}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["minimal", "complete"])
def test_example_is_valid(name: str, tmp_path: Path) -> None:
    """With the module beside it, as only one folder is copied."""
    example = tmp_path / name
    shutil.copytree(MODULE / "examples" / name, example)
    shutil.copytree(MODULE, example / "module", ignore=shutil.ignore_patterns("examples", "tests"))
    main = (example / "main.tf").read_text("utf-8")
    main = main.replace('"../.."', '"./module"').replace("../../../dist", "dist")
    (example / "main.tf").write_text(main, "utf-8")
    (example / "dist").mkdir()
    for package in re.findall(r"dist/(\S+\.zip)", main):
        (example / "dist" / package).touch()
    done = terraform(example, "validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_module_is_applied_once_goes_back_and_keeps_its_buckets_when_destroyed() -> None:
    """The ways of the README, with a provider that invents what AWS would answer."""
    require_stand_in()
    given = [f"-var={name}={value}" for name, value in GIVEN.items()]
    kept = [f"aws_s3_bucket.{side}[0]" for side in ("source", "destination")]
    guards = ["terraform_data.kept"]
    done = terraform(
        MODULE,
        *("apply", "-no-color", "-auto-approve", *given, ";"),
        *("plan", "-no-color", *given, ";"),
        *("plan", "-no-color", *given, "-var=live_version=3", ";"),
        *("state", "rm", "-no-color", *kept, *guards, ";"),
        *("destroy", "-no-color", "-auto-approve", *given),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    applied = re.search(r"Apply complete! Resources: (\d+) added, 0 changed", done.stdout)
    destroyed = re.search(r"Destroy complete! Resources: (\d+) destroyed", done.stdout)
    assert applied is not None
    assert "No changes. Your infrastructure matches the configuration." in done.stdout
    assert "# aws_lambda_alias.live will be updated in-place" in done.stdout
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in done.stdout
    assert destroyed is not None
    assert int(destroyed[1]) == int(applied[1]) - 2 * len(kept)


@pytest.mark.matrix
def test_checkov_finds_nothing() -> None:
    """In an environment of its own, as checkov pins what others need newer."""
    checkov = _checkov()
    done = subprocess.run(
        [
            *(str(checkov), "--directory", str(MODULE), "--framework", "terraform"),
            *("--skip-download", "--compact", "--quiet"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )
    assert "Failed checks: 0" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr


def _checkov() -> Path:
    """Return the path of checkov, installed once beside the user's own caches."""
    found = shutil.which("checkov")
    if found is not None:
        return Path(found)
    venv = users_cache() / "frogmove" / CHECKOV.replace("==", "-")
    with alone(venv.parent):
        if not (venv / "installed").exists():
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(venv)],
                [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", CHECKOV],
            ):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    pytest.skip(f"checkov cannot be installed: {done.stderr[-200:]}")
            (venv / "installed").touch()
    return venv / "bin/checkov"


def test_dependencies_are_in_the_order_that_s3_and_lambda_need(plan: Plan) -> None:
    """Whatever has to be there first is depended on, directly or not."""

    def needs(address: str, seen: frozenset[str] = frozenset()) -> set[str]:
        found: set[str] = set()
        for reference in plan.references.get(address, ()):
            name = ".".join(reference.split(".")[:2]).split("[")[0]
            if name not in seen and name != address:
                found |= {name} | needs(name, seen | {address, name})
        return found

    access = ["public_access_block", "policy", "ownership_controls"]
    for earlier, later in pairwise(access):
        assert f"aws_s3_bucket_{earlier}.this" in needs(f"aws_s3_bucket_{later}.this")
    notification = needs("aws_s3_bucket_notification.uploads")
    assert {
        "aws_s3_bucket.source",
        "aws_sqs_queue_policy.uploads",
        "aws_sqs_queue_redrive_policy.uploads",
        "aws_lambda_event_source_mapping.uploads",
        "aws_s3_bucket_versioning.this",
        "aws_iam_role_policy.function",
    } <= notification
    mapping = needs("aws_lambda_event_source_mapping.uploads")
    assert {"aws_lambda_alias.live", "aws_s3_bucket_versioning.this"} <= mapping
    assert "aws_iam_role_policy.scheduler" in needs("aws_scheduler_schedule.sweep")
    assert "aws_cloudwatch_log_group.function" in needs("aws_lambda_function.move")


def test_configuration_file_is_the_command_lines(plan: Plan, tmp_path: Path) -> None:
    file = config_file({"FROGMOVE_CONFIG": str(tmp_path / "config.toml")})
    file.write_text(plan.outputs["config_toml"], "utf-8")
    settings = resolve(Config(), None, {}, file)
    assert settings.route() == Route(
        parse_location("s3://the-source"), parse_location("s3://the-dest")
    )
    assert (settings.region, settings.expected_bucket_owner) == ("us-east-1", "123456789012")


def test_functions_environment_is_a_route(plan: Plan) -> None:
    (environment,) = plan.resources["aws_lambda_function.move"]["environment"]
    settings = resolve(Config(), None, environment["variables"], None)
    assert settings.route() == Route(
        parse_location("s3://the-source"), parse_location("s3://the-dest")
    )


def test_metrics_are_watched_under_the_route_the_function_writes(plan: Plan) -> None:
    route = Route(parse_location("s3://the-source"), parse_location("s3://the-dest"))
    alarm = plan.resources['aws_cloudwatch_metric_alarm.this["failed"]']
    assert alarm["dimensions"]["route"] == f"{route.source} -> {route.destination}"


def test_policies_fit_into_what_iam_allows(plan: Plan) -> None:
    """6,144 characters for a managed policy, 10,240 for a role's, white space not counted.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    for address, values in plan.resources.items():
        if address.startswith("aws_iam_policy."):
            assert len("".join(values["policy"].split())) < 6144
        elif address.startswith("aws_iam_role_policy."):
            assert len("".join(values["policy"].split())) < 10240


def test_destroy_would_lose_no_object(plan: Plan) -> None:
    buckets = [plan.resources[f"aws_s3_bucket.{side}[0]"] for side in ("source", "destination")]
    assert [bucket["force_destroy"] for bucket in buckets] == [False, False]
