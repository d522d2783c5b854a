"""The state of a route on one screen; each line says what to do if something is not well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from frogmove.core.advice import advise
from frogmove.ops import activity, backlog, function_checks
from frogmove.ops.alarms import check_alarms
from frogmove.ops.aws_request import AwsRequestError, Cause
from frogmove.ops.cached_request import cached_request
from frogmove.ops.check import Check, State, unknown_check, until_unresponsive
from frogmove.ops.failure_check import Failures, check_failures, clock, read_failures
from frogmove.ops.pause import schedule_trigger
from frogmove.ops.queue_checks import check_dead_letters, messages
from frogmove.plural import count_bytes, counted
from frogmove.quoting import in_quotes
from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.config import Config
    from frogmove.ops.activity import Activity
    from frogmove.ops.deployment import Deployment
    from frogmove.s3.interface import S3

# As the module's alarms oldest-message and oldest-object, and no-sweep.
_OLD = timedelta(hours=1)
_NO_SWEEP = timedelta(hours=2)

_FOLDERS_SHOWN = 3


class Status:
    """Looks at everything that belongs to a route.

    Args:
        config: the route.
        deployment: its function.
        s3: the client for its buckets.
        on_progress: called from time to time with the number of objects listed so far.
        now: the current time.
    """

    def __init__(
        self,
        config: Config,
        deployment: Deployment,
        s3: S3,
        on_progress: Callable[[int], None] = lambda _: None,
        now: datetime | None = None,
    ) -> None:
        self._config = config
        self._deployment = deployment
        deployment.services.pending.gives_up = True
        self._s3 = s3
        self._on_progress = on_progress
        self._now = now or datetime.now(UTC)
        self._option = deployment.option

    def checks(self) -> Iterator[Check]:
        """Yield each line as soon as it is known; the listing of the source comes last.

        Raises:
            UnreachableError: when AWS does not respond.
        """
        return until_unresponsive(self._checks())

    def _checks(self) -> Iterator[Check]:
        function = function_checks.check_state(self._deployment)
        yield function
        if function.is_missing:
            yield self._source()
            return
        yield function_checks.check_settings(self._deployment, self._config)
        yield function_checks.check_uploads(self._deployment)
        yield function_checks.check_scan_gate(self._deployment, self._config)
        yield check_alarms(self._deployment)
        yield from _each("queue", self._queue)
        yield check_dead_letters(self._deployment)
        yield from _each("failed sweeps", self._failed_sweeps)
        yield from _each("errors", self._errors)
        yield from _each("moves", self._moves)
        yield from _each("sweep", self._sweep)
        yield self._source()

    @cached_request
    def _activity(self) -> Activity:
        """The metrics; without them the log, which holds the same."""
        route = _dimension(self._deployment)
        try:
            client = self._deployment.services.client("cloudwatch")
            return activity.from_metrics(client, route, self._now)
        except AwsRequestError as error:
            if error.cause is not Cause.NOT_OFFERED:
                raise
        return activity.from_log(self._deployment.log, self._now)

    def _queue(self) -> Check:
        queue = self._deployment.queue
        depth = queue.depth
        waiting = counted(depth.visible, "message waits", "messages wait")
        message = f"{waiting}, {counted(depth.in_flight, 'is', 'are')} in flight"
        facts: dict[str, Any] = {"visible": depth.visible, "in_flight": depth.in_flight}
        try:
            client = self._deployment.services.client("cloudwatch")
            age = activity.oldest_message(client, queue.name, self._now)
        except AwsRequestError as error:
            message = f"{message}; age of the oldest message: {error.message}"
            state = State.OK if error.cause is Cause.NOT_OFFERED else State.UNKNOWN
            return Check("queue", state, message, error.remedy, facts)
        if age is not None:
            facts["oldest_seconds"] = age
            message = f"{message}; the oldest is {_age(age)} old"
            if depth.total and age > _OLD.total_seconds():
                remedy = f"frogmove lambda logs --failed {self._option}"
                return Check("queue", State.WARNING, message, remedy, facts)
        return Check("queue", State.OK, message, facts=facts)

    def _failed_sweeps(self) -> Check | None:
        queue = self._deployment.failed_sweeps
        if queue is None:
            return None
        count = queue.depth.total
        facts = {"messages": count}
        if not count:
            return Check("failed sweeps", State.OK, "none", facts=facts)
        message = f"{messages(count)} in {queue.name}: a sweep was not started, or failed twice"
        remedy = (
            f"frogmove lambda invoke sweep {self._option} does the same work; then: "
            f"frogmove dlq drop --sweeps --all {self._option}"
        )
        return Check("failed sweeps", State.WARNING, message, remedy, facts)

    @cached_request
    def _failures(self) -> Failures:
        """The failures of the last hour."""
        return read_failures(self._deployment.log, self._now - activity.HOUR)

    def _errors(self) -> Check:
        bucket = self._config.end("source").bucket
        log = self._deployment.log
        return check_failures(self._failures, log, self._s3, bucket, self._now, self._option)

    def _moves(self) -> Check:
        found = self._activity
        parts = []
        for when, counts in (("hour", found.hour), ("day", found.day)):
            counted = [f"{counts['moved']:,} moved", f"{counts['failed']:,} failed"]
            counted += [
                f"{counts[name]:,} {name}"
                for name in ("conflict", "waiting", "quarantined", "threats", "unscanned")
                if counts[name]
            ]
            parts.append(f"last {when}: {', '.join(counted)}")
        origin = "" if found.origin == "metrics" else " (from the log)"
        message, facts = "; ".join(parts) + origin, found.record()
        if (found.hour["failed"] or found.hour["conflict"]) and not self._are_in_log():
            remedy = f"frogmove lambda logs --failed {self._option}"
            return Check("moves", State.WARNING, message, remedy, facts)
        if found.hour["threats"] or found.hour["unscanned"]:
            remedy = "terraform/RUNBOOK.md: threats, unscanned"
            return Check("moves", State.WARNING, message, remedy, facts)
        return Check("moves", State.OK, message, facts=facts)

    def _are_in_log(self) -> bool:
        """Tell whether the log has the failures: then the line errors tells if they are over."""
        try:
            return bool(self._failures.count)
        except AwsRequestError:
            return False

    def _sweep(self) -> Check:
        schedule = self._deployment.schedule
        if schedule is None:
            return Check("sweep", State.OK, f"no schedule {self._deployment.schedule_name}")
        trigger = schedule_trigger(schedule)
        facts: dict[str, Any] = {"schedule": trigger.state}
        if not trigger.is_on:
            message, remedy = (
                f"paused: {trigger.state}",
                function_checks.resume_remedy(self._deployment),
            )
            return Check("sweep", State.WARNING, message, remedy, facts)
        last = self._activity.last_sweep
        facts["last"] = None if last is None else last.isoformat()
        message = "none in the last day" if last is None else f"last {clock(last)}"
        message = f"{message}, {schedule['ScheduleExpression']}"
        known_since = last or schedule.get("CreationDate") or self._now
        if self._now - known_since <= _NO_SWEEP:
            return Check("sweep", State.OK, message, facts=facts)
        remedy = f"frogmove lambda invoke sweep {self._option} sweeps now"
        return Check("sweep", State.WARNING, message, remedy, facts)

    def _source(self) -> Check:
        source = self._config.end("source")
        try:
            found = backlog.count(self._s3, source, self._on_progress)
        except S3Error as error:
            message = f"{source} cannot be listed: {error.detail}"
            state = State.BROKEN if error.kind is Kind.NO_BUCKET else State.UNKNOWN
            return Check("source", state, message, advise(error))
        if found.oldest is None:
            return Check("source", State.OK, f"nothing waits at {source}", facts=found.record())
        age = (self._now - found.oldest.last_modified).total_seconds()
        folders = found.folders.most_common(_FOLDERS_SHOWN)
        named = ", ".join(f"{in_quotes(name)} {number:,}" for name, number in folders if name)
        message = (
            f"{counted(found.objects, 'object waits', 'objects wait')}, "
            f"{count_bytes(found.size)}, the oldest for {_age(max(age, 0))}: "
            f"{in_quotes(found.oldest.key)}{f'; folders: {named}' if named else ''}"
        )
        if age <= _OLD.total_seconds():
            return Check("source", State.OK, message, facts=found.record())
        name = found.oldest.key.removeprefix(source.prefix)
        if name.startswith(("-", "s3://")):
            name = f"s3://{source.bucket}/{found.oldest.key}"
        remedy = f"frogmove trace {in_quotes(name)}"
        return Check("source", State.WARNING, message, remedy, found.record())


def _each(name: str, check: Callable[[], Check | None]) -> Iterator[Check]:
    try:
        found = check()
    except AwsRequestError as error:
        found = unknown_check(name, error)
    if found is not None:
        yield found


def _dimension(deployment: Deployment) -> str:
    """Return the dimension of the function's metrics."""
    variables = deployment.variables
    ends = (variables.get(f"FROGMOVE_{end}", "") for end in ("SOURCE", "DESTINATION"))
    return " -> ".join(ends)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
