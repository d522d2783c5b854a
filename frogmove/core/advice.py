"""Messages about failed requests: what happened, where the bytes are, what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from frogmove.errors import UnreachableError
from frogmove.quoting import in_quotes
from frogmove.s3.errors import MALFORMED, SIGN_IN, Kind, S3Error

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_ACTIONS = {
    "HeadObject": "s3:GetObject and s3:ListBucket on the bucket",
    "CopyObject": "s3:GetObject, s3:GetObjectTagging and s3:GetObjectAnnotation at the source, "
    "s3:PutObject, s3:PutObjectTagging and s3:PutObjectAnnotation at the destination",
    "UploadPartCopy": "s3:GetObject at the source, s3:PutObject at the destination",
    "CreateMultipartUpload": "s3:PutObject and s3:PutObjectTagging at the destination",
    "CompleteMultipartUpload": "s3:PutObject at the destination",
    "GetObjectTagging": "s3:GetObjectTagging at the source",
    "ListObjectAnnotations": "s3:ListObjectAnnotations on both sides",
    "GetObjectAnnotation": "s3:GetObjectAnnotation on both sides",
    "PutObjectAnnotation": "s3:PutObjectAnnotation at the destination",
    "DeleteObject": "s3:DeleteObject and s3:GetObject on the bucket",
    "DeleteObjects": "s3:DeleteObject and s3:GetObject on the bucket",
    "ListObjectsV2": "s3:ListBucket on the bucket",
    "ListObjectVersions": "s3:ListBucketVersions on the bucket",
    "ListParts": "s3:ListMultipartUploadParts on the bucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads on the destination",
    "AbortMultipartUpload": "s3:AbortMultipartUpload at the destination",
    "PutObject": "s3:PutObject at the destination",
}

# The refused IAM action in S3's message; it may also be one of KMS.
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)")

_ADVICE = {
    Kind.ARCHIVED: "Restore it from its archive first",
    Kind.LOCKED: "Wait until its retention or legal hold ends",
    Kind.NO_BUCKET: "Check the name of the bucket and the account",
    Kind.CREDENTIALS: "Check the credentials",
}


def permission(error: S3Error) -> str:
    """Return the IAM actions that a denied request needs; if S3 names one, that one."""
    named = _NAMED_ACTION.search(error.message)
    return named[1] if named else _ACTIONS.get(error.operation, f"for {error.operation}")


def advise(error: S3Error) -> str:
    """Return one sentence, without its full stop, about what to do after a failed request."""
    if error.remedy:
        return error.remedy
    if error.code in _CLOCK_SKEW:
        return "Set this computer's clock, such as by NTP, then rerun"
    if error.is_elsewhere:
        return _elsewhere_remedy(error).rstrip(".")
    if error.is_expired:
        return "Renew the credentials, then rerun"
    if error.retrying_helps:
        return "A rerun may succeed"
    if error.kind is Kind.DENIED:
        needed = f"Missing permission: {permission(error)}"
        return f"{needed}. A rerun fails again until that is fixed"
    return _ADVICE.get(error.kind, "")


def describe(error: S3Error, state: str) -> str:
    """Return a message: what failed, where the bytes are, and what to do.

    Args:
        error: the failed request.
        state: where the bytes are, without a full stop.
    """
    return ". ".join(filter(None, (_named(error), state, advise(error))))


# Operations whose permission has another name, which is the one in policies.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_IAM_NAMES = {
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
}


def _named(error: S3Error) -> str:
    """Return what failed and the server's words; what was denied by the name of its permission."""
    if error.kind is not Kind.DENIED:
        return str(error)
    return f"{_IAM_NAMES.get(error.operation, error.operation)}: {error.detail}"


@contextmanager
def explain_errors(bucket: str) -> Iterator[None]:
    """Turn S3 errors of the checks before a run into messages for the operator.

    Raises:
        UnreachableError: instead of S3Error.
    """
    try:
        yield
    except S3Error as error:
        raise explain(error, bucket) from error


