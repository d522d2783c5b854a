"""AWS events as AWS sends them, for the reader of events and for the handler."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

# As documented at
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
# with values filled in.
TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-07-01T12:30:45.000Z",
    "Bucket": "external",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


def record(bucket: str, key: str, name: str = "ObjectCreated:Put", **changes: Any) -> Any:
    """Return one record of a notification; the key is encoded as S3 encodes it."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-07-01T12:30:45.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "frogmove",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": 4,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    } | changes


def notification(bucket: str, *keys: str) -> dict[str, Any]:
    """Return a notification of uploads."""
    return {"Records": [record(bucket, key) for key in keys]}


def message(identity: str, body: object) -> dict[str, Any]:
    """Return one SQS message; a body that is not text is sent as JSON.

    As documented at https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {
        "messageId": identity,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:frogmove",
        "awsRegion": "us-east-1",
    }


def batch(*messages: dict[str, Any]) -> dict[str, Any]:
    """Return a batch of messages as Lambda hands it to a function."""
    return {"Records": list(messages)}


def enveloped(body: object) -> dict[str, Any]:
    """Return what SNS wraps around a message on its way to a queue, where that is not raw.

    As documented at https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
    """
    return {
        "Type": "Notification",
        "MessageId": "d88d4479-6ec0-54fe-b63f-1cf9df4bb16e",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:frogmove",
        "Subject": "Amazon S3 Notification",
        "Message": body if isinstance(body, str) else json.dumps(body),
        "Timestamp": "2021-01-19T10:07:07.287Z",
        "SignatureVersion": "1",
        "Signature": "tEo2i6Lw6/Dr7Jdlulh0sXgnkF0idd3hqs8QZCorQpzkIWVOuu583NT0Gv0epuZD1Bo==",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-010.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }


def delivery(body: object) -> dict[str, Any]:
    """Return what SNS invokes a function with.

    As documented at https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    sns = enveloped(body) | {"MessageAttributes": {}}
    sns["SigningCertUrl"] = sns.pop("SigningCertURL")
    sns["UnsubscribeUrl"] = sns.pop("UnsubscribeURL")
    return {
        "Records": [
            {
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:aws:sns:us-east-2:123456789012:frogmove:21be56ed",
                "EventSource": "aws:sns",
                "Sns": sns,
            }
        ]
    }


def bridged(
    bucket: str, key: str, kind: str = "Object Created", /, **detail: Any
) -> dict[str, Any]:
    """Return what EventBridge passes on of S3's.

    As documented at https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "ca-central-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "event-version": "1.0",
            "bucket": {"name": bucket},
            "object": {
                "key": key,
                "size": 5,
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                "sequencer": "617f08299329d189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        }
        | detail,
    }


PLAN = "arn:aws:guardduty:us-east-1:111122223333:malware-protection-plan/b4c7f464ab3a4EXAMPLE"


def scan_result(
    bucket: str,
    key: str,
    etag: str,
    version_id: str | None = None,
    status: str = "NO_THREATS_FOUND",
    **changes: Any,
) -> dict[str, Any]:
    """Return what GuardDuty's Malware Protection for S3 reports of a scan, by EventBridge.

    As documented at https://docs.aws.amazon.com/guardduty/latest/ug/
    monitor-with-eventbridge-s3-malware-protection.html
    """
    threats = [{"name": "EICAR-Test-File (not a virus)"}] if status == "THREATS_FOUND" else None
    skipped = {"UNSUPPORTED": "SKIPPED", "ACCESS_DENIED": "SKIPPED", "FAILED": "FAILED"}
    return {
        "version": "0",
        "id": "72c7d362-737a-6dce-fc78-9e27a0171419",
        "detail-type": "GuardDuty Malware Protection Object Scan Result",
        "source": "aws.guardduty",
        "account": "111122223333",
        "time": "2024-02-28T01:01:01Z",
        "region": "us-east-1",
        "resources": [PLAN],
        "detail": {
            "schemaVersion": "1.0",
            "scanStatus": skipped.get(status, "COMPLETED"),
            "resourceType": "S3_OBJECT",
            "s3ObjectDetails": {
                "bucketName": bucket,
                "objectKey": key,
                "eTag": etag,
                "versionId": version_id or "null",
                "s3Throttled": False,
            },
            "scanResultDetails": {"scanResultStatus": status, "threats": threats},
        },
    } | changes


# As documented at
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2015-10-08T16:53:06Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"],
    "detail": {},
}


def task(
    bucket: str, key: str, version_id: str | None = None, identity: str = "dGFza2lkZ29lc2hlcmUK"
) -> dict[str, Any]:
    """Return one task of S3 Batch Operations, as both versions of its schema know it."""
    return {
        "taskId": identity,
        "s3Key": quote(key, safe="/"),
        "s3VersionId": version_id,
        "s3BucketArn": f"arn:aws:s3:::{bucket}",
        "s3Bucket": bucket,
    }


def job(*tasks: dict[str, Any], version: str = "1.0", **changes: Any) -> dict[str, Any]:
    """Return what S3 Batch Operations invokes a function with.

    As documented at
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html and, for
    version 2.0, https://aws.amazon.com/blogs/storage/
    automate-object-processing-in-amazon-s3-directory-buckets-with-s3-batch-operations-and-aws-lambda/
    """
    other = {"1.0": "s3Bucket", "2.0": "s3BucketArn"}.get(version, "")
    known = [{name: each[name] for name in each if name != other} for each in tasks]
    described: dict[str, Any] = {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"}
    if version == "2.0":
        described["userArguments"] = {"k1": "v1", "k2": "v2"}
    return {
        "invocationSchemaVersion": version,
        "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
        "job": described,
        "tasks": known,
    } | changes


# One of each.
SAMPLES: list[dict[str, Any]] = [
    notification("external", "a", "b"),
    TEST_EVENT,
    delivery(notification("external", "a")),
    batch(message("1", notification("external", "a")), message("2", bridged("external", "b"))),
    batch(message("1", enveloped(notification("external", "a")))),
    bridged("external", "a"),
    scan_result("external", "a", "d41d8cd98f00b204e9800998ecf8427e"),
    SCHEDULED,
    job(task("external", "a", "1")),
    job(task("external", "a"), version="2.0"),
    {"action": "move", "keys": ["a"], "dry_run": False},
    {"action": "sweep", "age": "1h"},
]
