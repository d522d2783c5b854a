"""Finds the resources of a deployed function: its queues, triggers, log and settings.

Everything is found from the function itself. What cannot be read, because a
permission is missing or it does not exist, has the name that the Terraform module gives it.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from frogmove.errors import UsageError
from frogmove.function.config import read_config
from frogmove.ops.aws_request import AwsRequestError, Cause, send, send_pages
from frogmove.ops.cached_request import cached_request
from frogmove.ops.function_log import FunctionLog
from frogmove.ops.queue import Queue
from frogmove.quoting import in_quotes
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.function.config import FunctionConfig
    from frogmove.ops.clients import Services
    from frogmove.s3.uri import Location

# The alias of the Terraform module.
ALIAS = "live"

# https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
_NAME = re.compile(r"[A-Za-z0-9_.:$-]+")


class Deployment:
    """A deployed function and its resources.

    Each is read when it is first asked for.

    Args:
        function: the function's name or ARN, with or without an alias.
        services: clients for AWS.
        schedule: the name of the schedule of its sweeps; by default as in the Terraform module.

    Raises:
        UsageError: when no function can have that name.
    """

    def __init__(self, function: str, services: Services, schedule: str | None = None) -> None:
        if not _NAME.fullmatch(function):
            raise UsageError(
                f"{in_quotes(function)} is not the name of a function.",
                "Write it as frogmove, frogmove:live or an ARN.",
            )
        self.function = function
        self.services = services
        self.name = _bare(function)
        self._is_schedule_given = schedule is not None
        self.schedule_name = schedule or f"{self.name}-sweep"
        # For commands that are shown: a name may contain $LATEST.
        self.option = f"--function {shlex.quote(function)}"

    @cached_request
    def configuration(self) -> dict[str, Any]:
        """The function's configuration, as GetFunctionConfiguration returns it.

        Raises:
            AwsRequestError: when it cannot be read.
        """
        client = self.services.client("lambda")
        found: dict[str, Any] = send(
            "lambda:GetFunctionConfiguration",
            lambda: client.get_function_configuration(FunctionName=self.function),
            f"function {in_quotes(self.function)}",
        )
        return found

    @property
    def variables(self) -> dict[str, str]:
        """The function's environment variables; see :attr:`configuration`."""
        found: dict[str, str] = self.configuration.get("Environment", {}).get("Variables", {})
        return found

    @property
    def settings(self) -> FunctionConfig:
        """The function's settings, from its variables.

        Raises:
            UsageError: when they are not valid: the function cannot start.
            AwsRequestError: when they cannot be read.
        """
        return read_config(self.variables)

    @cached_request
    def mappings(self) -> list[dict[str, Any]]:
        """The event source mappings of the function and of its alias; empty if there are none.

        Raises:
            AwsRequestError: when they cannot be read.
        """
        return list({each["UUID"]: each for each in self._list_mappings()}.values())

    def _list_mappings(self) -> Iterator[dict[str, Any]]:
        names = [self.function]
        if self.function == self.name:
            names.append(f"{self.name}:{ALIAS}")
        client = self.services.client("lambda")
        for name in names:
            try:
                yield from send_pages(
                    "lambda:ListEventSourceMappings",
                    client,
                    "list_event_source_mappings",
                    "EventSourceMappings",
                    FunctionName=name,
                )
            except AwsRequestError as error:
                if error.cause is not Cause.MISSING:
                    raise

    @cached_request
    def schedule(self) -> dict[str, Any] | None:
        """The schedule of the sweeps, as GetSchedule returns it; None if there is none.

        Raises:
            AwsRequestError: when it cannot be read, or was given by its name and does not exist.
        """
        client = self.services.client("scheduler")
        try:
            found: dict[str, Any] = send(
                "scheduler:GetSchedule",
                lambda: client.get_schedule(Name=self.schedule_name),
                f"schedule {in_quotes(self.schedule_name)}",
            )
        except AwsRequestError as error:
            if error.cause is Cause.MISSING and not self._is_schedule_given:
                return None
            raise
        return found

    @cached_request
    def queue(self) -> Queue:
        """The queue of uploads.

        Raises:
            AwsRequestError: when it does not exist, or cannot be read.
        """
        sqs = self.services.client("sqs")
        try:
            arns = [each["EventSourceArn"] for each in self.mappings]
        except AwsRequestError as error:
            return self._expected_queue("uploads", error)
        queues = [arn for arn in arns if arn.split(":")[2] == "sqs"]
        return Queue.of_arn(sqs, queues[0]) if queues else self._expected_queue("uploads")

    @cached_request
    def dead_letters(self) -> Queue:
        """The dead-letter queue (DLQ) of uploads; see :attr:`queue`."""
        try:
            arn = self.queue.dead_letter_arn
        except AwsRequestError as error:
            return self._expected_queue("uploads-dead", error)
        if arn is None:
            return self._expected_queue("uploads-dead")
        return Queue.of_arn(self.services.client("sqs"), arn)

    @cached_request
    def failed_sweeps(self) -> Queue | None:
        """The DLQ of sweeps; None if there is none; see :attr:`queue`."""
        sqs = self.services.client("sqs")
        try:
            target = (self.schedule or {}).get("Target", {})
            arn = target.get("DeadLetterConfig", {}).get("Arn")
            if arn:
                return Queue.of_arn(sqs, arn)
            return self._expected_queue("sweeps-dead")
        except AwsRequestError as error:
            if error.cause is Cause.MISSING:
                return None
            raise

    @cached_request
    def log(self) -> FunctionLog:
        """The function's log."""
        logging: dict[str, str] = {}
        unread = None
        try:
            logging = self.configuration.get("LoggingConfig", {})
        except AwsRequestError as error:
            # It may still have the default name.
            unread = error
        group = logging.get("LogGroup") or f"/aws/lambda/{self.name}"
        is_json = logging.get("LogFormat") == "JSON"
        client = self.services.client("logs")
        return FunctionLog(client, group, is_json=is_json, unread=unread)

    def moves_from(self, source: Location) -> bool:
        """Tell by its settings whether the function may move uploads to a location.

        Raises:
            AwsRequestError: when they cannot be read.
        """
        try:
            own = parse_location(self.variables.get("FROGMOVE_SOURCE", ""))
        except UsageError:
            return True
        return own.overlaps(source)

    def _expected_queue(self, kind: str, unread: AwsRequestError | None = None) -> Queue:
        """Find a queue by the name that the Terraform module gives it.

        Args:
            kind: the end of its name.
            unread: why its own name could not be read; it may have another one.

        Raises:
            AwsRequestError: when it does not exist, or cannot be read.
        """
        try:
            return Queue.of_name(self.services.client("sqs"), f"{self.name}-{kind}")
        except AwsRequestError as error:
            if unread is None or unread.cause is Cause.MISSING or error.cause is not Cause.MISSING:
                raise
            raise unread from error


def _bare(function: str) -> str:
    """Return a function's name without ARN, version and alias."""
    parts = function.split(":")
    if parts[0] == "arn" and len(parts) > 6:
        return parts[6]
    return parts[0]
