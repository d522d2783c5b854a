"""Nobody but the scanner sets the tag that lets a file pass: the module's policies, tried out.

ministack knows no ``s3:RequestObjectTagKeys`` of requests; its evaluator does where it is given.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from frogmove.core.required_tags import Tag
from frogmove.function.config import ScanGate
from frogmove.ops.check import State
from frogmove.ops.tag_guard import check_tag_guard
from frogmove.s3.uri import parse_location
from tests.terraform.deployment import Deployment, is_refused
from tests.terraform.evaluator import ACCOUNT, is_allowed
from tests.terraform.module import GIVEN, MODULE, require_stand_in, terraform

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCANNER = f"arn:aws:iam::{ACCOUNT}:role/scanner"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:user/operator"
UPLOADER = f"arn:aws:iam::{ACCOUNT}:user/uploader"
PARTNER = "arn:aws:iam::210987654321:user/partner"
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
OBJECT = "arn:aws:s3:::frogtech-sharara-external/uploader/key"


@pytest.fixture(scope="module")
def guard() -> list[dict[str, Any]]:
    """The statements of the source bucket's policy, as the module renders them."""
    require_stand_in()
    given = GIVEN | {
        "scan": "tag",
        "require_tag": '{"key":"av","value":"ok"}',
        "scan_tagger_arns": json.dumps([SCANNER, OPERATOR]),
    }
    variables = [f"-var={name}={value}" for name, value in given.items()]
    done = terraform(MODULE, "plan", "-no-color", "-out=p", *variables, ";", "show", "-json", "p")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout[done.stdout.index('{"format_version"') :])
    policy = document["planned_values"]["outputs"]["scan_bucket_policy"]["value"]
    statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return statements


@pytest.mark.parametrize(
    ("who", "tags", "allowed"),
    [
        (UPLOADER, [], True),
        (UPLOADER, ["team"], True),
        (UPLOADER, ["av"], False),
        (UPLOADER, ["team", "av"], False),
        # IAM ignores the case of the key in s3:ExistingObjectTag.
        (UPLOADER, ["AV"], False),
        (SCANNER, ["av"], True),
        (OPERATOR, ["av", "team"], True),
        (f"{SCANNER}-of-mine", ["av"], False),
    ],
)
@pytest.mark.parametrize(
    "action", ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"]
)
def test_scanner_alone_can_set_its_tag(
    guard: list[dict[str, Any]], who: str, tags: list[str], allowed: bool, action: str
) -> None:
    """Even one whose own policy allows everything."""
    keys = {"s3__requestobjecttagkeys": tags} if tags else {}
    policy = {"Statement": [ANYTHING, *guard]}
    assert is_allowed(policy, who, action, OBJECT, **keys) is allowed


@pytest.mark.parametrize(
    ("who", "action", "copies", "allowed"),
    [
        (UPLOADER, "s3:PutObject", False, True),
        # A copy takes the tags of its source along, without naming them.
        (UPLOADER, "s3:PutObject", True, False),
        (UPLOADER, "s3:ReplicateObject", False, False),
        (OPERATOR, "s3:PutObject", True, True),
        (PARTNER, "s3:PutObject", True, True),
    ],
)
def test_scanner_alone_can_copy_a_tagged_object_into_the_source(
    guard: list[dict[str, Any]], who: str, action: str, copies: bool, allowed: bool
) -> None:
    keys = {"aws__principalaccount": who.split(":")[4]}
    if copies:
        keys["s3__x_amz_copy_source"] = "another-bucket/tagged"
    policy = {"Statement": [ANYTHING, *guard]}
    assert is_allowed(policy, who, action, OBJECT, **keys) is allowed


def test_doctor_finds_the_tag_protected_by_this_policy(guard: list[dict[str, Any]]) -> None:
    text = json.dumps({"Statement": guard})
    client = SimpleNamespace(get_bucket_policy=lambda **_: {"Policy": text})
    function = SimpleNamespace(settings=SimpleNamespace(scan_gate=ScanGate(Tag("av", "ok"))))
    source = parse_location("s3://frogtech-sharara-external/")
    checks = check_tag_guard(cast("S3Client", client), cast("Any", function), source)
    assert [check.state for check in checks] == [State.OK]


def test_uploaders_may_not_tag_at_all(deployment: Deployment) -> None:
    uploader = deployment.person("uploaders")
    s3, key = uploader.client("s3"), f"{uploader.name}/key"
    where = {"Bucket": deployment.buckets.source, "Key": key}
    s3.put_object(**where, Body=b"evil")
    tags = {"TagSet": [{"Key": "av", "Value": "ok"}]}
    assert is_refused(lambda: s3.put_object_tagging(**where, Tagging=tags))
