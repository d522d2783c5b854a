"""What the function tells of itself: a JSON line for each object, and metrics for each route."""

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
from frogmove.function.scan_results import ScanStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from frogmove.config import Config
    from frogmove.core.models import Action, Result
    from frogmove.errors import FrogmoveError
    from frogmove.function.s3_events import Ignored
    from frogmove.function.scan_results import ScanResult

NAME = "frogmove"

# What is counted beside the outcomes.
QUARANTINED = "quarantined"

# Neither more dimensions nor longer ones are taken.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
_LONGEST_DIMENSION = 1024


class _Output(logging.Handler):
    """Writes lines to whatever is the standard output at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        # In one piece: a name and the line's end written apart could be parted by another thread.
        sys.stdout.write(f"{self.format(record)}\n")
        sys.stdout.flush()


# In powertools' own order.
# https://docs.aws.amazon.com/powertools/python/latest/core/logger/
_LEVEL_VARIABLES = ("POWERTOOLS_LOG_LEVEL", "LOG_LEVEL")

# What others call them; Lambda itself has TRACE and FATAL.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_LEVELS = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"} | {
    name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
}


def read_level(environment: Mapping[str, str]) -> tuple[str, str]:
    """Read how much is to be logged: a wrong name must not stop the function from moving keys.

    Returns:
        the level, and what is wrong with the variable that names it; empty when nothing is.
    """
    for variable in _LEVEL_VARIABLES:
        named = environment.get(variable, "").strip()
        if named:
            level = _LEVELS.get(named.upper())
            wrong = f"{variable} is {named[:40]!a}, which is no log level; INFO is used."
            return (level, "") if level else ("INFO", wrong)
    return "INFO", ""


_level, _wrong_level = read_level(os.environ)

# Pure ASCII: whatever an outsider put into a key is shown as escapes, on one line.
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
    _log.warning(_wrong_level, remedy=f"There are {', '.join(_LEVELS)}.")

_TELL = {Outcome.SKIPPED: _log.debug, Outcome.CONFLICT: _log.warning, Outcome.FAILED: _log.error}


class Telemetry:
    """Tells of one invocation.

    Args:
        config: whose route the metrics are of, as it was written there.
        request_id: the invocation's.
    """

    def __init__(self, config: Config, request_id: str) -> None:
        self.counts: Counter[str] = Counter()
        self.bytes = 0
        self._resumed = 0
        self._ignored = 0
        self._coming: Counter[str] = Counter()
        self._scans: Counter[str] = Counter()
        self._begun: dict[str, float] = {}
        self._started = time.monotonic()
        route = f"{config.source} -> {config.destination}"
        self._metrics = AmazonCloudWatchEMFProvider(
            namespace=NAME,
            service=NAME,
            default_dimensions={"service": NAME, "route": route[:_LONGEST_DIMENSION]},
        )
        _log.append_keys(request_id=request_id)

    def watch(self, actions: Iterable[Action]) -> Iterator[Action]:
        """Pass actions on, noting when each was begun."""
        for action in actions:
            self.begin(action.object.key)
            yield action

    def begin(self, key: str) -> None:
        """Note when an object was begun."""
        self._begun[key] = time.monotonic()

    def done(self, result: Result, word: str = "") -> None:
        """Tell what became of one object.

        Args:
            result: it.
            word: what it is counted as; by default its outcome.
        """
        item, outcome = result.action.object, result.outcome
        begun = self._begun.pop(item.key, None)
        word = word or outcome.value
        self.counts[word] += 1
        if word in {Outcome.MOVED, Outcome.COPIED}:
            self.bytes += item.size
        if word == Outcome.MOVED:
            age = max(0.0, time.time() - item.last_modified.timestamp())
            self._metrics.add_metric("age", "Seconds", round(age, 3))
        tell = _TELL.get(outcome, _log.info)
        if result.resumes:
            # Nothing is wrong with an object that takes several invocations.
            self._resumed += 1
            tell = _log.info
        tell(
            word,
            key=item.key,
            destination_key=result.destination_key,
            outcome=word,
            bytes=item.size,
            milliseconds=None if begun is None else _milliseconds_since(begun),
            reason=result.reason,
        )

    def swept(self, oldest: float, unscanned: int) -> None:
        """Tell that a sweep has come to its end.

        Args:
            oldest: seconds for which the oldest object that it had to leave has been waiting.
            unscanned: objects that it left as they lack the tag of a scan.
        """
        self._scans["unscanned"] += unscanned
        self._metrics.add_metric("sweeps", "Count", 1)
        self._metrics.add_metric("oldest", "Seconds", round(oldest, 3))

    def unseen(self, key: str, outcome: Outcome, reason: str) -> None:
        """Tell of a key that no action could be made of: gone, or not to be looked at."""
        self._begun.pop(key, None)
        self.counts[outcome] += 1
        _TELL.get(outcome, _log.info)(outcome.value, key=key, outcome=outcome.value, reason=reason)

    def scanned(self, key: str, scan: ScanResult) -> None:
        """Tell of an object that a scan did not find clean."""
        is_threat = scan.status is ScanStatus.THREATS_FOUND
        self._scans["threats" if is_threat else "unscanned"] += 1
        _log.warning(
            scan.status.value,
            key=key,
            reason=scan.reason,
            threats=list(scan.threats),
            version_id=scan.version_id,
        )

    def outside(self, key: str, reason: str = "not under the source's prefix") -> None:
        """Tell of a key that is not the route's."""
        self.counts[Outcome.SKIPPED] += 1
        _log.debug("skipped", key=key, outcome=Outcome.SKIPPED.value, reason=reason)

    def ignore(self, ignored: Iterable[Ignored], about: str = "") -> None:
        """Tell of what was reported and is no new object.

        Args:
            ignored: what it was.
            about: the id of the message that reports it.
        """
        for each in ignored:
            self._ignored += 1
            reason = f"{each.name}: no new object is reported, so there is nothing to move"
            _log.info("ignored", key=each.key, reason=reason, about=about or None)

    def comes_back(self, message: str, cause: str, seconds: int) -> None:
        """Tell of a message that is delivered again.

        Args:
            message: its id.
            cause: why; counted under this name.
            seconds: how long it stays hidden until then.
        """
        self._coming[cause] += 1
        _log.info("redelivery", about=message, cause=cause, seconds=seconds)

    def warn(self, error: FrogmoveError, about: str = "") -> None:
        """Tell of something that is not about one object.

        Args:
            error: what is the matter.
            about: the id of the message or task that it is about.
        """
        _log.warning(error.message, remedy=error.remedy, about=about or None)

    def caution(self, words: str) -> None:
        """Tell what is not said for each object."""
        _log.warning(words)

    def refused(self, words: Iterable[str]) -> None:
        """Tell what the server refuses and is asked without."""
        for each in words:
            _log.warning(f"The server refuses {each}: it is asked without.")

    def end(self, kind: str, answer: str) -> None:
        """Tell that the invocation is over, and send the metrics.

        Args:
            kind: what the event was.
            answer: in a word, how it was answered.
        """
        counts = {str(outcome): count for outcome, count in self.counts.items()}
        if self._ignored:
            counts["ignored"] = self._ignored
        _log.info(
            "invocation",
            event=kind,
            answer=answer,
            counts=counts,
            bytes=self.bytes,
            milliseconds=_milliseconds_since(self._started),
        )
        for outcome, count in counts.items():
            number = count - self._resumed if outcome == Outcome.FAILED else count
            if number:
                self._metrics.add_metric(outcome, "Count", number)
        for name, count in (self._coming + self._scans).items():
            self._metrics.add_metric(name, "Count", count)
        if self.bytes:
            self._metrics.add_metric("bytes", "Bytes", self.bytes)
        if self._metrics.metric_set:
            self._metrics.flush_metrics()


def _milliseconds_since(begun: float) -> int:
    return round(1000 * (time.monotonic() - begun))
