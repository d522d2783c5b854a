"""What happened to one key: both buckets, runs, the function's log, its queues, scan results.

Each place is read independently: what one of them cannot tell, because a permission is missing or
the server does not offer it, is reported beside what the others show.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from frogmove.core.required_tags import parse_tag
from frogmove.errors import FrogmoveError, UsageError
from frogmove.ops.aws_request import AwsRequestError, Cause
from frogmove.ops.failure_reasons import reason_of
from frogmove.ops.message_reader import MessageReader
from frogmove.ops.trace_place import Place, look_up_place
from frogmove.quoting import in_quotes
from frogmove.run_store import read_journals
from frogmove.s3.errors import S3Error
from frogmove.s3.uri import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from mypy_boto3_s3 import S3Client

    from frogmove.config import Config
    from frogmove.core.models import Route
    from frogmove.core.records import Record
    from frogmove.ops.deployment import Deployment
    from frogmove.ops.queue import Queue
    from frogmove.s3.interface import S3

# Seconds for which the log is read.
MAX_LOG_SECONDS = 30.0

# Maximum messages of each queue that are read, and seconds for which others do not see them.
MAX_MESSAGES = 200
HOLD_SECONDS = 20

# Set by GuardDuty.
# https://docs.aws.amazon.com/guardduty/latest/ug/monitor-enable-s3-object-tagging-malware-protection.html
SCAN_TAG = "GuardDutyMalwareScanStatus"

SOURCE, DESTINATION, QUARANTINE = "source", "destination", "quarantine"
RUN, FUNCTION, QUEUE, DLQ = "run", "function", "queue", "dlq"


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """Something that happened to the key.

    Attributes:
        time: when; None if unknown.
        where: one of the names above.
        text: what, for the operator.
        details: the same for programs.
    """

    time: datetime | None
    where: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return its JSON record."""
        return {
            "type": "event",
            "time": None if self.time is None else self.time.isoformat(),
            "where": self.where,
            "text": self.text,
            "details": self.details,
        }


@dataclass
class Trace:
    """What is known about a key.

    Attributes:
        key: the key at the source.
        places: by name, where the object may be.
        events: what happened, the oldest first once it is complete.
        unknown: what could not be read, and why.
        absent: what does not exist, such as the function.
        dead_letters: the ids of messages in the DLQ.
        messages: the ids of messages in the queue.
        tags: the source object's tags; None if unknown.
        required_tag: the tag that the function requires, if any.
        is_paused: whether the function gets no uploads; None if unknown.
        has_trigger: whether a queue invokes the function; None if unknown.
    """

    key: str
    places: dict[str, Place] = field(default_factory=dict)
    events: list[TraceEvent] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    tags: dict[str, str] | None = None
    required_tag: str | None = None
    is_paused: bool | None = None
    has_trigger: bool | None = None

    def add(self, time: datetime | None, where: str, text: str, **details: object) -> None:
        """Add something that happened."""
        self.events.append(TraceEvent(time, where, text, details))


# Without the function there is nothing of it to read.
_FUNCTION = "the function"


