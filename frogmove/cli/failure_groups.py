"""Groups results that need attention by their reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.core.models import Outcome, Result

# How many keys of each group are shown.
EXAMPLES = 3

# Maximum groups; further reasons are counted together.
_MAX_GROUPS = 20

_NUMBER = re.compile(r"\d+")
_REST = "other reasons"


@dataclass(slots=True)
class FailureGroup:
    """Results with the same outcome and reason.

    Attributes:
        outcome: the outcome.
        reason: the reason of the first.
        count: how many there are.
        examples: the first keys.
    """

    outcome: Outcome
    reason: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


class FailureGroups:
    """The groups of a run."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Outcome, str], FailureGroup] = {}

    def add(self, result: Result) -> int:
        """Count a result that needs attention.

        Returns:
            the size of its group so far; 0 if the result needs no attention.
        """
        if not result.outcome.needs_attention:
            return 0
        name = (result.outcome, _cause(result))
        if name not in self._groups and len(self._groups) >= _MAX_GROUPS:
            name = (result.outcome, _REST)
        reason = _REST if name[1] == _REST else result.reason
        group = self._groups.setdefault(name, FailureGroup(result.outcome, reason))
        group.count += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(result.key)
        return group.count

    def large(self) -> Iterator[FailureGroup]:
        """Yield the groups that are larger than their examples, largest first."""
        ordered = sorted(self._groups.values(), key=lambda group: -group.count)
        return (group for group in ordered if group.count > EXAMPLES)


def _cause(result: Result) -> str:
    """Return a reason without the parts that differ between objects."""
    reason = result.reason
    for key in sorted({result.key, result.destination_key}, key=len, reverse=True):
        reason = reason.replace(key, "KEY")
    return _NUMBER.sub("N", reason)