def explain(error: S3Error, bucket: str) -> UnreachableError:
    """Return an error that says why a bucket cannot be used, and what to do.

    Args:
        error: S3's response; its code and message are part of the error.
        bucket: the bucket.
    """
    if error.is_sign_in:
        return _not_signed_in(error, bucket)
    name = in_quotes(bucket)
    return UnreachableError(*_endpoint_problem(error, name) or _reason_and_remedy(error, name))


def _endpoint_problem(error: S3Error, name: str) -> tuple[str, str] | None:
    """Return what is wrong between this machine and the endpoint, and what to do."""
    detail = error.detail
    if error.code in _CLOCK_SKEW:
        return (
            f"The clocks of this machine and of the server differ too much for {name}: {detail}.",
            "Set this machine's clock, for example with NTP, and try again.",
        )
    if error.is_untrusted:
        return (
            f"The bucket {name} cannot be reached: {detail}.",
            "Set AWS_CA_BUNDLE to a file with the certificate of the server's CA.",
        )
    if error.code == MALFORMED:
        return (
            f"The endpoint for {name} does not respond like S3: {error.operation}: {detail}.",
            "Check --endpoint-url and the proxy.",
        )
    return None


def _reason_and_remedy(error: S3Error, name: str) -> tuple[str, str]:
    """Return why a bucket cannot be used, and what to do."""
    detail = error.detail
    match error.kind:
        case Kind.NO_BUCKET | Kind.MISSING:
            return (
                f"The bucket {name} does not exist: {detail}.",
                "Check the bucket's name, --endpoint-url, and the AWS account.",
            )
        case Kind.CREDENTIALS:
            return (
                f"S3 refused the credentials for {name}: {detail}.",
                (
                    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, or renew "
                    "an expired session."
                ),
            )
        case Kind.DENIED:
            return (
                f"Access to {name} was denied: {detail}.",
                (
                    f"Missing permission: {permission(error)}. Ask the account's administrator, or "
                    "choose another --profile."
                ),
            )
        case Kind.UNREACHABLE:
            return (
                f"The bucket {name} cannot be reached: {detail}.",
                "Check --endpoint-url, --region, the proxy and the network.",
            )
    if error.is_elsewhere:
        return (
            f"The bucket {name} is in another Region or at another endpoint: {detail}.",
            _elsewhere_remedy(error),
        )
    retry, check = "Try again in a moment.", "Check the route, --endpoint-url and --region."
    remedy = retry if error.retrying_helps else check
    return f"S3 refused a request to {name}: {error.operation}: {detail}.", remedy


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_CLOCK_SKEW = frozenset({"RequestTimeTooSkewed", "RequestExpired"})


# The Region in S3's message about a bucket in another Region.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_REGION = re.compile(r"(?:expecting '|the bucket is in |[Tt]he )([a-z]{2,4}(?:-[a-z]+)+-\d+)\b")


def _elsewhere_remedy(error: S3Error) -> str:
    named = _REGION.search(error.message)
    if named:
        return f"Use --region {named[1]}."
    return "Use the bucket's own Region with --region, or its endpoint with --endpoint-url."


def _not_signed_in(error: S3Error, bucket: str) -> UnreachableError:
    """Say that there are no credentials, and which service refused them."""
    if error.operation == SIGN_IN:
        return UnreachableError(
            f"No credentials for {in_quotes(bucket)}: {error.detail}.",
            error.remedy
            or "Sign in again, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or choose another --profile.",
        )
    service = "IAM Identity Center" if error.operation in _IDENTITY_CENTER else "STS"
    return UnreachableError(
        f"{service}, not S3, refused {error.operation}: {error.detail}.",
        "Sign in again, choose another --profile, or ask the account's administrator to allow "
        f"{error.operation}.",
    )


_IDENTITY_CENTER = frozenset({"CreateToken", "GetRoleCredentials"})
