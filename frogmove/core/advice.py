"""Messages about failed requests: what happened, where the bytes are, what to do."""

import re

from frogmove.s3.errors import Kind, S3Error

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
    "DeleteObject": "s3:DeleteObject and s3:GetObject at the source",
    "DeleteObjects": "s3:DeleteObject and s3:GetObject at the source",
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
    return ". ".join(filter(None, (str(error), state, advise(error))))
