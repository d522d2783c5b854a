"""Logs and metrics of the function: a JSON line per object, metrics per route."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

from frogmove.core.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from frogmove.config import Config
    from frogmove.core.models import Action, Result
    from frogmove.errors import FrogmoveError
    from frogmove.function.s3_events import Ignored
    from frogmove.function.scan_results import ScanResult

NAME = "frogmove"

# Further metrics besides the outcomes.
QUARANTINED = "quarantined"

# CloudWatch's limits for dimensions.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
_MAX_DIMENSION_LENGTH = 1024


class _Output(logging.Handler):
    """Writes lines to the current standard output."""

    def emit(self, record: logging.LogRecord) -> None:
        # In one write, so that lines of several threads are not mixed.
        sys.stdout.write(f"{self.format(record)}\n")
        sys.stdout.flush()


# In powertools' order.
# https://docs.aws.amazon.com/powertools/python/latest/core/logger/
_LEVEL_VARIABLES = ("POWERTOOLS_LOG_LEVEL", "LOG_LEVEL")

# Other names of log levels; Lambda itself has TRACE and FATAL.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_LEVELS = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"} | {
    name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
}


def read_level(environment: Mapping[str, str]) -> tuple[str, str]:
    """Read the log level; an invalid one must not stop the function.

    Returns:
        the level, and a message about an invalid variable; empty if it is valid.
    """
    for variable in _LEVEL_VARIABLES:
        named = environment.get(variable, "").strip()
        if named:
            level = _LEVELS.get(named.upper())
            wrong = f"{variable} is {named[:40]!a}, which is not a log level; INFO is used."
            return (level, "") if level else ("INFO", wrong)
    return "INFO", ""


_level, _wrong_level = read_level(os.environ)

# ASCII, so that special characters in outsiders' keys are escaped, on one line.
_log = Logger(
    service=NAME,
    level=_level,
    logger_handler=_Output(),
    json_serializer=partial(json.dumps, separators=(",", ":"), default=str),
    utc=True,
    use_rfc3339=True,
    location=None,
)

if _wrong_level:
    _log.warning(_wrong_level, remedy=f"Log levels are {', '.join(_LEVELS)}.")

_LOG_METHODS = {
    Outcome.SKIPPED: _log.debug,
    Outcome.CONFLICT: _log.warning,
    Outcome.FAILED: _log.error,
}


class Telemetry:
    """Logs and metrics of one invocation.

    Args:
        config: its route is a dimension of the metrics.
        request_id: the invocation's request id.
    """

    def __init__(self, config: Config, request_id: str) -> None:
        self.counts: Counter[str] = Counter()
        self.bytes = 0
        # Objects that are too young for a sweep.
        self.young = 0
        self._resumed = 0
        self._ignored = 0
        self._redelivered: Counter[str] = Counter()
        self._scans: Counter[str] = Counter()
        self._started_at: dict[str, float] = {}
        self._started = time.monotonic()
        route = f"{config.source} -> {config.destination}"
        self._metrics = AmazonCloudWatchEMFProvider(
            namespace=NAME,
            service=NAME,
            default_dimensions={"service": NAME, "route": route[:_MAX_DIMENSION_LENGTH]},
        )
        _log.append_keys(request_id=request_id)

    def watch(self, actions: Iterable[Action]) -> Iterator[Action]:
        """Yield the actions, and record when each was started."""
        for action in actions:
            self.begin(action.object.key)
            yield action

    def begin(self, key: str) -> None:
        """Record when an object was started."""
        self._started_at[key] = time.monotonic()

    def done(self, result: Result, word: str = "") -> None:
        """Log the result of one object.

        Args:
            result: the result.
            word: the name of its metric; by default its outcome.
        """
        item, outcome = result.action.object, result.outcome
        started = self._started_at.pop(item.key, None)
        word = word or outcome.value
        self.counts[word] += 1
        if word in {Outcome.MOVED, Outcome.COPIED}:
            self.bytes += item.size
        if word == Outcome.MOVED:
            age = max(0.0, time.time() - item.last_modified.timestamp())
            self._metrics.add_metric("age", "Seconds", round(age, 3))
        log = _LOG_METHODS.get(outcome, _log.info)
        if result.resumes:
            # An object that takes several invocations is not a failure.
            self._resumed += 1
            log = _log.info
        log(
            word,
            key=item.key,
            destination_key=result.destination_key,
            outcome=word,
            bytes=item.size,
            milliseconds=None if started is None else _milliseconds_since(started),
            reason=result.reason,
        )

    def sweep_ended(self, oldest: float, unscanned: int, *, is_finished: bool) -> None:
        """Log the end of a sweep.

        Args:
            oldest: age in seconds of the oldest object that was not moved.
            unscanned: number of objects that lack the required tag.
            is_finished: whether it saw every object. If its time ran out each time, the objects
                that it never reaches would wait without an alarm.
        """
        self._scans["unscanned"] += unscanned
        if is_finished:
            self._metrics.add_metric("sweeps", "Count", 1)
        self._metrics.add_metric("oldest", "Seconds", round(oldest, 3))

    def without_action(self, key: str, outcome: Outcome, reason: str) -> None:
        """Log a key without an action: it is gone, or its lookup failed."""
        self._started_at.pop(key, None)
        self.counts[outcome] += 1
        _LOG_METHODS.get(outcome, _log.info)(
            outcome.value, key=key, outcome=outcome.value, reason=reason
        )

    def scanned(self, key: str, scan: ScanResult) -> None:
        """Log an object that is not clean."""
        self._scans["threats" if scan.is_threat else "unscanned"] += 1
        _log.warning(
            scan.status.value,
            key=key,
            reason=scan.reason,
            threats=list(scan.threats),
            version_id=scan.version_id,
        )

    def outside(self, key: str, reason: str = "not under the source's prefix") -> None:
        """Log a key that is not under the route's source."""
        self.counts[Outcome.SKIPPED] += 1
        _log.debug("skipped", key=key, outcome=Outcome.SKIPPED.value, reason=reason)

    def ignore(self, ignored: Iterable[Ignored], about: str = "") -> None:
        """Log reported events that are not new objects.

        Args:
            ignored: the events.
            about: the id of the message.
        """
        for each in ignored:
            self._ignored += 1
            reason = f"{each.name}: not a new object, so there is nothing to move"
            _log.info("ignored", key=each.key, reason=reason, about=about or None)

    def redelivered(self, message: str, cause: str, seconds: int) -> None:
        """Log a message that will be delivered again.

        Args:
            message: its id.
            cause: why; also the name of its metric.
            seconds: until it is delivered again.
        """
        self._redelivered[cause] += 1
        _log.info("redelivery", about=message, cause=cause, seconds=seconds)

    def warn(self, error: FrogmoveError, about: str = "") -> None:
        """Log an error that is not about one object.

        Args:
            error: the error.
            about: the id of the message or task.
        """
        _log.warning(error.message, remedy=error.remedy, about=about or None)

    def warning(self, words: str) -> None:
        """Log a warning that is not about one object."""
        _log.warning(words)

    def refused(self, words: Iterable[str]) -> None:
        """Log the parameters that the server refuses and that are left out."""
        for each in words:
            _log.warning(f"The server refuses {each}; it is left out.")

    def end(self, kind: str, response: str) -> None:
        """Log the end of the invocation, and write the metrics.

        Args:
            kind: the kind of event.
            response: the kind of response.
        """
        counts = {str(outcome): count for outcome, count in self.counts.items()}
        if self._ignored:
            counts["ignored"] = self._ignored
        _log.info(
            "invocation",
            event=kind,
            response=response,
            counts=counts,
            bytes=self.bytes,
            milliseconds=_milliseconds_since(self._started),
        )
        for outcome, count in counts.items():
            number = count - self._resumed if outcome == Outcome.FAILED else count
            if number:
                self._metrics.add_metric(outcome, "Count", number)
        for name, count in (self._redelivered + self._scans).items():
            self._metrics.add_metric(name, "Count", count)
        if self.bytes:
            self._metrics.add_metric("bytes", "Bytes", self.bytes)
        if self._metrics.metric_set:
            self._metrics.flush_metrics()


def _milliseconds_since(started: float) -> int:
    return round(1000 * (time.monotonic() - started))
