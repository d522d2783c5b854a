"""Transfer options: how the objects of a run are moved."""

from dataclasses import dataclass, field
from enum import StrEnum

from frogmove.core.attributes import Attribute, parse_attributes
from frogmove.core.verify import CompareBy, Verify
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.bucket_features import BucketFeatures
from frogmove.s3.capabilities import NONE_SUPPORTED, Capabilities
from frogmove.s3.models import MAX_COPY_SIZE
from frogmove.s3.uri import Location

MIB = 1024 * 1024

# S3's limits. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MIN_PART_SIZE = 5 * MIB
MAX_PARTS = 10_000

# Bytes; by default, larger objects are not read to compare them.
MAX_COMPARE_SIZE = 1024 * MIB


class OnConflict(StrEnum):
    """What to do if the destination key holds something else."""

    FAIL = "fail"
    OVERWRITE = "overwrite"
    SKIP = "skip"
    KEEP_BOTH = "keep-both"


@dataclass(frozen=True, slots=True)
class Multipart:
    """When and how an object is copied in parts.

    Attributes:
        threshold: bytes; larger objects are copied in parts.
        part_size: bytes of a part; larger if there would be more parts than S3 allows.
        at_once: maximum concurrent parts of one object.
    """

    threshold: int = MAX_COPY_SIZE
    part_size: int = 512 * MIB
    at_once: int = 16

    def parts(self, size: int) -> list[tuple[int, int, int]]:
        """Return number, first and last byte of each part; the same for every object of a size."""
        length = self.part_size
        if size > length * MAX_PARTS:
            least = -(-size // MAX_PARTS)
            length = -(-least // MIB) * MIB
        starts = range(0, size, length)
        return [
            (number, start, min(start + length, size) - 1)
            for number, start in enumerate(starts, start=1)
        ]


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How a sync compares objects.

    Attributes:
        compare: the method.
        max_compare_size: bytes; larger objects are not read.
    """

    compare: CompareBy = CompareBy.AUTO
    max_compare_size: int = MAX_COMPARE_SIZE


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """How the objects of a run are moved.

    Attributes:
        capabilities: which conditions the server honours; the client detects them.
        on_conflict: what to do if the destination holds something else.
        verify: how much proof a copy needs.
        multipart: when and how objects are copied in parts.
        concurrency: maximum objects in flight.
        kms_key_id: the KMS key for copies; None: the bucket's default encryption.
        max_compare_size: bytes; where ETags and checksums are inconclusive, larger objects are not
            read to compare them.
        carry: attributes to copy that S3 does not copy.
        features: the enabled features of the source bucket.
        probe_source: whether temporary keys are written to the source instead of the destination,
            where uploads trigger something; used by undo.
        backup: where what is deleted or replaced at the destination is kept; None: nowhere.

    Raises:
        UsageError: when a choice is unknown; it may be given as text.
    """

    capabilities: Capabilities = NONE_SUPPORTED
    on_conflict: OnConflict = OnConflict.FAIL
    verify: Verify = Verify.AUTO
    multipart: Multipart = field(default_factory=Multipart)
    concurrency: int = 32
    kms_key_id: str | None = None
    max_compare_size: int = MAX_COMPARE_SIZE
    carry: frozenset[Attribute] = frozenset()
    features: BucketFeatures = field(default_factory=BucketFeatures)
    probe_source: bool = False
    backup: Location | None = None

    def __post_init__(self) -> None:
        for name, choices in (("on_conflict", OnConflict), ("verify", Verify)):
            object.__setattr__(self, name, _chosen(name, getattr(self, name), choices))
        object.__setattr__(self, "carry", parse_attributes(",".join(self.carry)))


def _chosen(name: str, value: str, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(value)
    except ValueError as error:
        raise UsageError(
            f"{name} cannot be {in_quotes(value)}.", f"Choose from {', '.join(choices)}."
        ) from error
