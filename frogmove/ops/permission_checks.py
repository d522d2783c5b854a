"""Checks permissions by requests that change nothing: each is about a key that does not exist.

A request that fails because there is no such key or upload is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.ops.check import Check, State, unknown_check
from frogmove.s3.capabilities import OTHER_ETAG, probe_name
from frogmove.s3.errors import ELSEWHERE, Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.core.models import Route
    from frogmove.s3.uri import Location

# Failures that do not tell whether a request was allowed.
_UNCLEAR = frozenset(
    {
        *(Kind.NO_BUCKET, Kind.DENIED, Kind.CREDENTIALS),
        *(Kind.THROTTLED, Kind.UNAVAILABLE, Kind.UNREACHABLE),
    }
)

_NO_UPLOAD = "frogmove-no-such-upload"
_REMEDY = "Attach the policy of the Terraform output operators_policy_arn, or grant these actions."


@dataclass(frozen=True, slots=True)
class _Probe:
    """A request that needs a permission.

    Attributes:
        action: the IAM action.
        bucket: the bucket that it is needed on.
        request: the request.
    """

    action: str
    bucket: str
    request: Callable[[], object]


def check_permissions(client: S3Client, route: Route, *, is_conditional: bool) -> Iterator[Check]:
    """Check what a move needs, and what an undo needs.

    Args:
        client: the client for S3.
        route: the route.
        is_conditional: whether the server honours conditional deletes. If not, a delete of a key
            that does not exist would leave a delete marker in a bucket with versions.
    """
    source, destination = route.source, route.destination
    for name, missing, probes in (
        ("permissions to move", State.BROKEN, _of_move(client, source, destination)),
        ("permissions to undo", State.WARNING, _of_move(client, destination, source)),
    ):
        untested = [] if is_conditional else [each for each in probes if "Delete" in each.action]
        found = _check(name, [each for each in probes if each not in untested], missing)
        if untested:
            actions = [each.action for each in untested]
            message = (
                f"{found.message}; not tested without conditional deletes: {', '.join(actions)}"
            )
            facts = {**found.facts, "untested": actions}
            found = replace(found, message=message, facts=facts)
        yield found


def _of_move(client: S3Client, source: Location, destination: Location) -> list[_Probe]:
    here, there = source.bucket, destination.bucket
    name = probe_name()
    key, copy = source.prefix + name, destination.prefix + name
    return [
        _Probe("s3:GetObject", here, lambda: client.get_object(Bucket=here, Key=key)),
        _Probe(
            "s3:GetObjectTagging", here, lambda: client.get_object_tagging(Bucket=here, Key=key)
        ),
        _Probe(
            "s3:PutObject",
            there,
            # There is nothing to copy. Both permissions are checked first.
            lambda: client.copy_object(
                Bucket=there, Key=copy, CopySource={"Bucket": here, "Key": key}
            ),
        ),
        _Probe(
            "s3:PutObjectTagging",
            there,
            lambda: client.put_object_tagging(Bucket=there, Key=copy, Tagging={"TagSet": []}),
        ),
        _Probe(
            "s3:ListMultipartUploadParts",
            there,
            lambda: client.list_parts(Bucket=there, Key=copy, UploadId=_NO_UPLOAD),
        ),
        _Probe(
            "s3:AbortMultipartUpload",
            there,
            lambda: client.abort_multipart_upload(Bucket=there, Key=copy, UploadId=_NO_UPLOAD),
        ),
        _Probe(
            "s3:DeleteObject",
            here,
            lambda: client.delete_object(Bucket=here, Key=key, IfMatch=OTHER_ETAG),
        ),
    ]


def _check(name: str, probes: list[_Probe], missing: State) -> Check:
    allowed, denied = [], []
    unclear: list[AwsRequestError] = []
    for probe in probes:
        try:
            send(probe.action, probe.request)
        except AwsRequestError as error:
            if error.cause is Cause.DENIED:
                denied.append(f"{probe.action} on {probe.bucket}")
                continue
            if not _is_allowed(error):
                unclear.append(error)
                continue
        allowed.append(probe.action)
    facts: dict[str, Any] = {"allowed": allowed, "denied": denied}
    if unclear:
        facts |= unknown_check(name, unclear[0]).facts
        facts["unclear"] = [error.action for error in unclear]
    if denied:
        return Check(name, missing, f"missing: {', '.join(denied)}", _REMEDY, facts)
    if unclear:
        return Check(name, State.UNKNOWN, unclear[0].message, unclear[0].remedy, facts)
    return Check(name, State.OK, ", ".join(allowed), facts=facts)


def _is_allowed(error: AwsRequestError) -> bool:
    """Tell whether a request was allowed that failed, but was not denied."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return False
    status = cause.response["ResponseMetadata"]["HTTPStatusCode"]
    return kind_of(error.code, status) not in _UNCLEAR and error.code not in ELSEWHERE
