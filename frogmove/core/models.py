"""What moving is told in: routes, actions and results. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from frogmove.errors import UsageError
from frogmove.s3.models import S3Object
from frogmove.s3.uri import Location, check_key, parse_location, split


class Verb(StrEnum):
    """What an action does."""

    MOVE = "move"
    COPY = "copy"
    COMPARE = "compare"
    RESTORE = "restore"
    SKIP = "skip"
    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Replaced:
    """An object whose place a copy took.

    Attributes:
        etag: its ETag.
        version_id: which version it was, where that is known.
    """

    etag: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class VerifiedCopy:
    """A copy known to hold the source's bytes.

    Attributes:
        key: where it is in the destination bucket.
        etag: its ETag.
        version_id: which version it is, where that is known.
        held: whether the destination may have held it before the run came.
        resent: whether it was sent more than once, so that the run may have made it all the same.
        modified: when it was written, where ``held`` leaves open by whom.
        replaced: the object whose place it took; None when there was none.
        note: for people: what the proof left open, or why no copy was needed.
    """

    key: str
    etag: str
    version_id: str | None = None
    held: bool = False
    resent: bool = False
    modified: datetime | None = None
    replaced: Replaced | None = None
    note: str = ""


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
        follows: the ETag of a destination object that holds an earlier version of the same key,
            put there just now: a named version may replace it, where the policy lets it.
        pinned: the version that the object is known to be, where the bucket keeps any: exactly
            this one is copied, and the delete goes by its ETag as ever.
        undoes: what a run made, where the place that it took is to hold again what it held
            before.
    """

    verb: Verb
    object: S3Object
    destination_key: str
    reason: str = ""
    replaces: str | None = None
    undoes: VerifiedCopy | None = None
    follows: str | None = None
    pinned: str | None = None


class Outcome(StrEnum):
    """The ways an action ends."""

    MOVED = "moved"
    COPIED = "copied"
    SKIPPED = "skipped"
    WAITING = "waiting"
    GONE = "gone"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    FAILED = "failed"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to look: the exit code of a run with such a result is 1."""
        return self in {Outcome.CONFLICT, Outcome.FAILED}

    @property
    def is_counted_only(self) -> bool:
        """Whether nothing was done to the object, so that no journal tells of it."""
        return self in {Outcome.SKIPPED, Outcome.WAITING}


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

    @property
    def key(self) -> str:
        """The whole source key."""
        return self.action.object.key


@dataclass(frozen=True, slots=True)
class Route:
    """A source and a destination; a key keeps its name relative to the two prefixes.

    Raises:
        UsageError: when the two are one place or lie one inside the other: moving an object onto
            itself deletes it (aws-cli#831, mc#5170), and a destination inside the source would
            be moved again and again.
    """

    source: Location
    destination: Location

    def __post_init__(self) -> None:
        one, other = self.source, self.destination
        if one.bucket != other.bucket:
            return
        if one.prefix == other.prefix:
            raise UsageError(
                f"Source and destination are the same place, {one}.",
                "A move onto itself would delete the objects.",
            )
        if one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix):
            raise UsageError(
                f"{one} and {other} lie one inside the other.",
                "Choose two prefixes of which neither contains the other.",
            )

    @classmethod
    def parse(cls, source: str, destination: str) -> "Route":
        """Read a route of two URIs, each ``s3://bucket`` or ``s3://bucket/prefix``.

        Raises:
            UsageError: when one is malformed, or they make no route.
        """
        return cls(parse_location(source), parse_location(destination))

    def destination_key(self, key: str) -> str:
        """Return where a source key goes: the same name under the destination prefix."""
        return self.destination.prefix + key.removeprefix(self.source.prefix)

    def source_key(self, name: str) -> str:
        """Read a key as an operator writes it: relative to the source, or as an S3 URI in it.

        Raises:
            UsageError: when it cannot be a key or does not lie inside the source.
        """
        if not name.startswith("s3://"):
            if not name:
                check_key(name)
            return check_key(self.source.prefix + name)
        bucket, key = split(name)
        inside = bucket == self.source.bucket and key.startswith(self.source.prefix)
        if not inside or key == self.source.prefix:
            raise UsageError(
                f"{name!r} is not inside the route's source {self.source}.",
                "Name a key under the source, or give another --source.",
            )
        return check_key(key)
