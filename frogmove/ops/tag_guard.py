"""Checks that only scanners may set the tag that lets an object be moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from frogmove.errors import UsageError
from frogmove.ops.aws_request import AwsRequestError, send
from frogmove.ops.check import Check, State, unknown_check
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.ops.deployment import Deployment

# What sets tags; terraform/scan.tf denies these to everybody but the scanners.
_SETTERS = frozenset({"s3:putobject", "s3:putobjecttagging", "s3:putobjectversiontagging"})

# IAM ignores the case of the tag's key where the tag permits reading.
_TEST = "foranyvalue:stringequalsignorecase"
_KEYS = "s3:requestobjecttagkeys"


def check_tag_guard(s3: S3Client, deployment: Deployment, bucket: str) -> Iterator[Check]:
    """Check the policy of the source bucket; yields nothing if no tag is required.

    Args:
        s3: the client for the bucket.
        deployment: the function.
        bucket: the source bucket.
    """
    try:
        tag = deployment.settings.scan_gate.tag
    except (AwsRequestError, UsageError):
        # The other checks of the function say so.
        return
    if tag is None:
        return
    name = "scan tag"
    try:
        text = send("s3:GetBucketPolicy", lambda: _policy(s3, bucket))
    except AwsRequestError as error:
        yield unknown_check(name, error)
        return
    if _denied(text, tag.key) >= _SETTERS:
        yield Check(name, State.OK, f"only scanners may set {in_quotes(tag.key)} in {bucket}")
        return
    message = f"the policy of {bucket} lets everybody who may tag objects set {in_quotes(tag.key)}"
    remedy = (
        "Add the Terraform output scan_bucket_policy to it; then remove the tag from the objects "
        f"that frogmove ls --tag {in_quotes(str(tag))} lists."
    )
    yield Check(name, State.WARNING, message, remedy)


def _policy(s3: S3Client, bucket: str) -> str:
    """Return a bucket's policy; empty if there is none."""
    try:
        return s3.get_bucket_policy(Bucket=bucket)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return ""
        raise


def _denied(policy: str, key: str) -> frozenset[str]:
    """Return the actions that a policy denies, in lower case, if they set a tag."""
    try:
        statements = json.loads(policy).get("Statement", [])
    except (ValueError, AttributeError):
        return frozenset()
    return frozenset(
        action.lower()
        for each in _listed(statements)
        if isinstance(each, dict) and _guards(each, key)
        for action in _listed(each.get("Action"))
        if isinstance(action, str)
    )


def _guards(statement: dict[str, Any], key: str) -> bool:
    """Tell whether a statement denies everybody but named ones to set a tag."""
    conditions = statement.get("Condition")
    if statement.get("Effect") != "Deny" or not isinstance(conditions, dict):
        return False
    return statement.get("Principal") in ("*", {"AWS": "*"}) and any(
        test.lower() == _TEST and name.lower() == _KEYS and key in _listed(values)
        for test, named in conditions.items()
        if isinstance(named, dict)
        for name, values in named.items()
    )


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any part of a JSON document
    """Return a part of a policy as a list: a single value may be without one."""
    return value if isinstance(value, list) else [value]
