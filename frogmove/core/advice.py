"""What a failed request is called to people: what happened, where the bytes are, what to do."""

import re

from frogmove.s3.errors import Kind, S3Error

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_ACTIONS = {
    "HeadObject": "s3:GetObject and s3:ListBucket on the bucket that was asked",
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
    "ListParts": "s3:ListMultipartUploadParts on the bucket that was asked",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads on the destination",
    "AbortMultipartUpload": "s3:AbortMultipartUpload at the destination",
    "PutObject": "s3:PutObject at the destination",
}

# The action that was refused in S3's own words, which may be one of KMS.
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)")

_ADVICE = {
    Kind.ARCHIVED: "Restore it from its archive first",
    Kind.LOCKED: "Its retention or legal hold has to end first",
    Kind.NO_BUCKET: "Check the name of the bucket and the account",
    Kind.CREDENTIALS: "Check the credentials",
}


def permission(error: S3Error) -> str:
    """Return the IAM actions that a refused request needs; S3's word for it where it says one."""
    named = _NAMED_ACTION.search(error.message)
    return named[1] if named else _ACTIONS.get(error.operation, f"for {error.operation}")


def advise(error: S3Error) -> str:
    """Say in one sentence, without its full stop, what to do about a failed request."""
    if error.remedy:
        return error.remedy
    if error.is_expired:
        return "Renew the credentials, then running it again helps"
    if error.retrying_helps:
        return "Running it again may help"
    if error.kind is Kind.DENIED:
        needed = f"It needs permission: {permission(error)}"
        return f"{needed}. Running it again does not help until that is allowed"
    return _ADVICE.get(error.kind, "")


def describe(error: S3Error, state: str) -> str:
    """Say what failed, where the bytes are, and what to do.

    Args:
        error: the failed request.
        state: where the bytes are, without a full stop.
    """
    return ". ".join(filter(None, (str(error), state, advise(error))))
