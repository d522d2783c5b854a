"""Routes, actions and results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.models import S3Object
from frogmove.s3.uri import Location, check_key, parse_location, split


class Verb(StrEnum):
    """What an action does."""

    MOVE = "move"
    COPY = "copy"
    COMPARE = "compare"
    RESTORE = "restore"
    CONFLICT = "conflict"
    SKIP = "skip"
    WAIT = "wait"
    REFUSE = "refuse"
    DELETE = "delete"
    NOT_FOUND = "not-found"

    # Enum's own is Python code, which a sync of millions notices.
    __hash__ = str.__hash__


class Effect(StrEnum):
    """What a run would do with an object, given what the destination holds."""

    MOVE = "move"
    COPY = "copy"
    REPLACE = "replace"
    KEEP_BOTH = "keep-both"
    ALREADY_THERE = "already-there"
    RESTORE = "restore"
    CONFLICT = "conflict"
    ARCHIVED = "archived"
    REFUSE = "refuse"
    DELETE = "delete"
    UNKNOWN = "unknown"
    WAIT = "wait"
    SKIP = "skip"
    NOT_FOUND = "not-found"
    SUPERSEDED = "superseded"
    GONE = "gone"

    @property
    def is_transfer(self) -> bool:
        """Whether the object would be moved or copied."""
        return self in _TRANSFERS


_TRANSFERS = frozenset(
    {
        Effect.MOVE,
        Effect.COPY,
        Effect.REPLACE,
        Effect.KEEP_BOTH,
        Effect.ALREADY_THERE,
        Effect.RESTORE,
    }
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a look at the destination showed about an action.

    Attributes:
        effect: what a run would do.
        there: the object that the destination holds at the key, if any.
        cause: why, without the details of the object, so that actions can be grouped.
    """

    effect: Effect
    there: S3Object | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class BackupCopy:
    """A verified copy of an object that a run deleted or replaced.

    Attributes:
        bucket: its bucket.
        key: its key.
        size: bytes.
        etag: its ETag.
        version_id: its version, if known.
    """

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None

    @property
    def uri(self) -> str:
        """Its URI."""
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def of_record(cls, record: Mapping[str, Any] | None) -> "BackupCopy | None":
        """Read the JSON value of a journal.

        Raises:
            TypeError: when it is not valid.
        """
        return None if record is None else cls(**record)


@dataclass(frozen=True, slots=True)
class Replaced:
    """An object that a copy replaced.

    Attributes:
        etag: its ETag.
        version_id: its version, if known.
        backup: its copy in the backup, if there is one.
    """

    etag: str
    version_id: str | None = None
    backup: BackupCopy | None = None

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Replaced":
        """Read the JSON value of a journal.

        Raises:
            TypeError: when it is not valid.
        """
        return cls(**{**record, "backup": BackupCopy.of_record(record.get("backup"))})


@dataclass(frozen=True, slots=True)
class DeletedExtra:
    """An object that only the destination had, and that a sync deleted.

    Attributes:
        backup: its copy in the backup, if there is one.
    """

    backup: BackupCopy | None = None


@dataclass(frozen=True, slots=True)
class VerifiedCopy:
    """A copy that is proven to hold the source's bytes.

    Attributes:
        key: its key in the destination bucket.
        etag: its ETag.
        version_id: its version, if known.
        held: whether the destination may have held it before the run.
        resent: whether the copy was sent more than once, so that the run may have made it after
            all.
        modified: when it was written; known if ``held`` is true.
        replaced: the object that it replaced, if any.
        note: a remark for the operator, such as why no copy was needed.
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
        object: the source object as it was listed; the action applies to no other content. Of a
            DELETE, the destination's object under the key that the source does not have.
        destination_key: the key at the destination.
        reason: why, for the operator; may be empty.
        replaces: the ETag of the destination object to replace. None: no object is known there, and
            the conflict policy decides about one that is.
        follows: the ETag of a destination object that this run has just written as an earlier
            version of the same key; a named version may replace it, if the policy allows that.
        pinned: the version of the object, if the bucket keeps versions: exactly this one is copied;
            the delete is still conditional on its ETag.
        undoes: the copy that a run made, if the object that it replaced must be restored; or what a
            sync deleted, if that must be.
        forecast: what a look at the destination showed; the conflict policy has been applied. None:
            the destination is not known.
    """

    verb: Verb
    object: S3Object
    destination_key: str
    reason: str = ""
    replaces: str | None = None
    undoes: VerifiedCopy | DeletedExtra | None = None
    follows: str | None = None
    pinned: str | None = None
    forecast: Forecast | None = None

    @property
    def effect(self) -> Effect:
        """What a run would do with the object, as far as it is known."""
        return Effect(self.verb.value) if self.forecast is None else self.forecast.effect

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return Action, _action_values(self)


