"""The complete description of a run, enough to repeat it. A journal begins with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from frogmove.core.attributes import Attribute
from frogmove.core.filters import NO_FILTERS
from frogmove.core.key_mapping import SAME_KEYS, KeyMapping
from frogmove.core.models import Route
from frogmove.core.options import (
    MAX_COMPARE_SIZE,
    MIN_PART_SIZE,
    Multipart,
    OnConflict,
    SyncOptions,
    TransferOptions,
)
from frogmove.core.required_tags import Tag, parse_tag
from frogmove.core.scheduler import MAX_GROUP
from frogmove.core.selection import Selection
from frogmove.core.verify import CompareBy, Verify
from frogmove.s3.limits import Limits
from frogmove.s3.models import MAX_COPY_SIZE
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.s3.bucket_features import BucketFeatures
    from frogmove.s3.capabilities import Capabilities

# Default maximum of concurrent requests. With 512, runs on servers with high latency are a twelfth
# faster, beyond what S3 accepts in one prefix, and on others slower (measured).
CONCURRENCY = 384

# Maximum processes of a run.
MAX_PROCESSES = 64


# Default maximum of objects that a sync deletes.
MAX_DELETE = "1000"


class Command(StrEnum):
    """What a run does with the selected objects."""

    MOVE = "move"
    COPY = "copy"
    SYNC = "sync"
    UNDO = "undo"


# Options and journals give them as texts.
_CHOICES: dict[str, type[StrEnum]] = {
    "command": Command,
    "on_conflict": OnConflict,
    "verify": Verify,
    "compare": CompareBy,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """The description of one run.

    Attributes:
        id: the run's id.
        started: its start time by the server's clock, in ISO 8601.
        command: what it does.
        source: the source's URI.
        destination: the destination's URI.
        selection: the selected objects; empty for an undo.
        mapping: which keys they get; empty for an undo.
        on_conflict: what to do if the destination holds something else.
        verify: how much proof a copy needs.
        require_conditional: whether servers that do not honour conditions are refused.
        multipart_threshold: bytes; larger objects are copied in parts.
        max_compare_size: bytes; larger objects are not read to compare them.
        compare: how a sync compares objects.
        carry: attributes to copy that S3 does not copy.
        delete: whether a sync deletes objects that only the destination has.
        max_delete: the maximum of such deletes: a number of objects, or a percentage (``10%``).
        backup: the URI where a sync keeps what it deletes or replaces; None: nowhere.
        concurrency: maximum concurrent requests.
        max_rate: maximum copies started per second; None for no limit.
        max_errors: failed objects after which the run is stopped; None for no limit.
        processes: maximum processes.
        profile: the profile of the AWS configuration, if given.
        region: the AWS Region, if given.
        endpoint_url: the server, if given by an option, the environment or a configuration file.
        no_sign_request: ``yes`` if requests are not signed.
        expected_bucket_owner: the account that must own both buckets.
        requester_pays: ``yes`` to pay for requests to requester-pays buckets.
        kms_key_id: the KMS key for copies.
        require_tag: ``KEY=VALUE``, the tag that the route requires of objects.
        function: the deployed function that moves uploads along the route.
        tags: further tags that are required, each ``KEY=VALUE``.
        engine: the HTTP engine, if given.
        plan: the file of the plan that is applied; see :mod:`frogmove.core.plan_file`.
        continues: the run that this one resumes or undoes.
        undoes: all runs that an undo undoes: that run and its resumes at that time.
    """

    id: str
    started: str
    command: Command
    source: str
    destination: str
    selection: Selection = field(default_factory=Selection)
    mapping: KeyMapping = SAME_KEYS
    on_conflict: OnConflict = OnConflict.FAIL
    verify: Verify = Verify.AUTO
    require_conditional: bool = False
    multipart_threshold: int = MAX_COPY_SIZE
    max_compare_size: int = MAX_COMPARE_SIZE
    compare: CompareBy = CompareBy.AUTO
    carry: list[str] = field(default_factory=list)
    delete: bool = False
    max_delete: str = MAX_DELETE
    backup: str | None = None
    concurrency: int = CONCURRENCY
    max_rate: float | None = None
    max_errors: int | None = None
    processes: int = 1
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    no_sign_request: str | None = None
    expected_bucket_owner: str | None = None
    requester_pays: str | None = None
    kms_key_id: str | None = None
    engine: str | None = None
    require_tag: str | None = None
    function: str | None = None
    tags: list[str] = field(default_factory=list)
    plan: str | None = None
    continues: str | None = None
    undoes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            object.__setattr__(self, name, choices(getattr(self, name)))

    def route(self) -> Route:
        """Return the route.

        Raises:
            UsageError: when it is not valid.
        """
        return Route.parse(self.source, self.destination)

    def record(self) -> dict[str, Any]:
        """Return the description as a JSON value; see :meth:`of_record`."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"selection": self.selection.record(), "mapping": self.mapping.record()}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> RunSpec:
        """Parse a record; unknown fields are ignored.

        Raises:
            KeyError, TypeError, ValueError, AttributeError, UsageError: when it is not valid.
        """
        known = {name: record[name] for name in cls.__dataclass_fields__ if name in record}
        selection = Selection.of_record(record["selection"])
        mapping = KeyMapping.of_record(record["mapping"])
        return cls(**known | {"selection": selection, "mapping": mapping})

    def with_options(self, options: TransferOptions | None) -> RunSpec:
        """Return the same run with other transfer options; None keeps an option."""
        if options is None:
            return self
        return replace(
            self,
            on_conflict=options.on_conflict,
            verify=options.verify,
            multipart_threshold=options.multipart.threshold,
            max_compare_size=options.max_compare_size,
            carry=sorted(attribute.value for attribute in options.carry),
        )

    def required_tags(self) -> tuple[Tag, ...]:
        """Return the tags that an object must have to be moved; none for an undo."""
        if self.command is Command.UNDO:
            return ()
        return tuple(map(parse_tag, filter(None, (self.require_tag, *self.tags))))

    @property
    def max_group(self) -> int:
        """How many copies may share a write of the journal.

        1 with filters: they may leave out much, and a copy would wait for the next object.
        """
        return MAX_GROUP if self.selection.filters == NO_FILTERS else 1

    def limits(self) -> Limits:
        """Return the limits on requests to S3."""
        return Limits(self.concurrency, self.max_rate)

    def sync_options(self) -> SyncOptions:
        """Return how a sync compares objects."""
        return SyncOptions(self.compare, self.max_compare_size)

    def options(self, capabilities: Capabilities, features: BucketFeatures) -> TransferOptions:
        """Return how objects are moved.

        Args:
            capabilities: the conditions that the server honours.
            features: the enabled features of the source bucket.
        """
        default = Multipart()
        backup = self.backup if self.command is Command.SYNC else None
        threshold = self.multipart_threshold
        part_size = max(MIN_PART_SIZE, min(default.part_size, threshold))
        return TransferOptions(
            capabilities,
            self.on_conflict,
            self.verify,
            Multipart(threshold, part_size),
            self.concurrency,
            kms_key_id=self.kms_key_id,
            max_compare_size=self.max_compare_size,
            carry=frozenset(map(Attribute, self.carry)),
            features=features,
            # An undo writes to the source, where uploads may trigger something: no temporary keys
            # there.
            probe_source=self.command is Command.UNDO,
            backup=None if backup is None else parse_location(backup),
        )
