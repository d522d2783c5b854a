"""Checks of the path of an upload: notification -> queue -> event source mapping -> function."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from frogmove.errors import UsageError
from frogmove.ops.aws_request import AwsRequestError, Cause, send
from frogmove.ops.check import Check, State, unknown_check
from frogmove.ops.function_checks import resume_remedy
from frogmove.ops.kms_key import KeyUse, check_key
from frogmove.ops.pause import mapping_trigger, schedule_trigger
from frogmove.ops.policy_document import statements
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.ops.deployment import Deployment
    from frogmove.ops.queue import Queue
    from frogmove.s3.uri import Location

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_VISIBILITY_FACTOR = 6
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
_ALL_UPLOADS = "s3:ObjectCreated:*"
_UPLOAD_EVENTS = {
    f"s3:ObjectCreated:{way}" for way in ("Put", "Post", "Copy", "CompleteMultipartUpload")
}
_APPLY = "Apply the Terraform module again."
# The end of the name of the queue between uploads and the scanner of the embedded AWS.
_SCAN_QUEUE_SUFFIX = "-to-scan"
_SENDERS = ("s3.amazonaws.com", "events.amazonaws.com")


class WiringChecks:
    """Checks of what leads from an upload to the function.

    Args:
        client: the client for S3.
        source: where uploads arrive.
        deployment: the function.
    """

    def __init__(self, client: S3Client, source: Location, deployment: Deployment) -> None:
        self._client = client
        self._source = source
        self._deployment = deployment

    def checks(self) -> Iterator[Check]:
        """Yield the checks in the order of an upload."""
        for name, check in (
            ("notification", self._notification),
            ("queue", self._queue),
            ("queue key", self._queue_key),
            ("mapping", self._mapping),
            ("schedule", self._schedule),
        ):
            try:
                found = check(name)
            except AwsRequestError as error:
                found = unknown_check(name, error)
            if found is not None:
                yield found

    def _notification(self, name: str) -> Check:
        bucket = self._source.bucket
        found: dict[str, Any] = send(
            "s3:GetBucketNotification",
            lambda: dict(self._client.get_bucket_notification_configuration(Bucket=bucket)),
        )
        arn = self._deployment.queue.arn
        own, events, others = [], set(), []
        for each in found.get("QueueConfigurations", []):
            uploads = set(filter(_is_of_uploads, each["Events"]))
            message = f"{', '.join(each['Events'])} -> {each['QueueArn']}{_filter(each)}"
            if each["QueueArn"].endswith(f":{self._deployment.name}{_SCAN_QUEUE_SUFFIX}"):
                return Check(name, State.OK, f"{message}, for a scan", facts={"queue": arn})
            if each["QueueArn"] == arn and uploads and self._is_for_source(each):
                own.append(message)
                events |= uploads
            else:
                others.append(message)
        if own:
            return _with_all_events(
                Check(name, State.OK, "; ".join(own), facts={"queue": arn}), events
            )
        if "EventBridgeConfiguration" in found:
            return self._rule(name)
        message = f"{bucket} reports no uploads to {arn}"
        if others:
            message = f"{message}, only: {'; '.join(others)}"
        remedy = (
            f"{_APPLY} For an adopted bucket, add {arn} to its notifications. Until then sweeps "
            "move the uploads."
        )
        return Check(name, State.BROKEN, message, remedy, {"queue": arn})

    def _is_for_source(self, configuration: dict[str, Any]) -> bool:
        """Tell whether a notification is about keys of the source's prefix."""
        own = self._source.prefix
        prefixes = [text for kind, text in _filters(configuration) if kind == "prefix"]
        return all(own.startswith(text) or text.startswith(own) for text in prefixes)

    def _rule(self, name: str) -> Check:
        """Check the rule of EventBridge, which has a name of the Terraform module."""
        rule = f"{self._deployment.name}-{'scans' if self._uses_scans() else 'uploads'}"
        client = self._deployment.services.client("events")
        try:
            found: dict[str, Any] = send(
                "events:DescribeRule", lambda: dict(client.describe_rule(Name=rule))
            )
        except AwsRequestError as error:
            if error.cause is not Cause.MISSING:
                raise
            message = f"EventBridge is on, but there is no rule {rule}"
            return Check(name, State.BROKEN, message, _APPLY, {"rule": rule})
        state = str(found.get("State", "ENABLED"))
        message, facts = f"EventBridge, rule {rule} {state}", {"rule": rule, "rule_state": state}
        if state == "DISABLED":
            return Check(
                name, State.BROKEN, message, f"aws events enable-rule --name {rule}", facts
            )
        return Check(name, State.OK, message, facts=facts)

    def _uses_scans(self) -> bool:
        with suppress(AwsRequestError, UsageError):
            return self._deployment.settings.scan_gate.plan is not None
        return False

    def _queue(self, name: str) -> Check:
        queue = self._deployment.queue
        problems = list(self._problems_of(queue))
        facts = {"queue": queue.arn, "max_receive_count": queue.max_receive_count}
        if problems:
            return Check(name, State.BROKEN, f"{queue.name}: {'; '.join(problems)}", _APPLY, facts)
        message = (
            f"{queue.name}, visibility timeout {queue.attributes.get('VisibilityTimeout')} s, "
            f"{queue.max_receive_count} deliveries"
        )
        wanted = _VISIBILITY_FACTOR * self._seconds()
        if int(queue.attributes.get("VisibilityTimeout", "0")) < wanted:
            message = f"{message}: less than {_VISIBILITY_FACTOR} times the function's timeout"
            remedy = f"{_APPLY} Two invocations may process one message at the same time."
            return Check(name, State.WARNING, message, remedy, facts)
        return Check(name, State.OK, message, facts=facts)

    def _queue_key(self, name: str) -> Check | None:
        """Check the KMS key of the queue; None if it has none, or is not known."""
        try:
            queue = self._deployment.queue
        except AwsRequestError:
            # The check of the queue says so.
            return None
        key = queue.attributes.get("KmsMasterKeyId")
        if not key:
            return None
        lost = "messages can neither be sent nor received, so only sweeps move uploads"
        remedy = f"Set `kms_key_arn`. {_APPLY}"
        if key.endswith("alias/aws/sqs"):
            message = f"{key} is AWS's own key, which S3 may not use: {lost}"
            return Check(name, State.BROKEN, message, remedy, {"kms_key_id": key})
        use = KeyUse("SQS", "queue", lost, remedy)
        return check_key(self._deployment.services, name, key, queue.arn.split(":")[3], use)

    def _problems_of(self, queue: Queue) -> Iterator[str]:
        if not _accepts_uploads(queue.attributes.get("Policy", ""), self._source.bucket):
            yield f"its policy does not allow messages about {self._source.bucket}"
        if queue.dead_letter_arn is None:
            yield "it has no dead-letter queue, so failed messages are delivered until they expire"

    def _seconds(self) -> int:
        """Return the function's timeout; 0 if it cannot be read."""
        with suppress(AwsRequestError):
            return int(self._deployment.configuration.get("Timeout", 0))
        return 0

    def _mapping(self, name: str) -> Check:
        mappings = self._deployment.mappings
        if not mappings:
            message = f"no queue invokes {self._deployment.function}"
            remedy = f"Check --function and --region. {_APPLY}"
            return Check(name, State.BROKEN, message, remedy)
        found = mappings[0]
        trigger = mapping_trigger(found)
        message = f"{found['EventSourceArn']} -> {found['FunctionArn']}, {trigger.state}"
        facts = {"mapping": trigger.name, "mapping_state": trigger.state}
        if "ReportBatchItemFailures" not in (found.get("FunctionResponseTypes") or []):
            message = f"{message}: without ReportBatchItemFailures, failed messages are deleted"
            remedy = (
                f"aws lambda update-event-source-mapping --uuid {trigger.name} "
                "--function-response-types ReportBatchItemFailures"
            )
            return Check(name, State.BROKEN, message, remedy, facts)
        if not trigger.is_on:
            return Check(name, State.WARNING, message, resume_remedy(self._deployment), facts)
        return Check(name, State.OK, message, facts=facts)

    def _schedule(self, name: str) -> Check:
        found = self._deployment.schedule
        if found is None:
            return Check(name, State.OK, f"none named {self._deployment.schedule_name}: no sweeps")
        trigger = schedule_trigger(found)
        target = found.get("Target", {}).get("Arn", "")
        message = f"{found['ScheduleExpression']} -> {target}, {trigger.state}"
        facts = {"schedule": trigger.name, "schedule_state": trigger.state}
        if self._deployment.name not in target.split(":"):
            message = f"{message}: it invokes another function"
            return Check(name, State.BROKEN, message, _APPLY, facts)
        if not trigger.is_on:
            return Check(name, State.WARNING, message, resume_remedy(self._deployment), facts)
        return Check(name, State.OK, message, facts=facts)


