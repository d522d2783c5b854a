"""The function's configuration, from its environment variables.

``FROGMOVE_SOURCE`` and ``FROGMOVE_DESTINATION`` are the route; ``FROGMOVE_ENDPOINT_URL``,
``FROGMOVE_KMS_KEY_ID`` and ``FROGMOVE_EXPECTED_BUCKET_OWNER`` mean the same as for the command
line. For the others see the attributes below. An empty variable is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from frogmove import __version__
from frogmove.config import Config, RoleConfig, resolve
from frogmove.core.attributes import parse_attributes
from frogmove.core.models import Route
from frogmove.core.options import MAX_COMPARE_SIZE, MIB, MIN_PART_SIZE, Multipart, OnConflict
from frogmove.core.required_tags import Tag, parse_tag
from frogmove.core.same_place import may_be_alias
from frogmove.core.units import parse_age, parse_size
from frogmove.errors import UsageError
from frogmove.function.checks import CHECKS, without_password
from frogmove.function.object_filter import ObjectFilter, read_object_filter
from frogmove.function.scan_results import TAG, VALIDATION_KEY, ScanStatus
from frogmove.function.variables import read_variable
from frogmove.quoting import in_quotes
from frogmove.s3.limits import MAX_CONCURRENCY
from frogmove.s3.models import MAX_COPY_SIZE
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.core.attributes import Attribute

T = TypeVar("T")

# S3 copies 35 to 140 MB per second and request: AWS states 2 TB in 15 minutes with 16 to 64
# concurrent requests. So no single copy takes longer than the margin before the timeout, and a part
# takes a third of that.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html
_THRESHOLD = 512 * MIB
_PART_SIZE = 128 * MIB
_MARGIN = 15.0

# Concurrent parts of one object. Few, because those in flight when the time is up must be waited
# for.
_PARTS_AT_ONCE = 16

_CONCURRENCY = 16
_BULK_CONCURRENCY = 64
_SWEEP_AGE = 900.0

# What GuardDuty sets on clean objects.
_CLEAN = Tag(TAG, ScanStatus.NO_THREATS_FOUND)

_MAX_PART_SIZE = 5 * 1024 * MIB


@dataclass(frozen=True, slots=True)
class ScanGate:
    """Which scan results an object needs before it is moved.

    Attributes:
        tag: ``FROGMOVE_REQUIRE_TAG``; objects without this tag stay. None: no tag is required.
        plan: ``FROGMOVE_SCAN_PLAN``; the ARN of the GuardDuty protection plan whose results are
            used. None: results are refused.
        quarantine: ``FROGMOVE_QUARANTINE``; where objects with threats are moved to. None: they
            stay.
        quarantine_role: ``FROGMOVE_QUARANTINE_ROLE``; the ARN of the role that moves them there.
            None: the function's own role does.
    """

    tag: Tag | None = None
    plan: str | None = None
    quarantine: Route | None = None
    quarantine_role: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """The function's configuration.

    Attributes:
        client_config: the endpoint and the credentials.
        route: source and destination.
        on_conflict: ``FROGMOVE_ON_CONFLICT``; overwrite by default.
        concurrency: ``FROGMOVE_CONCURRENCY``; maximum objects of an event in flight, 16 by default.
        bulk_concurrency: the same for a sweep or sync, 64 by default.
        sweep_age: ``FROGMOVE_SWEEP_AGE``; minimum age in seconds of objects that a sweep moves, by
            default 15 minutes.
        multipart: ``FROGMOVE_MULTIPART_THRESHOLD`` and ``FROGMOVE_PART_SIZE``.
        max_compare_size: ``FROGMOVE_MAX_COMPARE_SIZE``; where ETags and checksums are inconclusive,
            larger objects are not read to compare them; 1 GiB by default.
        carry: ``FROGMOVE_CARRY``; attributes to copy that S3 does not copy.
        margin: ``FROGMOVE_MARGIN``; seconds before the timeout at which no new work is started.
        object_filter: ``FROGMOVE_KEY_PREFIXES``, ``FROGMOVE_KEY_SUFFIXES``, ``FROGMOVE_INCLUDE``,
            ``FROGMOVE_EXCLUDE`` and ``FROGMOVE_STORAGE_CLASS``, each several with commas between
            them, ``FROGMOVE_NEWER_THAN``, ``FROGMOVE_OLDER_THAN``, ``FROGMOVE_MIN_SIZE`` and
            ``FROGMOVE_MAX_SIZE``; uploads, sweeps and syncs leave other objects where they are.
        scan_gate: what has to be known of an object before it is moved.
    """

    client_config: Config
    route: Route
    on_conflict: OnConflict
    concurrency: int
    bulk_concurrency: int
    sweep_age: float
    multipart: Multipart
    max_compare_size: int
    carry: frozenset[Attribute]
    margin: float
    object_filter: ObjectFilter = field(default_factory=ObjectFilter)
    scan_gate: ScanGate = ScanGate()

    def quarantine_client_config(self) -> Config:
        """Return the configuration of the client that moves objects to the quarantine."""
        # The quarantine has its own encryption, and may be in another Region than the key.
        given = self.client_config.given() | {"kms_key_id": None}
        role = self.scan_gate.quarantine_role
        return Config(**given) if role is None else RoleConfig(**given, role_arn=role)

    def record(self) -> dict[str, Any]:
        """Return the settings for a response, without passwords in URLs."""
        endpoint = self.client_config.endpoint_url
        gate = self.scan_gate
        return {
            "version": __version__,
            "settings": {
                "source": str(self.route.source),
                "destination": str(self.route.destination),
                "on_conflict": self.on_conflict.value,
                "concurrency": self.concurrency,
                "bulk_concurrency": self.bulk_concurrency,
                "sweep_age": self.sweep_age,
                "multipart_threshold": self.multipart.threshold,
                "part_size": self.multipart.part_size,
                "max_compare_size": self.max_compare_size,
                "carry": sorted(self.carry),
                "margin": self.margin,
                **self.object_filter.record(),
                "require_tag": None if gate.tag is None else str(gate.tag),
                "scan_plan": gate.plan,
                "quarantine": None if gate.quarantine is None else str(gate.quarantine.destination),
                "quarantine_role": gate.quarantine_role,
                "endpoint_url": without_password(endpoint) if endpoint else None,
                "kms_key_id": self.client_config.kms_key_id,
                "expected_bucket_owner": self.client_config.expected_bucket_owner,
            },
        }


def read_config(environment: Mapping[str, str]) -> FunctionConfig:
    """Read the configuration.

    Raises:
        UsageError: when a setting is missing or not valid.
    """
    for name, check in CHECKS.items():
        read_variable(environment, name, check, None)
    client_config = resolve(Config(), None, environment, None)
    if may_be_alias(client_config.end("source").bucket):
        raise UsageError(
            f"FROGMOVE_SOURCE is {in_quotes(client_config.source)}: an access point, "
            "but events name buckets.",
            "Set FROGMOVE_SOURCE to the name of its bucket.",
        )
    concurrency = read_variable(environment, "CONCURRENCY", _parse_concurrency, None)
    scan_gate = _read_scan_gate(environment, client_config.route())
    return FunctionConfig(
        client_config,
        client_config.route(),
        on_conflict=read_variable(environment, "ON_CONFLICT", _parse_policy, OnConflict.OVERWRITE),
        concurrency=concurrency or _CONCURRENCY,
        bulk_concurrency=concurrency or _BULK_CONCURRENCY,
        sweep_age=read_variable(environment, "SWEEP_AGE", parse_age, _SWEEP_AGE),
        multipart=Multipart(
            read_variable(environment, "MULTIPART_THRESHOLD", _parse_threshold, _THRESHOLD),
            read_variable(environment, "PART_SIZE", _parse_part_size, _PART_SIZE),
            min(_PARTS_AT_ONCE, concurrency or _CONCURRENCY),
        ),
        max_compare_size=read_variable(
            environment, "MAX_COMPARE_SIZE", parse_size, MAX_COMPARE_SIZE
        ),
        carry=read_variable(environment, "CARRY", parse_attributes, frozenset()),
        margin=read_variable(environment, "MARGIN", parse_age, _MARGIN),
        object_filter=read_object_filter(
            environment,
            client_config.route().source.prefix,
            frozenset() if scan_gate.tag is None else frozenset({VALIDATION_KEY}),
        ),
        scan_gate=scan_gate,
    )


def _read_scan_gate(environment: Mapping[str, str], route: Route) -> ScanGate:
    tag = read_variable(environment, "REQUIRE_TAG", parse_tag, None)
    plan = read_variable(environment, "SCAN_PLAN", str, None)
    quarantine = read_variable(environment, "QUARANTINE", parse_location, None)
    if plan is not None and tag != _CLEAN:
        named = (
            "without FROGMOVE_REQUIRE_TAG" if tag is None else f"but FROGMOVE_REQUIRE_TAG is {tag}"
        )
        raise UsageError(
            f"FROGMOVE_SCAN_PLAN is set {named}.",
            f"Only what GuardDuty finds clean may be moved: set FROGMOVE_REQUIRE_TAG to {_CLEAN}.",
        )
    role = read_variable(environment, "QUARANTINE_ROLE", str, None)
    if quarantine is None:
        if role is not None:
            raise UsageError(
                "FROGMOVE_QUARANTINE_ROLE is set without FROGMOVE_QUARANTINE.",
                "The role moves objects with threats to the quarantine, and nothing else.",
            )
        return ScanGate(tag, plan)
    if plan is None:
        raise UsageError(
            "FROGMOVE_QUARANTINE is set without FROGMOVE_SCAN_PLAN.",
            "Without a plan, no object is known to have threats.",
        )
    if any(quarantine.overlaps(end) for end in (route.source, route.destination)):
        raise UsageError(
            f"FROGMOVE_QUARANTINE is {quarantine}, which overlaps the route {route.source} -> "
            f"{route.destination}.",
            "Choose another bucket or prefix.",
        )
    return ScanGate(tag, plan, Route(route.source, quarantine), role)


def _parse_policy(text: str) -> OnConflict:
    try:
        return OnConflict(text)
    except ValueError as error:
        raise UsageError(
            f"{text!a} is not a conflict policy.", f"Choose from {', '.join(OnConflict)}."
        ) from error


def _parse_concurrency(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= MAX_CONCURRENCY:
        raise UsageError(f"{text!a} is not a number from 1 to {MAX_CONCURRENCY:,}.")
    return number


def _parse_threshold(text: str) -> int:
    return _between(text, MIN_PART_SIZE, MAX_COPY_SIZE)


def _parse_part_size(text: str) -> int:
    return _between(text, MIN_PART_SIZE, _MAX_PART_SIZE)


def _between(text: str, smallest: int, largest: int) -> int:
    size = parse_size(text)
    if not smallest <= size <= largest:
        raise UsageError(f"{text!a} is not between {smallest:,} and {largest:,} bytes.")
    return size
