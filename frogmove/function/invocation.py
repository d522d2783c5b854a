"""One invocation: the client, route, options and deadline of its work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from frogmove.core.filters import NO_FILTERS, Filters
from frogmove.core.selection import HEAD_CONCURRENCY
from frogmove.core.tag_check import TagChecker, hold_back_untagged
from frogmove.function.scan_results import ScanStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Event

    from frogmove.core.models import Action, Route
    from frogmove.core.options import TransferOptions
    from frogmove.core.required_tags import Tag
    from frogmove.function.scan_results import ScanResult
    from frogmove.function.telemetry import Telemetry
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head, S3Object


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation.

    Attributes:
        s3: the client.
        route: source and destination.
        options: how objects are transferred.
        stop: once set, no new work is started.
        telemetry: its logs and metrics.
        tag: the required tag; None if none is required.
        is_quarantine: whether the route's destination is the quarantine.
        is_selected: tells whether the function's filters select an object.
        filters: those of these filters that a sync applies to both sides.
    """

    s3: S3
    route: Route
    options: TransferOptions
    stop: Event
    telemetry: Telemetry
    tag: Tag | None = None
    is_quarantine: bool = False
    is_selected: Callable[[S3Object], bool] = lambda _: True
    filters: Filters = NO_FILTERS

    def checker(self, scan: ScanResult | None) -> TagChecker | None:
        """Return what checks that an object has the required tag; None if none is required.

        Args:
            scan: its scan result, if there is one: with threats, that tag is required.
        """
        if self.tag is None:
            return None
        is_threat = scan is not None and scan.is_threat
        tag = replace(self.tag, value=ScanStatus.THREATS_FOUND) if is_threat else self.tag
        return TagChecker(self.s3, self.route.source.bucket, [tag])

    async def check_tag(self, action: Action, seen: Head, scan: ScanResult | None) -> Action:
        """Return an action unchanged if its object has the tag; see :class:`TagChecker`.

        Raises:
            S3Error: when its tags cannot be read.
        """
        checker = self.checker(scan)
        return action if checker is None else await checker.check(action, seen)

    def only_tagged(self, actions: Iterable[Action]) -> Iterable[Action]:
        """Hold back the actions of a plan whose objects lack the tag.

        Raises:
            S3Error: when the error affects every object.
        """
        checker = self.checker(None)
        if checker is None:
            return actions
        return hold_back_untagged(actions, checker, HEAD_CONCURRENCY, self.stop)


# https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
_CONTEXT_FIELDS = (
    "function_name",
    "function_version",
    "invoked_function_arn",
    "memory_limit_in_mb",
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
)


def describe(context: object) -> dict[str, object]:
    """Return the fields of a context for a response; None for missing ones.

    Args:
        context: Lambda's context.
    """
    fields: dict[str, object] = {}
    for name in _CONTEXT_FIELDS:
        value = getattr(context, name, None)
        fields[name] = value if value is None or isinstance(value, int) else str(value)
    clock = getattr(context, "get_remaining_time_in_millis", None)
    fields["remaining_time_in_millis"] = None if clock is None else clock()
    return fields
