"""Doctor tells whether uploaders could set the tag of a clean scan themselves."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from frogmove.core.required_tags import Tag
from frogmove.ops.check import State
from frogmove.ops.tag_guard import check_tag_guard
from frogmove.s3.uri import Location
from tests.buckets import Buckets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from frogmove.ops.deployment import Deployment
    from tests.servers import Server

SETTERS = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"]
REPLICATION = ["s3:ReplicateObject", "s3:ReplicateTags"]
COPY = {"s3:x-amz-copy-source": "false"}
SCANNER = {"aws:PrincipalArn": "arn:aws:iam::1:role/av"}
KEYS = {"s3:RequestObjectTagKeys": "av"}
TEST = "ForAnyValue:StringEqualsIgnoreCase"


def guard(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": SETTERS,
        "Resource": "arn:aws:s3:::BUCKET/*",
        "Condition": {TEST: KEYS, "ArnNotLike": SCANNER},
    }
    return statement | changes


def whole(*changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a policy whose statement about the tag is changed."""
    copies = {"Null": COPY, "StringEquals": {"aws:PrincipalAccount": "1"}, "ArnNotLike": SCANNER}
    return [
        *changed,
        guard(Action="s3:PutObject", Condition=copies),
        guard(Action=REPLICATION, Condition={"ArnNotLike": SCANNER}),
    ]


def requiring(tag: Tag | None) -> Deployment:
    """Return a function that requires a tag."""
    settings = SimpleNamespace(scan_gate=SimpleNamespace(tag=tag))
    return cast("Deployment", SimpleNamespace(settings=settings))


REQUIRING = requiring(Tag("av", "ok"))


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ([], State.WARNING),
        (whole(guard()), State.OK),
        (whole(guard(Principal={"AWS": "*"}, Condition={TEST: {**KEYS}})), State.OK),
        (whole(*(guard(Action=each) for each in SETTERS)), State.OK),
        (whole(guard(Action="s3:Put*")), State.OK),
        (whole(guard(Resource="arn:aws:s3:::BUCKET/in/*")), State.OK),
        (whole(guard(Resource=["arn:aws:s3:::BUCKET/other/*", "*"])), State.OK),
        (whole(guard(Action=SETTERS[:2])), State.WARNING),
        (
            whole(guard(Effect="Allow", Principal={"AWS": "arn:aws:iam::000000000000:root"})),
            State.WARNING,
        ),
        (whole(guard(Principal={"AWS": "arn:aws:iam::000000000000:root"})), State.WARNING),
        (whole(guard(Condition={TEST: {"s3:RequestObjectTagKeys": ["a", "b"]}})), State.WARNING),
        (whole(guard(Condition={"ForAnyValue:StringEquals": KEYS})), State.WARNING),
        # Only a part of what is moved.
        (whole(guard(Resource="arn:aws:s3:::BUCKET/other/*")), State.WARNING),
        (whole(guard(Resource="arn:aws:s3:::BUCKET/in/partner/*")), State.WARNING),
        (whole(guard(Resource="arn:aws:s3:::BUCKET/in/*.csv")), State.WARNING),
        (whole(guard(Resource="arn:aws:s3:::BUCKET")), State.WARNING),
        # Only some of those who upload.
        (
            whole(guard(Condition={TEST: KEYS, "Bool": {"aws:SecureTransport": "false"}})),
            State.WARNING,
        ),
        (whole(guard(Condition={TEST: KEYS, "ArnLike": SCANNER})), State.WARNING),
        (
            whole(guard(Condition={TEST: KEYS, "ArnNotLike": {"aws:PrincipalArn": "*"}})),
            State.WARNING,
        ),
        (
            whole(
                guard(
                    Condition={TEST: KEYS, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:*"}}
                )
            ),
            State.WARNING,
        ),
        *(
            (
                whole(
                    guard(
                        Condition={
                            TEST: KEYS,
                            "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::1:{scanners}"},
                        }
                    )
                ),
                state,
            )
            for scanners, state in (
                ("role/*", State.WARNING),
                ("role/?*", State.WARNING),
                ("role/aws-reserved/*", State.WARNING),
                ("user/**", State.WARNING),
                ("role/*/av", State.OK),
                ("role/av-*", State.OK),
                ("user/scan/av", State.OK),
            )
        ),
        # A copy and a replica take the tags of their source along.
        ([guard()], State.WARNING),
        (whole(guard())[:2], State.WARNING),
        (whole(guard())[::2], State.WARNING),
    ],
)
def test_tag_guard_holds_if_each_way_to_the_tag_is_closed_for_all(
    statements: list[dict[str, Any]], state: State
) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client = SimpleNamespace(get_bucket_policy=lambda **_: {"Policy": text})
    (check,) = check_tag_guard(cast("S3Client", client), REQUIRING, Location("BUCKET", "in/"))
    assert (check.name, check.state) == ("scan tag", state)
    assert ("scan_bucket_policy" in check.remedy) is (state is State.WARNING)


@pytest.mark.parametrize("statements", [[], whole(guard())], ids=["none", "whole"])
def test_tag_guard_reads_the_policy_of_the_source(
    ministack: Server, statements: list[dict[str, Any]]
) -> None:
    buckets = Buckets.make(ministack)
    if statements:
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        text = text.replace("BUCKET", buckets.source)
        buckets.client.put_bucket_policy(Bucket=buckets.source, Policy=text)
    (check,) = check_tag_guard(buckets.client, REQUIRING, Location(buckets.source))
    assert check.state is (State.OK if statements else State.WARNING)


def test_tag_guard_is_not_checked_without_a_scan(ministack: Server) -> None:
    source = Location("any-bucket")
    assert list(check_tag_guard(ministack.client(), requiring(None), source)) == []
