"""Pauses and resumes a deployed function by its event source mappings and its schedule.

Uploads wait in the queue meanwhile, for its retention period.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from frogmove.errors import RunError, UnreachableError, UsageError
from frogmove.ops.clients import make_client
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.s3.uri import Location

# Lambda enables or disables a mapping within a minute.
_SECONDS_TO_SWITCH = 180.0
_SECONDS_BETWEEN_LOOKS = 0.5

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


class DeployedFunction:
    """A deployed function and its triggers.

    Args:
        function: its name or ARN, with or without an alias.
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: an AWS-compatible server instead of AWS.
        schedule: the name of the schedule of its sweeps; by default as in the Terraform module.

    Raises:
        UsageError: when the AWS settings cannot be used.
    """

    def __init__(
        self,
        function: str,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        schedule: str | None = None,
    ) -> None:
        self.function = function
        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        self._lambda = make_client("lambda", profile, region, endpoint_url, config)
        self._scheduler = make_client("scheduler", profile, region, endpoint_url, config)
        self._schedule = schedule or f"{_bare(function)}-sweep"

    def triggers(self) -> list[Trigger]:
        """Return the function's triggers with their states.

        Raises:
            UnreachableError: when they cannot be read.
        """
        with_names = {each["UUID"]: each for each in self._mappings()}
        found = [_mapping(each) for each in with_names.values()]
        schedule = self._get_schedule()
        return found if schedule is None else [*found, _as_trigger(schedule)]

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
        there = self.triggers()
        if not there:
            raise UsageError(
                f"{self.function!r} has no triggers: no event source mapping, and "
                f"no schedule {self._schedule!r}.",
                "Check --function, --schedule and --region.",
            )
        failures: list[str] = []
        for trigger in there:
            try:
                yield self._switch(trigger, on=on)
            except (ClientError, BotoCoreError, TimeoutError) as error:
                failures.append(f"the {trigger.kind} {trigger.name}: {_reason(error)}")
        if failures:
            done = "resumed" if on else "paused"
            raise RunError(
                f"Not all triggers were {done}: {'; '.join(failures)}.",
                "Other triggers were changed. Fix the cause, then rerun the command.",
            )

    def moves_from(self, source: Location) -> bool:
        """Tell by its settings whether the function may move uploads to a location.

        Raises:
            UnreachableError: when they cannot be read.
        """
        settings = self._ask(
            lambda: self._lambda.get_function_configuration(FunctionName=self.function)
        )
        variables = settings.get("Environment", {}).get("Variables", {})
        try:
            own = parse_location(variables.get("FROGMOVE_SOURCE", ""))
        except UsageError:
            return True
        return own.overlaps(source)

    def _mappings(self) -> Iterator[dict[str, Any]]:
        """List the event source mappings of the function and of its alias."""
        names = [self.function]
        if self.function == _bare(self.function):
            names.append(f"{self.function}:live")
        for name in names:
            pages = self._lambda.get_paginator("list_event_source_mappings")
            found = self._ask(
                lambda name=name, pages=pages: list(  # type: ignore[misc]
                    pages.paginate(FunctionName=name).search("EventSourceMappings[]")
                ),
                missing=[],
            )
            yield from found

    def _get_schedule(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._ask(
            lambda: self._scheduler.get_schedule(Name=self._schedule), missing=None
        )
        return found

    def _switch(self, trigger: Trigger, *, on: bool) -> Trigger:
        if trigger.kind == SCHEDULE:
            return self._switch_schedule(trigger, on=on)
        wanted = "Enabled" if on else "Disabled"
        if trigger.state == wanted:
            return trigger
        self._lambda.update_event_source_mapping(UUID=trigger.name, Enabled=on)
        deadline = time.monotonic() + _SECONDS_TO_SWITCH
        while True:
            state = self._lambda.get_event_source_mapping(UUID=trigger.name)["State"]
            if state == wanted:
                return Trigger(MAPPING, trigger.name, state, on)
            if time.monotonic() > deadline:
                raise TimeoutError(f"it is still {state} after {_SECONDS_TO_SWITCH:.0f} seconds")
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _switch_schedule(self, trigger: Trigger, *, on: bool) -> Trigger:
        wanted = "ENABLED" if on else "DISABLED"
        if trigger.state == wanted:
            return trigger
        there = self._scheduler.get_schedule(Name=trigger.name)
        kept = {name: there[name] for name in _SCHEDULE_FIELDS if there.get(name)}
        self._scheduler.update_schedule(**kept, State=wanted)
        return Trigger(SCHEDULE, trigger.name, wanted, on)

    def _ask(self, request: Callable[[], Any], **default: Any) -> Any:  # noqa: ANN401
        """Send a request to AWS; return the default for a missing resource, if there is one."""
        try:
            return request()
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException" and default:
                return default["missing"]
            raise self._unknown(error) from error
        except BotoCoreError as error:
            raise self._unknown(error) from error

    def _unknown(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            f"The triggers of {self.function!r} cannot be read: {_reason(error)}.",
            "Check the function's name, the Region and your permissions "
            "(lambda:ListEventSourceMappings, lambda:GetFunctionConfiguration, "
            "scheduler:GetSchedule). `frogmove undo --while-live` skips this check.",
        )


def _bare(function: str) -> str:
    """Return a function's name without ARN, version and alias."""
    parts = function.split(":")
    if parts[0] == "arn" and len(parts) > 6:
        return parts[6]
    return parts[0]


def _mapping(there: dict[str, Any]) -> Trigger:
    state = there.get("State", "")
    return Trigger(MAPPING, there["UUID"], state, state not in _OFF)


def _as_trigger(there: dict[str, Any]) -> Trigger:
    state = there.get("State", "ENABLED")
    return Trigger(SCHEDULE, there["Name"], state, state == "ENABLED")


def _reason(error: Exception) -> str:
    return str(error).rstrip(".")
