"""Reads the function's log from CloudWatch Logs, across its streams.

The function's lines are those of :mod:`frogmove.function.telemetry`; Lambda writes others.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from frogmove.ops.aws_request import AwsRequestError, Cause, repeated_page, send

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTION = "logs:FilterLogEvents"
_LEVELS = frozenset({"WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"})
_OUTCOMES = frozenset({"failed", "conflict"})

# What CloudWatch selects for LogLine.is_failure and is_metrics if all lines are JSON.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
_FAILURES = " || ".join(
    [
        *(f'($.level = "{level}")' for level in sorted(_LEVELS)),
        '($.type = "platform.report" && $.record.status != "success")',
    ]
)
_METRICS = "$._aws.Timestamp > 0"
# Keys that mean only themselves in a filter.
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_./ @:+-]+")

# Lambda's own lines in text format, and those of an embedded AWS.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
_PLATFORM = re.compile(r"(START|END|REPORT|INIT_START|XRAY) ")
_FAILURE = re.compile(
    r"\[(?:ERROR|CRITICAL|WARN(?:ING)?)\]|Task timed out|Status: (?:timeout|error)"
    r"|^Traceback \(|^[\w.]*(?:Error|Exception)\b:|(?i:process|runtime) (?:exited|died)"
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log.

    Attributes:
        id: its id.
        time: when it was written (UTC).
        stream: its log stream.
        text: the line as it is; may hold any characters.
        fields: the line as a JSON object; empty if it is none.
    """

    id: str
    time: datetime
    stream: str
    text: str
    fields: dict[str, Any]

    @property
    def key(self) -> str | None:
        """The key that it is about; None if it is about none."""
        key = self.fields.get("key")
        return key if isinstance(key, str) else None

    @property
    def is_metrics(self) -> bool:
        """Whether it holds metrics for CloudWatch (EMF)."""
        return "_aws" in self.fields

    @property
    def is_platform(self) -> bool:
        """Whether Lambda wrote it about the invocation."""
        if self.fields:
            return str(self.fields.get("type", "")).startswith("platform.")
        return _PLATFORM.match(self.text) is not None

    @property
    def is_failure(self) -> bool:
        """Whether it says that something failed, or needs attention."""
        if not self.fields:
            return _FAILURE.search(self.text) is not None
        if self.is_platform:
            record = self.fields.get("record")
            status = record.get("status") if isinstance(record, dict) else None
            return status is not None and status != "success"
        # They may be of any type: other programs may write to the log group, too.
        return (
            str(self.fields.get("level")) in _LEVELS
            or str(self.fields.get("outcome")) in _OUTCOMES
            or "errorType" in self.fields
        )


class FunctionLog:
    """The log of a function.

    Args:
        client: the client for CloudWatch Logs.
        group: the log group.
        is_json: whether Lambda writes its own lines as JSON, too.
        unread: why the name of the log group could not be read; it may be another one.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401
        group: str,
        *,
        is_json: bool = False,
        unread: AwsRequestError | None = None,
    ) -> None:
        self._client = client
        self.group = group
        self._is_json = is_json
        self._unread = unread

    def lines(self, since: datetime, pattern: str = "") -> Iterator[LogLine]:
        """Yield the lines of all streams in the order of their time.

        Args:
            since: the time of the first line.
            pattern: a filter of CloudWatch Logs. Servers differ: check the lines as well.

        Raises:
            AwsRequestError: when the log cannot be read. A log group that does not exist has no
                lines: Lambda may create it at the first invocation.
        """
        request: dict[str, Any] = {"logGroupName": self.group, "startTime": _milliseconds(since)}
        if pattern:
            request["filterPattern"] = pattern
        while True:
            page = self._page(request)
            for event in page.get("events", []):
                yield _read(event)
            token = page.get("nextToken")
            if not token:
                return
            if token == request.get("nextToken"):
                raise repeated_page(_ACTION)
            request["nextToken"] = token

    def failures(self, since: datetime) -> Iterator[LogLine]:
        """Yield the lines that say that something failed; see :meth:`lines`."""
        pattern = f"{{ {_FAILURES} }}" if self._is_json else ""
        return (line for line in self.lines(since, pattern) if line.is_failure)

    def about(self, key: str, since: datetime) -> Iterator[LogLine]:
        """Yield the lines about a key; see :meth:`lines`."""
        is_plain = self._is_json and _PLAIN_KEY.fullmatch(key)
        pattern = f'{{ $.key = "{key}" }}' if is_plain else ""
        return (line for line in self.lines(since, pattern) if line.key == key)

    def metrics(self, since: datetime) -> Iterator[LogLine]:
        """Yield the lines with metrics; see :meth:`lines`."""
        pattern = f"{{ {_METRICS} }}" if self._is_json else ""
        return (line for line in self.lines(since, pattern) if line.is_metrics)

    def _page(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            page: dict[str, Any] = send(_ACTION, lambda: self._client.filter_log_events(**request))
        except AwsRequestError as error:
            if error.cause is not Cause.MISSING:
                raise
            if self._unread is not None and self._unread.cause is not Cause.MISSING:
                raise self._unread from error
            return {}
        return page


def _finite(text: str) -> float | str:
    """Return a number; its text if it is too large, because JSON has no infinity."""
    number = float(text)
    return number if math.isfinite(number) else text


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _read(event: dict[str, Any]) -> LogLine:
    text = event.get("message", "").rstrip("\r\n")
    fields: Any = None
    if text.startswith("{"):
        try:
            fields = json.loads(text, parse_float=_finite, parse_constant=str)
        except (ValueError, RecursionError):
            fields = None
    try:
        time = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    except (OverflowError, OSError, TypeError, ValueError) as error:
        message = f"a line has the time {event['timestamp']!a}"
        raise AwsRequestError(_ACTION, Cause.FAILED, message) from error
    return LogLine(
        event.get("eventId", ""),
        time,
        event.get("logStreamName", ""),
        text,
        fields if isinstance(fields, dict) else {},
    )
