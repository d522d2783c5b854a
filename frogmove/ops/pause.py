"""Pauses and resumes a deployed function: its event source mappings and the schedule of its sweeps.

Uploads wait in the queue meanwhile, as long as the queue keeps messages.
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

# Lambda switches a mapping within a minute.
_SECONDS_TO_SWITCH = 180.0
_SECONDS_BETWEEN_LOOKS = 0.5

MAPPING, SCHEDULE = "event source mapping", "schedule"

# https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
_OFF = frozenset({"Disabled", "Deleting"})

# What UpdateSchedule takes; what it is not given is reset.
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
    """Something that sets the function off.

    Attributes:
        kind: ``MAPPING`` or ``SCHEDULE``.
        name: its id or its name.
        state: AWS's word for whether it does so now.
        is_on: whether it may do so now.
    """

    kind: str
    name: str
    state: str
    is_on: bool


class DeployedFunction:
    """A deployed function and what sets it off.

    Args:
        function: its name or ARN, with or without an alias.
        profile: a profile of the AWS configuration.
        region: an AWS Region.
        endpoint_url: a server instead of AWS.
        schedule: the name of the schedule of its sweeps; by default made of the function's, as the
            Terraform module does.

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
        """Return what sets the function off, and whether it does so now.

        Raises:
            UnreachableError: when that cannot be found out.
        """
        with_names = {each["UUID"]: each for each in self._mappings()}
        found = [_mapping(each) for each in with_names.values()]
        schedule = self._get_schedule()
        return found if schedule is None else [*found, _as_trigger(schedule)]

    def switch(self, *, on: bool) -> Iterator[Trigger]:
        """Switch everything on or off that sets the function off.

        Invocations that have begun come to their end.

        Yields:
            each trigger, as it is then.

        Raises:
            UsageError: when there is none.
            UnreachableError: when it cannot be found out what there is; nothing was switched.
            RunError: after all others were tried, when something could not be switched.
        """
        there = self.triggers()
        if not there:
            raise UsageError(
                f"Nothing that sets {self.function!r} off was found: no event source mapping, and "
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
                f"Not everything was {done}: {'; '.join(failures)}.",
                "What was switched stays so. Mend the cause and run the same command again.",
            )

    def moves_from(self, source: Location) -> bool:
        """Tell whether the function may move what is put there, as far as its settings say.

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
        return own.bucket == source.bucket and (
            own.prefix.startswith(source.prefix) or source.prefix.startswith(own.prefix)
        )

    def _mappings(self) -> Iterator[dict[str, Any]]:
        """List the mappings of the function and of its alias, which are listed apart."""
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
        """Ask AWS; what is missing is the default, where there is one."""
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
            f"It cannot be found out what sets {self.function!r} off: {_reason(error)}.",
            "Check the function's name, the Region and your permissions "
            "(lambda:ListEventSourceMappings, lambda:GetFunctionConfiguration, "
            "scheduler:GetSchedule). `frogmove undo --while-live` does not ask.",
        )


def _bare(function: str) -> str:
    """Return a function's name without its ARN, its version and its alias."""
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
