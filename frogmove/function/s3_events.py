"""Parses notifications of S3 and scan results of GuardDuty.

Outsiders choose the keys in notifications: parsing one either returns uploads or raises
:class:`EventError`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from frogmove.errors import FrogmoveError
from frogmove.function.scan_results import KIND, SOURCE, ScanResult, read_scan

EXPECTED = (
    "Expected an S3 notification, directly or through SNS, SQS or EventBridge; a scan result of "
    "GuardDuty's Malware Protection for S3; a task of S3 "
    'Batch Operations; or {"action": "move", "sync", "sweep" or "ping"}.'
)


class EventError(FrogmoveError):
    """An event, or one message of it, that is not valid or not allowed."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded object that a notification reports.

    Attributes:
        bucket: its bucket.
        key: its key.
        scan: its scan result, if the notification reports one.
    """

    bucket: str
    key: str
    scan: ScanResult | None = None

    @property
    def is_threat(self) -> bool:
        """Whether its scan found threats."""
        return self.scan is not None and self.scan.is_threat


@dataclass(frozen=True, slots=True)
class Ignored:
    """A reported event that is not a new object, so that nothing is to be done.

    Attributes:
        name: S3's name of the event.
        key: the key.
        tagged: an object that was tagged; relevant if a tag is required.
    """

    name: str
    key: str
    tagged: Upload | None = field(default=None, compare=False)


# S3's event names, up to the colon, that are not uploads.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
_OTHER_EVENTS = frozenset(
    {
        "IntelligentTiering",
        "LifecycleExpiration",
        "LifecycleTransition",
        "ObjectAcl",
        "ObjectRemoved",
        "ObjectRestore",
        "ObjectTagging",
        "ReducedRedundancyLostObject",
        "Replication",
    }
)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
_OTHER_DETAILS = frozenset(
    {
        "Object ACL Updated",
        "Object Access Tier Changed",
        "Object Deleted",
        "Object Restore Completed",
        "Object Restore Expired",
        "Object Restore Initiated",
        "Object Storage Class Changed",
        "Object Tags Added",
        "Object Tags Deleted",
    }
)

# Scanners tag the objects that they have scanned.
_TAGGED, _TAGS_ADDED = "ObjectTagging:Put", "Object Tags Added"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging.html
_API_CALL = "AWS API Call via CloudTrail"


def read_notification(document: object, ignored: list[Ignored] | None = None) -> tuple[Upload, ...]:
    """Parse one notification from S3, EventBridge or SNS.

    Args:
        document: the notification.
        ignored: receives the events that are known but are not new objects, such as removals,
            except the test event that S3 sends when a notification is configured.

    Raises:
        EventError: when it is not a known notification.
    """
    ignored = [] if ignored is None else ignored
    if isinstance(document, Mapping):
        if document.get("Type") == "Notification":
            return _read_plain(parse(document.get("Message"), "The SNS message"), ignored)
        if is_from_topic(document):
            return tuple(
                upload
                for record in document["Records"]
                for upload in _read_delivery(record, ignored)
            )
    return _read_plain(document, ignored)


def is_from_topic(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is an invocation by SNS.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    return first_record(event).get("EventSource") == "aws:sns"


def first_record(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first record of an event; an empty one if there is none."""
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], Mapping):
        first: Mapping[str, Any] = records[0]
        return first
    return {}


def parse(text: object, name: str) -> object:
    """Parse a JSON string inside an event.

    Args:
        text: the text.
        name: its name in an error message.

    Raises:
        EventError: when it is not JSON.
    """
    if not isinstance(text, str):
        raise EventError(f"{name} is not a string.", EXPECTED)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EventError(f"{name} is not JSON.", EXPECTED) from error


def shown(value: object) -> str:
    """Format a value of an event for an error message: short, on one line, in ASCII."""
    if isinstance(value, str):
        return ascii(value[:100])
    return f"of the type {type(value).__name__}"


def decode_key(encoded: str) -> str:
    """Decode a key of a notification: percent-encoded UTF-8, with ``+`` for a space.

    Raises:
        EventError: when it is not UTF-8.
    """
    try:
        key = unquote_plus(encoded, errors="strict")
    except UnicodeError as error:
        raise EventError("A key is not UTF-8.", EXPECTED) from error
    return whole(key)


def whole(key: str) -> str:
    """Return the key if it can be encoded: JSON may contain a lone surrogate.

    Raises:
        EventError: when it contains one.
    """
    try:
        key.encode()
    except UnicodeError as error:
        raise EventError("A key is not UTF-8.", EXPECTED) from error
    return key


