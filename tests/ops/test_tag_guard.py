"""Doctor tells whether uploaders could set the tag of a clean scan themselves."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from frogmove.core.required_tags import Tag
from frogmove.ops.check import State
from frogmove.ops.tag_guard import check_tag_guard
from tests.buckets import Buckets

if TYPE_CHECKING:
    from frogmove.ops.deployment import Deployment
    from tests.servers import Server

SETTERS = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"]
KEYS = {"s3:RequestObjectTagKeys": "av"}
TEST = "ForAnyValue:StringEqualsIgnoreCase"


def guard(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": SETTERS,
        "Condition": {TEST: KEYS, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/av"}},
    }
    return statement | changes


def requiring(tag: Tag | None) -> Deployment:
    """Return a function that requires a tag."""
    settings = SimpleNamespace(scan_gate=SimpleNamespace(tag=tag))
    return cast("Deployment", SimpleNamespace(settings=settings))


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ([], State.WARNING),
        ([guard()], State.OK),
        ([guard(Principal={"AWS": "*"}, Condition={TEST: {**KEYS}})], State.OK),
        ([guard(Action=each) for each in SETTERS], State.OK),
        ([guard(Action=SETTERS[:2])], State.WARNING),
        (
            [guard(Effect="Allow", Principal={"AWS": "arn:aws:iam::000000000000:root"})],
            State.WARNING,
        ),
        ([guard(Principal={"AWS": "arn:aws:iam::000000000000:root"})], State.WARNING),
        ([guard(Condition={TEST: {"s3:RequestObjectTagKeys": ["a", "b"]}})], State.WARNING),
        ([guard(Condition={"ForAnyValue:StringEquals": KEYS})], State.WARNING),
    ],
)
def test_tag_guard_reads_the_policy_of_the_source(
    ministack: Server, statements: list[dict[str, Any]], state: State
) -> None:
    buckets = Buckets.make(ministack)
    resource = f"arn:aws:s3:::{buckets.source}/*"
    if statements:
        policy = {
            "Version": "2012-10-17",
            "Statement": [each | {"Resource": resource} for each in statements],
        }
        buckets.client.put_bucket_policy(Bucket=buckets.source, Policy=json.dumps(policy))
    (check,) = check_tag_guard(buckets.client, requiring(Tag("av", "ok")), buckets.source)
    assert (check.name, check.state) == ("scan tag", state)
    assert ("scan_bucket_policy" in check.remedy) is (state is State.WARNING)


def test_tag_guard_is_not_checked_without_a_scan(ministack: Server) -> None:
    assert list(check_tag_guard(ministack.client(), requiring(None), "any-bucket")) == []
