"""The summary of a run, and the JSON records of objects, actions, results and summaries."""

import time
from collections import Counter
from typing import Any

from frogmove.core.models import Action, Outcome, Result, Verb
from frogmove.s3.models import NO_TIME, S3Object

Record = dict[str, Any]


class Summary:
    """Counts results.

    Attributes:
        counts: how many results of each outcome.
        bytes: the total size of the objects that were moved or copied.
        interrupted: whether the run was stopped before its end.
    """

    def __init__(self) -> None:
        self.counts: Counter[Outcome] = Counter()
        self.bytes = 0
        self.interrupted = False
        self._started = time.monotonic()

    def add(self, result: Result) -> None:
        """Count one result."""
        self.counts[result.outcome] += 1
        if result.outcome is Outcome.MOVED or result.outcome is Outcome.COPIED:
            self.bytes += result.action.object.size

    @property
    def seconds(self) -> float:
        """Seconds since the summary was made."""
        return time.monotonic() - self._started

    @property
    def needs_attention(self) -> bool:
        """Whether any result needs attention."""
        return any(outcome.needs_attention for outcome in self.counts)

    def record(self) -> Record:
        """Return the summary's JSON record."""
        return {
            "type": "summary",
            "counts": {outcome.value: self.counts[outcome] for outcome in Outcome},
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
        }


def object_record(item: S3Object) -> Record:
    """Return the JSON record of an object in a listing."""
    return {
        "type": "object",
        "key": item.key,
        "size": item.size,
        "etag": item.etag,
        "last_modified": item.last_modified.isoformat(),
        "storage_class": item.storage_class,
    }


def action_record(action: Action) -> Record:
    """Return the JSON record of an action, as a dry run prints it."""
    return {
        "type": "action",
        "action": action.verb.value,
        "key": action.object.key,
        "destination_key": action.destination_key,
        "size": action.object.size,
        "etag": action.object.etag,
        "effect": action.effect.value,
        "destination": _destination_record(action),
        "reason": action.reason,
    }


def _destination_record(action: Action) -> Record | None:
    """Return the object that the destination holds at an action's key, if it is known."""
    there = None if action.forecast is None else action.forecast.there
    if there is None:
        return None
    return {
        "key": there.key,
        "size": there.size,
        "etag": there.etag,
        "last_modified": there.last_modified.isoformat(),
    }


def result_record(result: Result) -> Record:
    """Return the JSON record of a result."""
    return {
        "type": "result",
        "key": result.action.object.key,
        "destination_key": result.destination_key,
        "size": result.action.object.size,
        "etag": result.action.object.etag,
        "outcome": result.outcome.value,
        "reason": result.reason,
    }


def result_of(record: Record) -> Result:
    """Make a result from its JSON record, with as much as the record holds."""
    item = S3Object(record["key"], record["size"], record["etag"], NO_TIME)
    action = Action(Verb.MOVE, item, record["destination_key"])
    return Result(action, Outcome(record["outcome"]), record["reason"])


def cut_off_record(copied: Record, reason: str, outcome: Outcome = Outcome.COPIED) -> Record:
    """Return the JSON record of a result that was not written, from the record before it."""
    fields = {name: copied.get(name) for name in ("key", "destination_key", "size", "etag")}
    return {"type": "result", **fields, "outcome": outcome.value, "reason": reason}
