"""Sweeps and syncs of the whole route, as far as the time allows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from frogmove.core.advice import explain
from frogmove.core.models import Outcome, Verb
from frogmove.core.options import SyncOptions
from frogmove.core.plan import plan_move
from frogmove.core.records import action_record
from frogmove.core.selection import HEAD_CONCURRENCY, Selection
from frogmove.core.sync_plan import plan_resolved_sync
from frogmove.core.transfer import run
from frogmove.function.responses import RESULTS_SHOWN
from frogmove.function.resumable_uploads import ResumableUploads
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import list_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frogmove.core.models import Action
    from frogmove.core.records import Record
    from frogmove.core.verify import CompareBy
    from frogmove.function.invocation import Invocation
    from frogmove.function.telemetry import Telemetry
    from frogmove.s3.models import S3Object

# Maximum actions in the response to a dry run.
ACTIONS_SHOWN = 100


def sweep(invocation: Invocation, age: float) -> Iterable[Action]:
    """Plan to move objects that have been at the source for longer than ``age`` seconds.

    Args:
        invocation: the invocation.
        age: in seconds.
    """
    source = invocation.route.source
    before = datetime.now(UTC) - timedelta(seconds=age)
    listed = list_prefix(invocation.s3, source.bucket, source.prefix)
    old = _older_than(filter(invocation.is_selected, listed), before, invocation.telemetry)
    return invocation.only_tagged(plan_move(old, invocation.route))


def _older_than(
    objects: Iterable[S3Object], before: datetime, telemetry: Telemetry
) -> Iterator[S3Object]:
    """Yield the objects that were written before a time; for others an event is expected."""
    for item in objects:
        if item.last_modified <= before:
            yield item
        else:
            telemetry.young += 1


def sync(invocation: Invocation, compare: CompareBy) -> Iterable[Action]:
    """Plan to copy objects that are missing or different at the destination."""
    options = SyncOptions(compare, invocation.options.max_compare_size)
    prefix = invocation.route.source.prefix

    def hold_back(actions: Iterable[Action]) -> Iterable[Action]:
        # Before a comparison, which reads both objects.
        selected = (action for action in actions if invocation.is_selected(action.object))
        return invocation.only_tagged(selected)

    return plan_resolved_sync(
        invocation.s3,
        invocation.route,
        HEAD_CONCURRENCY,
        invocation.stop,
        options,
        selection=Selection(base=prefix, folders=(prefix,), filters=invocation.filters),
        hold_back=hold_back,
    )


def execute(actions: Iterable[Action], invocation: Invocation, *, is_sweep: bool) -> dict[str, Any]:
    """Execute a plan until it is done or the time is up.

    Args:
        actions: the plan.
        invocation: the invocation.
        is_sweep: whether to write the metrics of a sweep.

    Returns:
        the response; the next invocation continues with the rest.

    Raises:
        RunError: when an error affects every object.
    """
    telemetry, route = invocation.telemetry, invocation.route
    watched = telemetry.watch(actions)
    markers = ResumableUploads(invocation.s3, route)
    left: list[dict[str, str]] = []
    oldest = 0.0
    for result in run(watched, invocation.s3, route, invocation.options, invocation.stop, markers):
        telemetry.done(result)
        if not result.outcome.needs_attention:
            continue
        item, outcome = result.action.object, result.outcome.value
        oldest = max(oldest, (datetime.now(UTC) - item.last_modified).total_seconds())
        if len(left) < RESULTS_SHOWN:
            left.append({"key": item.key, "outcome": outcome, "reason": result.reason})
    is_finished = not invocation.stop.is_set()
    if is_sweep:
        unscanned = telemetry.counts[Outcome.WAITING]
        telemetry.sweep_ended(oldest, unscanned, is_finished=is_finished)
    response = {
        "dry_run": False,
        "finished": is_finished,
        "counts": {str(outcome): count for outcome, count in telemetry.counts.items()},
        "bytes": telemetry.bytes,
    }
    return response | {"results": left} if left else response


def preview(actions: Iterable[Action], invocation: Invocation) -> dict[str, Any]:
    """Count a plan's actions, and return the first ones.

    Returns:
        the response.

    Raises:
        UnreachableError: when the objects cannot be listed.
    """
    counts: Counter[str] = Counter()
    total = 0
    shown: list[Record] = []
    finished = True
    try:
        for action in actions:
            counts[action.verb.value] += 1
            if action.verb in {Verb.MOVE, Verb.COPY}:
                total += action.object.size
            if len(shown) < ACTIONS_SHOWN:
                shown.append(action_record(action))
            if invocation.stop.is_set():
                finished = False
                break
    except S3Error as error:
        raise explain(error, invocation.route.source.bucket) from error
    return {
        "dry_run": True,
        "finished": finished and not invocation.stop.is_set(),
        "counts": dict(counts),
        "bytes": total,
        "on_conflict": invocation.options.on_conflict.value,
        "actions": shown,
    }
