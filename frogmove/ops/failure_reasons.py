"""Finds in the function's log why messages failed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from frogmove.ops.aws_request import AwsRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from frogmove.ops.function_log import FunctionLog, LogLine
    from frogmove.ops.queue_message import QueueMessage

# Seconds after which reading the log ends.
MAX_SECONDS = 30.0

# The function writes a line a moment after the message was sent.
_EARLIER = timedelta(seconds=5)


@dataclass
class FailureReasons:
    """The reasons that the log has for messages and keys.

    Attributes:
        by_message: of a message's id, the last line about it.
        by_key: of a key, the last line about it.
        problem: why the log was not read, or not to its end; empty if it was.
    """

    by_message: dict[str, LogLine] = field(default_factory=dict)
    by_key: dict[str, LogLine] = field(default_factory=dict)
    problem: str = ""

    def lines_of(self, message: QueueMessage) -> list[LogLine]:
        """Return the lines about a message and its keys, the oldest first."""
        found = [self.by_message.get(message.id)]
        found += [self.by_key.get(key) for _, key in message.uploads]
        lines = {line.id or str(id(line)): line for line in found if line is not None}
        return sorted(lines.values(), key=lambda line: line.time)

    def why(self, message: QueueMessage) -> str:
        """Say why a message failed; empty if nothing is known."""
        if message.problem:
            return f"the function cannot read it: {message.problem}"
        if not message.uploads:
            return "it reports no upload"
        lines = self.lines_of(message)
        return reason_of(lines[-1]) if lines else ""


def reason_of(line: LogLine) -> str:
    """Return what a line of the log says, as a part of a sentence."""
    outcome, reason = line.fields.get("outcome"), line.fields.get("reason")
    if isinstance(outcome, str):
        return f"{outcome}: {reason}" if reason else outcome
    return str(line.fields.get("message") or reason or line.text)


def find_reasons(log: FunctionLog, messages: Sequence[QueueMessage]) -> FailureReasons:
    """Read the log since the first of the messages was sent.

    Args:
        log: the function's log.
        messages: the messages; nothing else is kept, so memory does not grow with the log.
    """
    found = FailureReasons()
    sent = [each.sent for each in messages if each.sent is not None]
    wanted = {each.id for each in messages}
    keys = {key for each in messages for _, key in each.uploads}
    if not sent:
        return found
    deadline = time.monotonic() + MAX_SECONDS
    try:
        for line in log.failures(min(sent) - _EARLIER):
            about = line.fields.get("about")
            if isinstance(about, str) and about in wanted:
                found.by_message[about] = line
            if line.key is not None and line.key in keys:
                found.by_key[line.key] = line
            if time.monotonic() > deadline:
                found.problem = (
                    f"The log was read only up to {line.time:%Y-%m-%d %H:%M:%S} UTC, for "
                    f"{MAX_SECONDS:.0f} seconds."
                )
                break
    except AwsRequestError as error:
        found.problem = str(error)
    return found
