"""The result of one check: whether a thing works, and what to do if it does not."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from frogmove.errors import UnreachableError
from frogmove.ops.aws_request import CHECK_CONNECTION, AwsRequestError, Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_P = ParamSpec("_P")


class State(StrEnum):
    """The state of a thing."""

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
    """The result of a check of one thing.

    Attributes:
        name: the thing.
        state: its state.
        message: the result, in a sentence or a part of one.
        remedy: what to do; empty if there is nothing to do.
        facts: the same as values for JSON.
    """

    name: str
    state: State
    message: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_missing(self) -> bool:
        """Whether the thing does not exist."""
        return self.facts.get("cause") == Cause.MISSING

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


def unknown_check(name: str, error: AwsRequestError) -> Check:
    """Return a check whose request did not succeed, with the permission that it lacks."""
    facts = {"action": error.action, "cause": error.cause.value}
    if error.cause is Cause.NOT_OFFERED:
        return Check(name, State.NOT_OFFERED, error.message, facts=facts)
    state = State.BROKEN if error.cause is Cause.MISSING else State.UNKNOWN
    return Check(name, state, error.message, error.remedy, facts)


def named_check(
    name: str,
) -> Callable[[Callable[Concatenate[str, _P], Check]], Callable[_P, Check]]:
    """Give a check its name, and an unknown result if a request of it does not succeed.

    Args:
        name: the thing, which the decorated function gets as its first argument.
    """

    def decorate(check: Callable[Concatenate[str, _P], Check]) -> Callable[_P, Check]:
        @functools.wraps(check)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> Check:
            try:
                return check(name, *args, **kwargs)
            except AwsRequestError as error:
                return unknown_check(name, error)

        return run

    return decorate


def until_unresponsive(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the checks, until all others would fail for the same reason.

    Raises:
        UnreachableError: when the credentials are refused, or two services do not respond.
    """
    unresponsive = set()
    for check in checks:
        if check.facts.get("cause") == Cause.CREDENTIALS:
            raise UnreachableError(check.message, check.remedy)
        yield check
        if check.facts.get("cause") == Cause.NO_RESPONSE:
            unresponsive.add(str(check.facts["action"]).partition(":")[0])
        if len(unresponsive) > 1:
            raise UnreachableError(
                f"AWS does not respond ({', '.join(sorted(unresponsive))}).",
                CHECK_CONNECTION,
            )
