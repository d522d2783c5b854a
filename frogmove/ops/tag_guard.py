"""Checks that only scanners may set the tag that lets an object be moved."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from frogmove.errors import UsageError
from frogmove.ops.aws_request import AwsRequestError, send
from frogmove.ops.check import Check, State, unknown_check
from frogmove.ops.policy_document import listed, statements
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.ops.deployment import Deployment
    from frogmove.s3.uri import Location

# How a tag gets into a bucket, with the actions and the conditions of terraform/scan.tf, which
# denies each to everybody but the scanners. A copy and a replica take the tags of their source.
_TEST, _KEYS = "foranyvalue:stringequalsignorecase", "s3:requestobjecttagkeys"
_WAYS: tuple[tuple[str, frozenset[str], frozenset[tuple[str, str]]], ...] = (
    (
        "set it",
        frozenset({"s3:putobject", "s3:putobjecttagging", "s3:putobjectversiontagging"}),
        # IAM ignores the case of the tag's key where the tag permits reading.
        frozenset({(_TEST, _KEYS)}),
    ),
    (
        "copy objects that have it into the bucket",
        frozenset({"s3:putobject"}),
        # For a copy from another account no policy grants s3:PutObjectTagging.
        frozenset({("null", "s3:x-amz-copy-source"), ("stringequals", "aws:principalaccount")}),
    ),
    (
        "replicate objects that have it into the bucket",
        frozenset({"s3:replicateobject", "s3:replicatetags"}),
        frozenset(),
    ),
)

# How scanners are exempted: by the ARNs of named roles and users, not of a whole account or path.
_EXEMPTIONS = frozenset({"arnnotlike", "arnnotequals", "stringnotlike", "stringnotequals"})
_SCANNER = re.compile(r"arn:[a-z-]+:iam::\d+:(role|user)/(.+/)?[^*?/][^/]*")


def check_tag_guard(s3: S3Client, deployment: Deployment, source: Location) -> Iterator[Check]:
    """Check the policy of the source bucket; yields nothing if no tag is required.

    Args:
        s3: the client for the bucket.
        deployment: the function.
        source: the source.
    """
    try:
        tag = deployment.settings.scan_gate.tag
    except (AwsRequestError, UsageError):
        # The other checks of the function say so.
        return
    if tag is None:
        return
    name = "scan tag"
    bucket = source.bucket
    try:
        text = send("s3:GetBucketPolicy", lambda: _policy(s3, bucket))
    except AwsRequestError as error:
        yield unknown_check(name, error)
        return
    open_ways = _open_ways(_denials(text), tag.key, f"{bucket}/{source.prefix}")
    if not open_ways:
        yield Check(name, State.OK, f"only scanners may set {in_quotes(tag.key)} in {bucket}")
        return
    message = (
        f"{in_quotes(tag.key)} is not protected in {bucket}: its policy does not deny everybody "
        f"but scanners to {', or to '.join(open_ways)}"
    )
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


def _denials(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy that deny something to everybody."""
    return [
        each
        for each in statements(policy) or ()
        if each.get("Effect") == "Deny" and each.get("Principal") in ("*", {"AWS": "*"})
    ]


def _open_ways(denials: list[dict[str, Any]], key: str, moved: str) -> list[str]:
    """Return how others than scanners may get a tag into the bucket.

    Args:
        denials: the statements that deny something to everybody.
        key: the tag's key.
        moved: the bucket and the prefix of what is moved, with a slash between them.
    """
    ways = []
    for name, actions, conditions in _WAYS:
        denied = [
            action.lower()
            for each in denials
            if _covers(each, moved) and _holds(each, conditions, key)
            for action in listed(each.get("Action"))
            if isinstance(action, str)
        ]
        if not all(any(fnmatchcase(action, each) for each in denied) for action in actions):
            ways.append(name)
    return ways


def _covers(statement: dict[str, Any], moved: str) -> bool:
    """Tell whether a statement is about everything that is moved."""
    named = [each for each in listed(statement.get("Resource")) if isinstance(each, str)]
    patterns = [each.rpartition(":::")[2] for each in named]
    return any(each.endswith("*") and moved.startswith(each[:-1]) for each in patterns)


def _holds(statement: dict[str, Any], conditions: frozenset[tuple[str, str]], key: str) -> bool:
    """Tell whether a statement has no further condition, which would make it apply less often."""
    given = statement.get("Condition", {})
    return isinstance(given, dict) and all(
        isinstance(named, dict)
        and all(
            ((test.lower(), name.lower()) in conditions and _is_for(name, values, key))
            or (test.lower().removesuffix("ifexists") in _EXEMPTIONS and _exempts(name, values))
            for name, values in named.items()
        )
        for test, named in given.items()
    )


def _is_for(name: str, values: object, key: str) -> bool:
    """Tell whether a condition about tags is about the tag, and one about copies about copies."""
    if name.lower() == _KEYS:
        return key in listed(values)
    return name.lower() != "s3:x-amz-copy-source" or listed(values) == ["false"]


def _exempts(name: str, values: object) -> bool:
    """Tell whether a condition exempts only named roles and users."""
    return name.lower() == "aws:principalarn" and all(
        isinstance(each, str) and _SCANNER.fullmatch(each) for each in listed(values)
    )
