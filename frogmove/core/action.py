"""An action: what is to be done to one object, why, and what that was decided on. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from frogmove.s3 import S3Object


class Verb(StrEnum):
    """What an action does."""

    MOVE = "move"
    COPY = "copy"
    COMPARE = "compare"
    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan.

    Attributes:
        verb: what to do.
        object: the source object as it was seen; nothing is done to any other content.
        destination_key: where it goes.
        reason: why, for people; may be empty when the verb says it all.
        replaces: the ETag of the destination object that this is to replace; None: no object
            is known to be there, and none may be overwritten without the conflict policy.
    """

    verb: Verb
    object: S3Object
    destination_key: str
    reason: str = ""
    replaces: str | None = None
