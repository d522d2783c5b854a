"""Who may do what in the automatic move: the policies of the queue, the role and its trust."""

from typing import Any

# What the handler asks of each bucket, and no more. ListBucket makes S3 answer 404 and not 403
# for a key that is not there (API reference of HeadObject).
_ON_SOURCE = (
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectAnnotation",
    "s3:ListObjectAnnotations",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
    "s3:DeleteObject",
    # Where the bucket keeps versions, exactly the one that was scanned is copied.
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAnnotation",
    "s3:GetObjectVersionTagging",
    "s3:ListObjectVersionAnnotations",
)
# Only where these are in use have objects anything that a copy does not carry.
_ON_SOURCE_BUCKET = (
    "s3:GetBucketWebsite",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
)
_ON_DESTINATION = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectTagging",
    # Copies in parts carry no annotations by themselves.
    "s3:GetObjectAnnotation",
    "s3:ListObjectAnnotations",
    "s3:PutObjectAnnotation",
    # Large objects are copied in parts, over several invocations where one is too short.
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    # Not on AWS: for the throw-away keys that tell which conditions this server honours, see
    # frogmove.s3.capabilities.
    "s3:GetObjectTagging",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
)
_ON_QUEUE = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    # Failed messages come back when it suits them.
    "sqs:ChangeMessageVisibility",
)
_ON_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


# A policy document, to be sent as JSON.
Policy = dict[str, Any]


def queue_policy(queue_arn: str, bucket: str, account: str) -> Policy:
    """Return who may send to the queue: S3, for this account's bucket.

    Both conditions are needed: without the account, whoever takes over the bucket's name in
    another account could send too ("confused deputy":
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html).

    Args:
        queue_arn: the queue.
        bucket: the name of the bucket whose notifications it takes.
        account: the number of the bucket's account.
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


def role_policy(source: str, destination: str, queue_arn: str, logs_arn: str) -> Policy:
    """Return what the function may do.

    Args:
        source: the name of the bucket it moves from.
        destination: the name of the bucket it moves to.
        queue_arn: the queue it is fed from.
        logs_arn: the log group it writes to.
    """
    source_arn, destination_arn = f"arn:aws:s3:::{source}", f"arn:aws:s3:::{destination}"
    return _policy(
        _allow(("s3:ListBucket",), source_arn, destination_arn),
        _allow(("s3:ListBucketMultipartUploads",), destination_arn),
        _allow(_ON_SOURCE_BUCKET, source_arn),
        _allow(_ON_SOURCE, f"{source_arn}/*"),
        _allow(_ON_DESTINATION, f"{destination_arn}/*"),
        _allow(_ON_QUEUE, queue_arn),
        _allow(_ON_LOGS, f"{logs_arn}:*"),
    )


def _policy(*statements: dict[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(actions: tuple[str, ...], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
