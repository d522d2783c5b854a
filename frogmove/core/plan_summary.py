"""Summarizes a plan: totals, folders, reasons, largest and oldest objects."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from frogmove.core.models import Effect
from frogmove.core.records import Record, action_record
from frogmove.s3.uri import folder_prefix

if TYPE_CHECKING:
    from frogmove.core.models import Action
    from frogmove.core.run_spec import RunSpec

# Maximum folders and reasons; further ones are counted as OTHERS.
MAX_GROUPS = 1000
OTHERS = "(others)"

# How many largest and oldest objects and conflicts are kept.
EXAMPLES = 10

# The candidates are reduced to EXAMPLES after this many actions.
_BATCH = 1000


T = TypeVar("T")


@dataclass(slots=True)
class Group:
    """Actions that are counted together.

    Attributes:
        counts: the number of actions with each effect.
        bytes: the sizes of their source objects.
    """

    counts: Counter[Effect] = field(default_factory=Counter)
    bytes: Counter[Effect] = field(default_factory=Counter)

    def add(self, action: Action) -> None:
        """Count one action."""
        effect = action.effect
        self.counts[effect] += 1
        self.bytes[effect] += action.object.size


class PlanSummary:
    """The summary of a plan. Memory does not depend on the number of actions.

    Args:
        spec: the run that is planned.

    Attributes:
        spec: the run that is planned.
        total: all actions.
        replaced_bytes: the sizes of the destination objects that would be replaced.
        folders: the actions by folder, below the selected one.
        reasons: the actions by effect and reason.
        conflicts: the first actions that would end as a conflict.
    """

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.total = Group()
        self.replaced_bytes = 0
        self.folders: defaultdict[str, Group] = defaultdict(Group)
        self.reasons: defaultdict[tuple[Effect, str], Group] = defaultdict(Group)
        self.conflicts: list[Action] = []
        self._transfers: list[Action] = []
        self._largest: list[Action] = []
        self._oldest: list[Action] = []
        chosen = spec.selection.folders
        self._base = folder_prefix(chosen[0]) if len(chosen) == 1 else spec.route().source.prefix

    def add(self, action: Action) -> None:
        """Add one action."""
        self.total.add(action)
        effect, forecast = action.effect, action.forecast
        _group(self.folders, self._folder(action.object.key), OTHERS).add(action)
        reason = action.reason if forecast is None else forecast.cause
        _group(self.reasons, (effect, reason), (effect, OTHERS)).add(action)
        if effect is Effect.REPLACE and forecast is not None and forecast.there is not None:
            self.replaced_bytes += forecast.there.size
        if effect is Effect.CONFLICT and len(self.conflicts) < EXAMPLES:
            self.conflicts.append(action)
        if effect.is_transfer:
            self._transfers.append(action)
            if len(self._transfers) >= _BATCH:
                self._reduce()

    @property
    def transfers(self) -> int:
        """How many objects would be moved or copied."""
        return sum(count for effect, count in self.total.counts.items() if effect.is_transfer)

    @property
    def transfer_bytes(self) -> int:
        """The sizes of the objects that would be moved or copied."""
        return sum(count for effect, count in self.total.bytes.items() if effect.is_transfer)

    @property
    def largest(self) -> list[Action]:
        """The largest objects that would be moved or copied, largest first."""
        self._reduce()
        return self._largest

    @property
    def oldest(self) -> list[Action]:
        """The oldest objects that would be moved or copied, oldest first."""
        self._reduce()
        return self._oldest

    def record(self) -> Record:
        """Return the summary as a JSON value."""
        return {
            "type": "summary",
            "objects": self.transfers,
            "bytes": self.transfer_bytes,
            "counts": {effect.value: self.total.counts[effect] for effect in Effect},
            "replaced_bytes": self.replaced_bytes,
            "folders": {name: _effects(group) for name, group in sorted(self.folders.items())},
            "reasons": [
                {
                    "effect": effect.value,
                    "reason": reason,
                    "objects": group.counts[effect],
                    "bytes": group.bytes[effect],
                }
                for (effect, reason), group in sorted(self.reasons.items())
            ],
            "on_conflict": self.spec.on_conflict.value,
        }

    def examples(self) -> Record:
        """Return the largest, the oldest and the first conflicts as a JSON value."""
        return {
            name: [action_record(action) for action in actions]
            for name, actions in (
                ("largest", self.largest),
                ("oldest", self.oldest),
                ("conflicts", self.conflicts),
            )
        }

    def _folder(self, key: str) -> str:
        """Return the folder of a key: its first part below the selected folder."""
        folder, slash, _ = key.removeprefix(self._base).partition("/")
        return folder + slash if slash else ""

    def _reduce(self) -> None:
        found = self._transfers
        self._transfers = []
        self._largest = heapq.nlargest(
            EXAMPLES, [*self._largest, *found], key=lambda action: action.object.size
        )
        self._oldest = heapq.nsmallest(
            EXAMPLES, [*self._oldest, *found], key=lambda action: action.object.last_modified
        )


def _group(groups: defaultdict[T, Group], name: T, others: T) -> Group:
    return groups[name if name in groups or len(groups) < MAX_GROUPS else others]


def _effects(group: Group) -> dict[str, int]:
    return {effect.value: group.counts[effect] for effect in Effect if group.counts[effect]}
