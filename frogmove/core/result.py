"""A result: what became of one action. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from frogmove.core.action import Action


class Outcome(StrEnum):
    """The ways an action ends."""

    MOVED = "moved"
    COPIED = "copied"
    SKIPPED = "skipped"
    GONE = "gone"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    FAILED = "failed"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to look: the exit code of a run with such a result is 1."""
        return self in {Outcome.CONFLICT, Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one action.

    Attributes:
        action: the action.
        outcome: how it ended.
        reason: for people: why it ended so, where the bytes are now, and what to do.
        destination_key: where the bytes went; the action's own unless both were kept.
        retrying_helps: whether a failure may pass by itself.
        resumes: whether there only was no time left, and the parts copied so far are kept.
    """

    action: Action
    outcome: Outcome
    reason: str = ""
    destination_key: str = ""
    retrying_helps: bool = False
    resumes: bool = False

    def __post_init__(self) -> None:
        if not self.destination_key:
            object.__setattr__(self, "destination_key", self.action.destination_key)