def _read_delivery(record: object, ignored: list[Ignored]) -> tuple[Upload, ...]:
    sns = record.get("Sns") if isinstance(record, Mapping) else None
    if not isinstance(sns, Mapping):
        raise EventError("A record is not an SNS notification.", EXPECTED)
    return _read_plain(parse(sns.get("Message"), "The SNS message"), ignored)


def _read_plain(document: object, ignored: list[Ignored]) -> tuple[Upload, ...]:
    """Parse a notification that is not wrapped."""
    if not isinstance(document, Mapping):
        raise EventError("The event is not a JSON object.", EXPECTED)
    if document.get("Event") == "s3:TestEvent":
        return ()
    if document.get("source") == "aws.s3":
        return _read_bridged(document, ignored)
    if document.get("source") == SOURCE:
        return (_read_scan_result(document),)
    records = document.get("Records")
    if not isinstance(records, list):
        raise EventError("The event has no Records.", EXPECTED)
    if not records:
        ignored.append(Ignored("no Records", ""))
    read = [_read_record(record, ignored) for record in records]
    return tuple(upload for upload in read if upload is not None)


def _read_record(record: object, ignored: list[Ignored]) -> Upload | None:
    """Parse one record of S3; None if it is not a new object.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    try:
        source, name = record["eventSource"], record["eventName"]  # type: ignore[index]
        version = record["eventVersion"]  # type: ignore[index]
        bucket = record["s3"]["bucket"]["name"]  # type: ignore[index]
        key = record["s3"]["object"]["key"]  # type: ignore[index]
    except (KeyError, TypeError, IndexError) as error:
        raise EventError("A record is not an S3 notification.", EXPECTED) from error
    if not all(isinstance(text, str) for text in (source, name, version, bucket, key)):
        raise EventError("A record is not an S3 notification.", EXPECTED)
    if source != "aws:s3" or version.partition(".")[0] != "2":
        raise EventError("A record is not an S3 notification of version 2.", EXPECTED)
    # Records omit the prefix s3: of configurations.
    group = name.removeprefix("s3:").partition(":")[0]
    if group == "ObjectCreated":
        return Upload(bucket, decode_key(key))
    if group not in _OTHER_EVENTS:
        raise EventError(f"S3 reports the unknown event {shown(name)}.", EXPECTED)
    tagged = name.removeprefix("s3:") == _TAGGED
    ignored.append(_ignored(name, Upload(bucket, decode_key(key)), is_tagged=tagged))
    return None


def _ignored(name: str, item: Upload, *, is_tagged: bool) -> Ignored:
    return Ignored(name, item.key, item if is_tagged else None)


def _read_bridged(document: Mapping[str, Any], ignored: list[Ignored]) -> tuple[Upload, ...]:
    """Parse an event from EventBridge; keys are not encoded there.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    kind = document.get("detail-type")
    if not isinstance(kind, str):
        raise EventError("The EventBridge event has no detail-type.", EXPECTED)
    if kind == _API_CALL:
        raise EventError(
            "CloudTrail reports API calls, which may have failed, not uploads.",
            'Let the rule match the detail-type "Object Created".',
        )
    if kind != "Object Created" and kind not in _OTHER_DETAILS:
        raise EventError(f"EventBridge reports the unknown event {shown(kind)}.", EXPECTED)
    try:
        detail = document["detail"]
        version = detail.get("event-version", "1.0")
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise EventError("The EventBridge event is not one of S3's.", EXPECTED) from error
    if not all(isinstance(text, str) for text in (version, bucket, key)):
        raise EventError("The EventBridge event is not one of S3's.", EXPECTED)
    if version.partition(".")[0] != "1":
        raise EventError("The EventBridge event is not one of version 1.", EXPECTED)
    if kind != "Object Created":
        is_tagged = kind == _TAGS_ADDED
        ignored.append(_ignored(kind, Upload(bucket, whole(key)), is_tagged=is_tagged))
        return ()
    return (Upload(bucket, whole(key)),)


def _read_scan_result(document: Mapping[str, Any]) -> Upload:
    """Parse an event of GuardDuty; keys are not encoded there."""
    kind = document.get("detail-type")
    if kind != KIND:
        raise EventError(
            f"GuardDuty reports {shown(kind)}, which is not a scan result.",
            f'Let the rule match the detail-type "{KIND}".',
        )
    read = read_scan(document)
    if read is None:
        raise EventError("The scan result of GuardDuty is not one of version 1.", EXPECTED)
    bucket, key, scan = read
    return Upload(bucket, whole(key), scan)
