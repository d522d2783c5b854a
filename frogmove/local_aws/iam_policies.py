"""The policies of the queue, of the function's role, and of its trust."""

from collections.abc import Sequence
from typing import Any

# The least permissions for the handler. With ListBucket, S3 returns 404 instead of 403 for a
# missing key (API reference of HeadObject).
_ON_SOURCE = (
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectAnnotation",
    "s3:ListObjectAnnotations",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
    "s3:DeleteObject",
    # If the bucket keeps versions, exactly the scanned version is copied.
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAnnotation",
    "s3:GetObjectVersionTagging",
    "s3:ListObjectVersionAnnotations",
)
# Objects have attributes that S3 does not copy only if one of these is enabled.
_ON_SOURCE_BUCKET = (
    "s3:GetBucketWebsite",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
)
_ON_DESTINATION = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectTagging",
    # A multipart copy does not copy annotations.
    "s3:GetObjectAnnotation",
    "s3:ListObjectAnnotations",
    "s3:PutObjectAnnotation",
    # Large objects are copied in parts, over several invocations if necessary.
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    # Not needed on AWS: for the temporary keys that test the server's capabilities, see
    # frogmove.s3.capabilities.
    "s3:GetObjectTagging",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
)
_ON_QUEUE = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    # To set when failed messages are delivered again.
    "sqs:ChangeMessageVisibility",
)
_ON_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


# A policy document.
Policy = dict[str, Any]


def queue_policy(queue_arn: str, bucket: str, account: str) -> Policy:
    """Return the queue's policy: S3 may send messages for this account's bucket.

    Both conditions are needed: without the account, a bucket of the same name in another account
    could send messages ("confused deputy":
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html).

    Args:
        queue_arn: the queue.
        bucket: the bucket whose notifications it receives.
        account: the id of the bucket's account.
    """
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
                "StringEquals": {"aws:SourceAccount": account},
            },
        }
    )


def trust_policy(service: str) -> Policy:
    """Return who may take on a role: a service of AWS."""
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
    )


def invoke_policy(function_arn: str) -> Policy:
    """Return what the schedule may do: call the function."""
    return _policy(_allow(("lambda:InvokeFunction",), function_arn))


def role_policy(source: str, destinations: Sequence[str], queue_arn: str, logs_arn: str) -> Policy:
    """Return the policy of the function's role.

    Args:
        source: the source bucket.
        destinations: the destination bucket, and that of the quarantine if there is one.
        queue_arn: its queue.
        logs_arn: its log group.
    """
    source_arn, *destination_arns = (f"arn:aws:s3:::{name}" for name in (source, *destinations))
    return _policy(
        _allow(("s3:ListBucket",), source_arn, *destination_arns),
        _allow(("s3:ListBucketMultipartUploads",), *destination_arns),
        _allow(_ON_SOURCE_BUCKET, source_arn),
        _allow(_ON_SOURCE, f"{source_arn}/*"),
        _allow(_ON_DESTINATION, *(f"{arn}/*" for arn in destination_arns)),
        _allow(_ON_QUEUE, queue_arn),
        _allow(_ON_LOGS, f"{logs_arn}:*"),
    )


def _policy(*statements: dict[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(actions: tuple[str, ...], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
