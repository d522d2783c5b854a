"""Facts about a deployed function and its published versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from frogmove.errors import UsageError
from frogmove.function.config import read_config
from frogmove.ops.aws_request import AwsRequestError, Cause, send, send_pages
from frogmove.ops.deployment import ALIAS
from frogmove.ops.pause import mapping_trigger, schedule_trigger
from frogmove.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.ops.deployment import Deployment

_CONFIGURATION = {
    "arn": "FunctionArn",
    "version": "Version",
    "state": "State",
    "last_update": "LastUpdateStatus",
    "modified": "LastModified",
    "runtime": "Runtime",
    "memory_megabytes": "MemorySize",
    "timeout_seconds": "Timeout",
    "role": "Role",
}


@dataclass(slots=True)
class Facts:
    """Facts about a function.

    Attributes:
        values: the facts by their names.
        unknown: why others could not be read.
    """

    values: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def read(self, read: Callable[[], dict[str, Any]]) -> None:
        """Add facts, or why they cannot be read."""
        try:
            self.values |= read()
        except AwsRequestError as error:
            if error.message not in self.unknown:
                self.unknown.append(error.message)


@dataclass(frozen=True, slots=True)
class Version:
    """A published version.

    Attributes:
        version: its number.
        modified: when it was published.
        is_live: whether the alias points to it.
        problem: why it cannot start; empty if its settings are valid.
    """

    version: str
    modified: str
    is_live: bool
    problem: str

    def record(self) -> dict[str, Any]:
        """Return the JSON fields."""
        return {
            "version": self.version,
            "modified": self.modified,
            "live": self.is_live,
            "problem": self.problem or None,
        }

    def line(self) -> str:
        """Return one line of text."""
        live = ALIAS if self.is_live else ""
        state = self.problem or "valid settings"
        return f"version {self.version:>4}  {self.modified[:19]}  {live:<4}  {state}"


@dataclass(slots=True)
class Versions:
    """The published versions, newest first, and why they could not be read."""

    versions: list[Version] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read_facts(deployment: Deployment) -> Facts:
    """Read the facts that can be read.

    Raises:
        UnreachableError: when there is no such function.
    """
    facts = Facts({"function": deployment.function})
    try:
        found = deployment.configuration
    except AwsRequestError as error:
        if error.cause in {Cause.MISSING, Cause.NO_RESPONSE}:
            raise
        facts.unknown.append(error.message)
    else:
        facts.values |= {name: found.get(key) for name, key in _CONFIGURATION.items()}
        # Of each function AWS tells the ARN; other fields are absent if they do not apply.
        facts.read(lambda: {"arn": found["FunctionArn"]})
        variables = sorted(deployment.variables.items())
        # The author of a function may choose any names.
        facts.values |= {
            name: redact(value) for name, value in variables if name not in facts.values
        }
    facts.read(lambda: {"mapping": _mappings(deployment)})
    facts.read(lambda: _schedule(deployment))
    facts.read(lambda: {"queue": deployment.queue.url})
    facts.read(lambda: {"dead_letter_queue": deployment.dead_letters.url})
    facts.read(lambda: {"log_group": deployment.log.group})
    return facts


def _mappings(deployment: Deployment) -> str | None:
    found = [mapping_trigger(each) for each in deployment.mappings]
    return ", ".join(f"{each.name}, {each.state}" for each in found) or None


def _schedule(deployment: Deployment) -> dict[str, Any]:
    found = deployment.schedule
    if found is None:
        return {"schedule": None}
    trigger = schedule_trigger(found)
    return {"schedule": f"{trigger.name}, {found['ScheduleExpression']}, {trigger.state}"}


def read_versions(deployment: Deployment) -> Versions:
    """Read the published versions, with what the alias points to."""
    client = deployment.services.client("lambda")
    found = Versions()
    try:
        alias = send(
            "lambda:GetAlias", lambda: client.get_alias(FunctionName=deployment.name, Name=ALIAS)
        )["FunctionVersion"]
    except AwsRequestError as error:
        alias = None
        if error.cause is not Cause.MISSING:
            found.unknown.append(error.message)
    try:
        listed = send_pages(
            "lambda:ListVersionsByFunction",
            client,
            "list_versions_by_function",
            "Versions",
            FunctionName=deployment.name,
        )
        numbered = [each for each in listed if each["Version"].isdigit()]
        numbered.sort(key=lambda each: int(each["Version"]), reverse=True)
        found.versions += [
            Version(each["Version"], each["LastModified"], each["Version"] == alias, _problem(each))
            for each in numbered
        ]
    except AwsRequestError as error:
        found.unknown.append(error.message)
    return found


def _problem(version: dict[str, Any]) -> str:
    try:
        read_config(version.get("Environment", {}).get("Variables", {}))
    except UsageError as error:
        return error.message
    return ""