def _with_all_events(found: Check, events: set[str]) -> Check:
    """Return the check of a notification, with a warning if it leaves out ways to upload."""
    missing = sorted(_UPLOAD_EVENTS - events)
    if _ALL_UPLOADS in events or not missing:
        return found
    message = f"{found.message}: not {', '.join(missing)}, so only sweeps move these uploads"
    remedy = f"Let the bucket report {_ALL_UPLOADS}. {_APPLY}"
    return replace(found, state=State.WARNING, message=message, remedy=remedy)


def _is_of_uploads(event: str) -> bool:
    return event.startswith("s3:ObjectCreated:")


def _filters(configuration: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the filters of a notification: ``prefix`` or ``suffix``, and its text."""
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return [(rule["Name"].lower(), rule["Value"]) for rule in rules]


def _filter(configuration: dict[str, Any]) -> str:
    named = ", ".join(f"{kind} {in_quotes(text)}" for kind, text in _filters(configuration))
    return f", only keys with {named}" if named else ""


def _accepts_uploads(policy: str, bucket: str) -> bool:
    """Tell whether a queue's policy allows messages about a bucket, or from EventBridge."""
    return any(
        each.get("Effect") == "Allow"
        and (
            each.get("Principal") in ("*", {"AWS": "*"})
            or any(sender in json.dumps(each.get("Principal")) for sender in _SENDERS)
        )
        and _names(each, bucket)
        for each in statements(policy) or ()
    )


def _names(statement: dict[str, Any], bucket: str) -> bool:
    """Tell whether a statement's condition names the bucket or a rule of EventBridge, or none."""
    conditions = json.dumps(statement.get("Condition", {}))
    if "aws:sourcearn" not in conditions.lower():
        return True
    buckets = re.findall(r':s3:::([^"]*)"', conditions)
    return any(fnmatchcase(bucket, each) for each in buckets) or ":rule/" in conditions
