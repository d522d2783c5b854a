"""Pauses and resumes a deployed function by its event source mappings and its schedule.

Uploads wait in the queue meanwhile, for its retention period.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frogmove.errors import RunError, UnreachableError, UsageError
from frogmove.ops.aws_request import AwsRequestError, send
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.ops.deployment import Deployment
    from frogmove.s3.uri import Location

# Lambda enables or disables a mapping within a minute.
_SWITCH_SECONDS = 180.0
_POLL_SECONDS = 0.5

MAPPING, SCHEDULE = "event source mapping", "schedule"

# https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
_OFF = frozenset({"Disabled", "Deleting"})

# The parameters of UpdateSchedule; omitted ones would be reset.
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
_SCHEDULE_FIELDS = (
    "Name",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "Description",
    "KmsKeyArn",
    "FlexibleTimeWindow",
    "Target",
    "ActionAfterCompletion",
)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of the function.

    Attributes:
        kind: ``MAPPING`` or ``SCHEDULE``.
        name: its id or name.
        state: its state, as named by AWS.
        is_on: whether it is enabled.
    """

    kind: str
    name: str
    state: str
    is_on: bool


class Triggers:
    """The triggers of a deployed function.

    Args:
        deployment: the function.

    Raises:
        UsageError: when the AWS settings cannot be used.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lambda = deployment.services.client("lambda")
        self._scheduler = deployment.services.client("scheduler")

    def all(self) -> list[Trigger]:
        """Return the function's triggers with their states.

        Raises:
            UnreachableError: when they cannot be read.
        """
        try:
            found = [mapping_trigger(each) for each in self._deployment.mappings]
            schedule = self._deployment.schedule
        except AwsRequestError as error:
            raise _unknown(self._deployment, error) from error
        return found if schedule is None else [*found, schedule_trigger(schedule)]

    def switch(self, *, on: bool) -> Iterator[Trigger]:
        """Enable or disable all triggers.

        Running invocations finish.

        Yields:
            each trigger with its new state.

        Raises:
            UsageError: when there is none.
            UnreachableError: when they cannot be read; nothing was changed.
            RunError: when one could not be changed, after trying all others.
        """
        there = self.all()
        if not there:
            raise UsageError(
                f"{in_quotes(self._deployment.function)} has no triggers: no event source "
                "mapping, and "
                f"no schedule {in_quotes(self._deployment.schedule_name)}.",
                "Check --function, --schedule and --region.",
            )
        failures: list[str] = []
        for trigger in there:
            try:
                yield self._switch(trigger, on=on)
            except (AwsRequestError, TimeoutError) as error:
                failures.append(f"the {trigger.kind} {trigger.name}: {_reason(error)}")
        if failures:
            done = "resumed" if on else "paused"
            raise RunError(
                f"Not all triggers were {done}: {'; '.join(failures)}.",
                "Other triggers were changed. Fix the cause, then rerun the command.",
            )

    def _switch(self, trigger: Trigger, *, on: bool) -> Trigger:
        if trigger.kind == SCHEDULE:
            return self._switch_schedule(trigger, on=on)
        wanted = "Enabled" if on else "Disabled"
        if trigger.state == wanted:
            return trigger
        send(
            "lambda:UpdateEventSourceMapping",
            lambda: self._lambda.update_event_source_mapping(UUID=trigger.name, Enabled=on),
        )
        deadline = time.monotonic() + _SWITCH_SECONDS
        while True:
            state = send(
                "lambda:GetEventSourceMapping",
                lambda: self._lambda.get_event_source_mapping(UUID=trigger.name)["State"],
            )
            if state == wanted:
                return Trigger(MAPPING, trigger.name, state, on)
            if time.monotonic() > deadline:
                raise TimeoutError(f"it is still {state} after {_SWITCH_SECONDS:.0f} seconds")
            time.sleep(_POLL_SECONDS)

    def _switch_schedule(self, trigger: Trigger, *, on: bool) -> Trigger:
        wanted = "ENABLED" if on else "DISABLED"
        if trigger.state == wanted:
            return trigger
        there = send(
            "scheduler:GetSchedule", lambda: self._scheduler.get_schedule(Name=trigger.name)
        )
        kept = {name: there[name] for name in _SCHEDULE_FIELDS if there.get(name)}
        send(
            "scheduler:UpdateSchedule",
            lambda: self._scheduler.update_schedule(**kept, State=wanted),
        )
        return Trigger(SCHEDULE, trigger.name, wanted, on)


def moves_from(deployment: Deployment, source: Location) -> bool:
    """Tell by its settings whether a function may move uploads to a location.

    Raises:
        UnreachableError: when they cannot be read.
    """
    try:
        return deployment.moves_from(source)
    except AwsRequestError as error:
        raise _unknown(deployment, error) from error


def _unknown(deployment: Deployment, error: AwsRequestError) -> UnreachableError:
    return UnreachableError(
        f"The triggers of {in_quotes(deployment.function)} cannot be read: {_reason(error)}.",
        error.remedy or "Check the function's name, the Region and your permissions.",
    )


def mapping_trigger(there: dict[str, Any]) -> Trigger:
    """Return an event source mapping, as Lambda describes it, as a trigger."""
    state = there.get("State", "")
    return Trigger(MAPPING, there["UUID"], state, state not in _OFF)


def schedule_trigger(there: dict[str, Any]) -> Trigger:
    """Return a schedule, as EventBridge Scheduler describes it, as a trigger."""
    state = there.get("State", "ENABLED")
    return Trigger(SCHEDULE, there["Name"], state, state == "ENABLED")


def _reason(error: Exception) -> str:
    text = error.message if isinstance(error, AwsRequestError) else str(error)
    return text.rstrip(".")