class Tracer:
    """Collects what happened to keys of a route.

    Args:
        config: the route, and what its objects must be tagged with.
        deployment: the function; None if there can be none.
        s3: the client for both buckets.
        client: a boto3 client for the same.
        since: the time from which the log is read.
        stop: once set, no further message is received.
    """

    def __init__(
        self,
        config: Config,
        deployment: Deployment | None,
        s3: S3,
        client: S3Client,
        since: datetime,
        stop: Event,
    ) -> None:
        self._config = config
        self._route: Route = config.route()
        self._function = deployment
        if deployment is not None:
            deployment.services.pending.gives_up = True
        self._s3 = s3
        self._client = client
        self._since = since
        self._stop = stop

    def trace(self, key: str) -> Trace:
        """Return what happened to a key of the source."""
        trace = Trace(key)
        trace.required_tag = self._config.require_tag
        if self._function is None:
            trace.absent.append(_FUNCTION)
        else:
            self._read(trace, _FUNCTION, lambda: self._settings(trace))
        self._read(trace, "the runs on this machine", lambda: self._runs(trace))
        self._places(trace)
        self._read(trace, "the tags", lambda: self._tags(trace))
        if _FUNCTION not in trace.absent:
            self._read(trace, "the function's triggers", lambda: self._triggers(trace))
            self._read(trace, "the function's log", lambda: self._log(trace))
            self._read(trace, "the dead-letter queue", lambda: self._dead_letters(trace))
            self._read(trace, "the queue", lambda: self._queue(trace))
        first = datetime.min.replace(tzinfo=UTC)
        trace.events.sort(key=lambda each: each.time or first)
        return trace

    @property
    def _deployment(self) -> Deployment:
        if self._function is None:
            raise UsageError("There is no function.")
        return self._function

    def _read(self, trace: Trace, what: str, read: Callable[[], None]) -> None:
        """Read one place; record that it does not exist, or why it cannot be read."""
        try:
            read()
        except (S3Error, FrogmoveError) as error:
            if isinstance(error, AwsRequestError) and error.cause is Cause.MISSING:
                trace.absent.append(what)
            else:
                trace.unknown.append(f"{what}: {error}")

    def _settings(self, trace: Trace) -> None:
        variables = self._deployment.variables
        trace.required_tag = variables.get("FROGMOVE_REQUIRE_TAG") or trace.required_tag

    def _triggers(self, trace: Trace) -> None:
        states = [each.get("State") for each in self._deployment.mappings]
        trace.has_trigger = bool(states)
        if states:
            trace.is_paused = all(state in {"Disabled", "Disabling"} for state in states)

    def _runs(self, trace: Trace) -> None:
        readers, problems = read_journals()
        for reader in readers:
            spec = reader.spec
            name = self._name_of_key(spec.source, spec.destination)
            last = _time(spec.started)
            for record in reader.about(trace.key) if name else ():
                last = _time(record.get("time")) or last
                text = _describe_record(record)
                if text and record.get(name) == trace.key:
                    text = f"{spec.command} {spec.id}: {text}"
                    trace.add(last, RUN, text, outcome=record.get("outcome"), run=spec.id)
        trace.unknown += [f"a run on this machine: {each}" for each in problems[-1:]]

    def _name_of_key(self, source: str, destination: str) -> str:
        """Return the field of a run's records that holds keys of the source; empty for none."""
        own = self._route.source.bucket
        try:
            if parse_location(source).bucket == own:
                return "key"
            # An undo moves in the other direction.
            return "destination_key" if parse_location(destination).bucket == own else ""
        except UsageError:
            return ""

    def _log(self, trace: Trace) -> None:
        deadline = time.monotonic() + MAX_LOG_SECONDS
        for line in self._deployment.log.about(trace.key, self._since):
            fields = line.fields
            text = reason_of(line)
            there = fields.get("destination_key")
            if isinstance(there, str) and there != self._route.destination_key(trace.key):
                text += f" (as {in_quotes(there)})"
            known = {name: fields.get(name) for name in ("outcome", "request_id", "reason")}
            trace.add(line.time, FUNCTION, text, **known)
            if time.monotonic() > deadline:
                trace.unknown.append(
                    f"the function's log after {line.time:%Y-%m-%d %H:%M:%S} UTC: it was read for "
                    f"{MAX_LOG_SECONDS:.0f} seconds; give a shorter --since"
                )
                return

    def _places(self, trace: Trace) -> None:
        route, key = self._route, trace.key
        locations = {
            SOURCE: (route.source, key),
            DESTINATION: (route.destination, route.destination_key(key)),
        }
        quarantine = self._quarantine()
        if quarantine is not None:
            name = key.removeprefix(route.source.prefix)
            locations[QUARANTINE] = (quarantine, quarantine.prefix + name)
        for name, (location, place_key) in locations.items():
            place = look_up_place(self._s3, self._client, location.bucket, place_key)
            trace.places[name] = place
            trace.unknown += [f"the {name}: {problem}" for problem in place.problems]
            for version in place.versions:
                trace.add(version.time, name, version.describe_at(place.uri), **version.record())

    def _quarantine(self) -> Location | None:
        try:
            uri = self._deployment.variables.get("FROGMOVE_QUARANTINE")
            return parse_location(uri) if uri else None
        except (AwsRequestError, UsageError):
            # That the settings cannot be read is reported already.
            return None

    def _tags(self, trace: Trace) -> None:
        here = trace.places[SOURCE]
        if not here.exists:
            return
        trace.tags = dict(self._s3.tags(self._route.source.bucket, trace.key, None).result())
        names = [SCAN_TAG, *([parse_tag(trace.required_tag).key] if trace.required_tag else [])]
        for name in dict.fromkeys(names):
            if name in trace.tags:
                text = f"now tagged {name}={trace.tags[name]}"
                trace.add(datetime.now(UTC), SOURCE, text, tag=name, value=trace.tags[name])

    def _dead_letters(self, trace: Trace) -> None:
        rest = "; `frogmove dlq ls` reads all"
        for name, sent, receives in self._peek(trace, self._deployment.dead_letters, rest):
            trace.dead_letters.append(name)
            text = f"message {name}: failed; {_received(receives)}"
            trace.add(sent, DLQ, text, message=name, receives=receives)

    def _queue(self, trace: Trace) -> None:
        queue = self._deployment.queue
        # Reading a message counts as a delivery: if there is none, nothing is received.
        if not queue.depth.visible:
            return
        for name, sent, receives in self._peek(trace, queue):
            trace.messages.append(name)
            text = f"message {name}: waits; {_received(receives)}"
            trace.add(sent, QUEUE, text, message=name, receives=receives)

    def _peek(
        self, trace: Trace, queue: Queue, rest: str = ""
    ) -> list[tuple[str, datetime | None, int]]:
        """Return id, time and deliveries of a queue's messages about the key; all stay there.

        Args:
            trace: what is known about the key.
            queue: the queue.
            rest: what shows the rest of a long queue.
        """
        reader = MessageReader(queue, HOLD_SECONDS)
        upload = (self._route.source.bucket, trace.key)
        found = []
        count = 0
        try:
            for batch in reader.batches(self._stop):
                count += len(batch)
                found += [
                    (each.id, each.sent, each.receives) for each in batch if upload in each.uploads
                ]
                if count >= MAX_MESSAGES:
                    trace.unknown.append(
                        f"{queue.name}: only {count:,} of its messages were read{rest}"
                    )
                    break
        finally:
            problem = reader.release()
            if reader.is_incomplete:
                trace.unknown.append(f"{queue.name}: not all of its messages could be read")
            if problem:
                trace.unknown.append(f"{queue.name}: {problem}")
        return found


def _received(times: int) -> str:
    return f"received {times} {'time' if times == 1 else 'times'}, this reading included"


def _describe_record(record: Record) -> str:
    """Describe a record of a journal; empty for a record that the result repeats."""
    kind = record["type"]
    if kind == "result":
        reason = f": {record['reason']}" if record.get("reason") else ""
        return f"{record.get('outcome')}{reason}"
    if kind == "copied":
        return f"copied to {in_quotes(record.get('destination_key'))}, and verified"
    return {"copying": "the copy was started", "deleting": "a delete was started"}.get(kind, "")


def _time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
