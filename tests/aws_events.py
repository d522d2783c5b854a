"""AWS events as AWS sends them, for the reader of events and for the handler."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

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
