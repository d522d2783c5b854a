"""The check of the function's failures: what failed, and whether that is over."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from frogmove.core.selection import HEAD_CONCURRENCY, head_each
from frogmove.errors import UsageError
from frogmove.ops.activity import DAY
from frogmove.ops.check import Check, State
from frogmove.quoting import in_quotes
from frogmove.s3.errors import S3Error
from frogmove.s3.uri import check_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.ops.function_log import FunctionLog, LogLine
    from frogmove.s3.interface import S3

NAME = "errors"

# Failures that are read from the log; more are not worth the time.
MAX_FAILURES = 10_000
_MAX_KEYS = 1_000
_SHOWN = 3

# The metrics of an invocation that has done something, and of one in which something failed. A
# dry run, such as that of `frogmove doctor`, and a duplicate event have neither.
_WORKED = ("moved", "copied", "quarantined", "sweeps")
_NOT_WORKED = ("failed", "conflict", "rejected", "retried")
_MAX_MESSAGE_LENGTH = 300


@dataclass(slots=True)
class Failures:
    """Failures in the function's log.

    Attributes:
        count: their number.
        messages: the number of each message.
        last: when the last one was; None for none.
        keys: when each key failed last.
        last_without_key: when the last one was that is not about an object; None for none.
    """

    count: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None
    keys: dict[str, datetime] = field(default_factory=dict)
    last_without_key: datetime | None = None

    def add(self, line: LogLine) -> None:
        """Add a line; lines are added in the order of their time."""
        self.count += 1
        self.messages[_message(line)] += 1
        self.last = line.time
        if line.key is None:
            self.last_without_key = line.time
        else:
            self.keys[line.key] = line.time


def read_failures(log: FunctionLog, since: datetime) -> Failures:
    """Read the failures since a time.

    Raises:
        AwsRequestError: when the log cannot be read.
    """
    found = Failures()
    for line in islice(log.failures(since), MAX_FAILURES):
        found.add(line)
    return found


def check_failures(
    found: Failures, log: FunctionLog, s3: S3, bucket: str, now: datetime, option: str
) -> Check:
    """Check whether the failures of the last hour are over.

    They are once no object that failed waits at the source any more, and, after a failure that is
    not about an object, an invocation has worked without one.

    Args:
        found: the failures of the last hour.
        log: the function's log.
        s3: the client for the source.
        bucket: the source bucket.
        now: the current time.
        option: the option that names the function, for the remedy.

    Raises:
        AwsRequestError: when the log cannot be read.
    """
    if found.last is None:
        return _of_the_day(read_failures(log, now - DAY))
    facts = _facts(found, found.last, "hour")
    remedy = f"frogmove lambda logs --failed {option}"
    reasons = []
    waiting, error = _still_waiting(found.keys, s3, bucket)
    facts["still_waiting"] = len(waiting)
    if len(waiting) == 1:
        reasons.append(f"1 object still waits: {in_quotes(waiting[0])}")
    elif waiting:
        reasons.append(f"{len(waiting):,} objects still wait, such as {in_quotes(waiting[0])}")
    if error is not None:
        others = "other" if waiting else "their"
        reasons.append(f"whether {others} objects still wait is not known: {error.detail}")
    elif len(found.keys) > _MAX_KEYS and not waiting:
        reasons.append(f"of {len(found.keys):,} objects, only {_MAX_KEYS:,} were looked up")
    if found.last_without_key is not None and not _has_worked(log, found.last_without_key):
        reasons.append("no invocation has worked since")
        remedy = f"{remedy}; once it is fixed: frogmove lambda invoke sweep {option}"
    if found.count == MAX_FAILURES:
        reasons.append("later ones were not read")
    if not reasons:
        message = f"none since {clock(found.last)}; before that {_named(found)} in the last hour"
        return Check(NAME, State.OK, message, facts=facts)
    message = f"{_named(found)} in the last hour, last {clock(found.last)}; {'; '.join(reasons)}"
    return Check(NAME, State.WARNING, message, remedy, facts)


def _of_the_day(found: Failures) -> Check:
    if found.last is None:
        return Check(NAME, State.OK, "none in the last day", facts={"count": 0})
    message = f"none since {clock(found.last)}; before that {_named(found)} in the last day"
    return Check(NAME, State.OK, message, facts=_facts(found, found.last, "day"))


def _facts(found: Failures, last: datetime, when: str) -> dict[str, Any]:
    return {
        "count": found.count,
        "within": when,
        "last": last.isoformat(),
        "messages": dict(found.messages.most_common(_SHOWN)),
    }


def _still_waiting(
    keys: dict[str, datetime], s3: S3, bucket: str
) -> tuple[list[str], S3Error | None]:
    """Return the keys whose object is the one that failed, or an earlier one.

    The second value says why others could not be looked up; None if all were.
    """
    waiting = []
    problem = None
    latest = sorted(filter(_is_possible, keys), key=keys.__getitem__, reverse=True)[:_MAX_KEYS]
    for key, seen in head_each(latest, s3, bucket, HEAD_CONCURRENCY):
        if isinstance(seen, S3Error):
            problem = problem or seen
        elif seen is not None and seen.last_modified <= keys[key]:
            waiting.append(key)
    return waiting, problem


def _is_possible(key: str) -> bool:
    """Tell whether S3 can have a key; a caller of the function may name any text."""
    with suppress(UsageError):
        return bool(check_key(key))
    return False


def _has_worked(log: FunctionLog, since: datetime) -> bool:
    """Tell whether an invocation has done something after that, and nothing failed in it.

    Raises:
        AwsRequestError: when the log cannot be read.
    """
    lines = (line.fields for line in log.metrics(since) if line.time > since)
    return any(_has(fields, _WORKED) and not _has(fields, _NOT_WORKED) for fields in lines)


def _has(fields: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(fields.get(name) for name in names)


def _named(found: Failures) -> str:
    more = " or more" if found.count == MAX_FAILURES else ""
    common = found.messages.most_common(_SHOWN)
    named = "; ".join(f"{times:,} x {message}" for message, times in common)
    return f"{found.count:,}{more} ({named})"


def _message(line: LogLine) -> str:
    """Return what failed, without the key, so that equal failures have equal messages."""
    fields = line.fields
    text = fields.get("reason") or fields.get("errorMessage") or fields.get("message") or line.text
    word = fields.get("outcome")
    shown = str(text)[:_MAX_MESSAGE_LENGTH]
    return f"{word}: {shown}" if word and word != text else shown


def clock(time: datetime) -> str:
    """Return a time (UTC) to the minute."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
