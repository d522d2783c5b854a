"""The result of looking at one thing: whether it is well, and what to do if it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from frogmove.errors import UnreachableError
from frogmove.ops.aws_request import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from frogmove.ops.aws_request import AwsRequestError


class State(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    # The server has no such function; there is nothing to do.
    NOT_OFFERED = "not offered"

    @property
    def needs_attention(self) -> bool:
        """Whether a person has to do something."""
        return self not in {State.OK, State.NOT_OFFERED}


@dataclass(frozen=True, slots=True)
class Check:
    """What was found out about one thing.

    Attributes:
        name: the thing.
        state: how it is.
        message: what was found out, in a sentence or a part of one.
        remedy: what to do; empty if there is nothing to do.
        facts: the same as values for JSON.
    """

    name: str
    state: State
    message: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return the JSON record."""
        return {
            "type": "check",
            "name": self.name,
            "state": self.state.value,
            "message": self.message,
            "remedy": self.remedy,
            **self.facts,
        }


def not_found_out(name: str, error: AwsRequestError) -> Check:
    """Return a check whose request did not succeed, with the permission that it lacks."""
    facts = {"action": error.action, "cause": error.cause.value}
    if error.cause is Cause.NOT_OFFERED:
        return Check(name, State.NOT_OFFERED, error.message, facts=facts)
    state = State.BROKEN if error.cause is Cause.MISSING else State.UNKNOWN
    return Check(name, state, error.message, error.remedy, facts)


def while_answered(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the checks, until two services do not respond: then none will.

    Raises:
        UnreachableError: when two services do not respond.
    """
    silent = set()
    for check in checks:
        yield check
        if check.facts.get("cause") == Cause.NO_ANSWER:
            silent.add(str(check.facts["action"]).partition(":")[0])
        if len(silent) > 1:
            raise UnreachableError(
                f"AWS does not respond ({', '.join(sorted(silent))}).",
                "Check the network, --region and AWS_ENDPOINT_URL.",
            )
