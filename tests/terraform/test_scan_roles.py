"""The roles of the function and of the quarantine read what a scan allows, whatever asks them to.

Their policies are those that the module renders for a scan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.aws_events import PLAN
from tests.terraform import module
from tests.terraform.deployment import Deployment, is_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import Server

QUARANTINE = "the-quarantine"
STATUS = "GuardDutyMalwareScanStatus"


@pytest.fixture(scope="module")
def scan_plan() -> module.Plan:
    """The module with a scan of GuardDuty and a quarantine."""
    module.require_stand_in()
    given = {
        "scan": "guardduty",
        "scan_plan_arn": PLAN,
        "scan_tagger_arns": '["arn:aws:iam::123456789012:role/scanner"]',
        "quarantine": f"s3://{QUARANTINE}/held/",
    }
    return module.Plan.read(module.plan(module.MODULE, **given))


@pytest.fixture
def scanned(ministack: Server, scan_plan: module.Plan) -> Deployment:
    """A deployment whose source holds a file for each result of a scan, and its quarantine."""
    deployment = Deployment.make(ministack, scan_plan)
    quarantine = f"quarantine-{deployment.name}"
    plan = deployment.plan.named({QUARANTINE: quarantine})
    deployment.client("s3").create_bucket(Bucket=quarantine)
    buckets = deployment.buckets
    buckets.version()
    buckets.put("unscanned")
    buckets.put("otherwise", Tagging=f"{STATUS}=UNSUPPORTED&other=NO_THREATS_FOUND")
    for key, status in (("clean", "NO_THREATS_FOUND"), ("threat", "THREATS_FOUND")):
        buckets.put(key, Tagging=f"{STATUS}={status}")
    return replace(deployment, plan=plan)


@pytest.mark.parametrize(("role", "readable"), [("function", "clean"), ("quarantine", "threat")])
def test_role_reads_the_files_of_one_result(scanned: Deployment, role: str, readable: str) -> None:
    buckets, here = scanned.buckets, scanned.buckets.source
    aside = f"quarantine-{scanned.name}"
    s3 = scanned.role(role).client("s3")
    there = {"Bucket": buckets.destination} if role == "function" else {"Bucket": aside}
    prefix = "" if role == "function" else "held/"
    upload = s3.create_multipart_upload(**there, Key=f"{prefix}large")["UploadId"]
    for key in ("clean", "threat", "otherwise", "unscanned"):
        assert "VersionId" in s3.get_object_tagging(Bucket=here, Key=key)
        version = buckets.client.head_object(Bucket=here, Key=key)["VersionId"]
        source = {"Bucket": here, "Key": key, "VersionId": version}
        part = {"Key": f"{prefix}large", "UploadId": upload, "PartNumber": 1}
        reads: list[Callable[[], object]] = [
            lambda key=key: s3.head_object(Bucket=here, Key=key),  # type: ignore[misc]
            lambda source=source: s3.get_object(**source),  # type: ignore[misc]
            lambda key=key: s3.copy_object(  # type: ignore[misc]
                **there, Key=f"{prefix}{key}", CopySource=f"{here}/{key}"
            ),
            lambda key=key, source=source: s3.copy_object(  # type: ignore[misc]
                **there, Key=f"{prefix}{key}", CopySource=source
            ),
            lambda source=source, part=part: s3.upload_part_copy(  # type: ignore[misc]
                **there, **part, CopySource=source
            ),
        ]
        refused = [is_refused(read) for read in reads]
        assert refused == [key != readable] * len(reads), key


def test_threats_cannot_be_written_where_clean_files_are(scanned: Deployment) -> None:
    aside = f"quarantine-{scanned.name}"
    function, threats = (scanned.role(role).client("s3") for role in ("function", "quarantine"))
    assert is_refused(lambda: function.put_object(Bucket=aside, Key="held/key"))
    assert is_refused(lambda: threats.put_object(Bucket=scanned.buckets.destination, Key="key"))
    assert is_refused(lambda: threats.put_object(Bucket=aside, Key="elsewhere"))


def test_only_the_function_assumes_the_role_for_threats(scanned: Deployment) -> None:
    arn = scanned.plan.resources["aws_lambda_function.move"]["environment"][0]["variables"][
        "FROGMOVE_QUARANTINE_ROLE"
    ]
    scanned.create_role("quarantine")
    request = {"RoleArn": arn, "RoleSessionName": "test"}
    assert is_refused(lambda: scanned.client("sts").assume_role(**request))
    function = scanned.role("function").client("sts")
    assert function.assume_role(**request)["Credentials"]


def test_alias_is_set_after_what_the_gate_relies_on(scan_plan: module.Plan) -> None:
    """Uploaders can no longer set the tag, and the roles read only what a scan allows."""
    needed = {
        "aws_iam_role_policy.function",
        "aws_iam_role_policy.quarantine",
        "aws_s3_bucket_policy.this",
        "aws_s3_bucket_versioning.this",
    }
    assert needed <= scan_plan.references["aws_lambda_alias.live"]
    for address in ("aws_lambda_event_source_mapping.uploads", "aws_scheduler_schedule.sweep"):
        assert "aws_lambda_alias.live" in scan_plan.references[address]