# Workers send millions of results: a dataclass's own way to pickle takes four times as long.
_action_values = attrgetter(*Action.__slots__)


class Outcome(StrEnum):
    """The ways an action ends."""

    MOVED = "moved"
    COPIED = "copied"
    DELETED = "deleted"
    SKIPPED = "skipped"
    WAITING = "waiting"
    GONE = "gone"
    NOT_FOUND = "not-found"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    FAILED = "failed"

    # Enum's own is Python code, which a sync of millions notices.
    __hash__ = str.__hash__

    @property
    def needs_attention(self) -> bool:
        """Whether the operator must look at it: a run with such a result has exit code 1."""
        return self in _NEEDING_ATTENTION

    @property
    def is_counted_only(self) -> bool:
        """Whether nothing was done to the object, so that it is not in the journal."""
        return self is Outcome.SKIPPED or self is Outcome.WAITING


_NEEDING_ATTENTION = frozenset({Outcome.NOT_FOUND, Outcome.CONFLICT, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one action.

    Attributes:
        action: the action.
        outcome: how it ended.
        reason: for the operator: why, where the bytes are now, and what to do.
        destination_key: the key of the copy; differs from the action's if both objects were kept.
        retrying_helps: whether a retry may succeed.
        resumes: whether only the time ran out, and the parts copied so far are kept.
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

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return Result, _result_values(self)

    @property
    def key(self) -> str:
        """The whole source key."""
        return self.action.object.key


_result_values = attrgetter(*Result.__slots__)


@dataclass(frozen=True, slots=True)
class Route:
    """A source and a destination; a key keeps its name relative to the prefixes.

    Raises:
        UsageError: when the two are the same or one contains the other. Moving an object onto
            itself deletes it (aws-cli#831, mc#5170), and objects at a destination inside the source
            would be moved again and again.
    """

    source: Location
    destination: Location

    def __post_init__(self) -> None:
        one, other = self.source, self.destination
        if not one.overlaps(other):
            return
        if one.prefix == other.prefix:
            raise UsageError(
                f"Source and destination are the same: {one}.",
                "A move onto itself would delete the objects.",
            )
        raise UsageError(
            f"One of {one} and {other} contains the other.",
            "Choose two prefixes of which neither contains the other.",
        )

    @classmethod
    def parse(cls, source: str, destination: str) -> "Route":
        """Parse a route from two URIs, each ``s3://bucket`` or ``s3://bucket/prefix``.

        Raises:
            UsageError: when one is malformed, or they cannot be a route.
        """
        return cls(parse_location(source), parse_location(destination))

    def destination_key(self, key: str) -> str:
        """Return the destination key of a source key: the same name under the other prefix."""
        return self.destination.prefix + key.removeprefix(self.source.prefix)

    def source_key(self, name: str) -> str:
        """Parse a key as an operator writes it: relative to the source, or as an S3 URI inside it.

        Raises:
            UsageError: when it cannot be a key or is not inside the source.
        """
        return key_inside(self.source, name)


def key_inside(end: Location, name: str) -> str:
    """Parse a key as an operator writes it: relative to an end of a route, or as an S3 URI.

    Raises:
        UsageError: when it cannot be a key or is not inside that end.
    """
    if not name.startswith("s3://"):
        if not name:
            check_key(name)
        return check_key(end.prefix + name)
    bucket, key = split(name)
    if bucket != end.bucket or not key.startswith(end.prefix) or key == end.prefix:
        raise UsageError(
            f"{in_quotes(name)} is not inside {end}.",
            "Use a key under it. Set the ends of the route with --source and --destination.",
        )
    return check_key(key)
