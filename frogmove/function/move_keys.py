"""Moves the keys that an event names.

Two requests for one key never run concurrently.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frogmove.core.lookup import Lookup
from frogmove.core.models import Outcome, Verb
from frogmove.core.plan import plan_move
from frogmove.core.scheduler import Task, run_tasks
from frogmove.core.transfer import run
from frogmove.errors import RunError
from frogmove.function.key_request import KeyResult
from frogmove.function.resumable_uploads import ResumableUploads
from frogmove.function.scan_gate import REPLACED, exists, look_up, not_tagged_yet
from frogmove.function.scan_results import ScanStatus
from frogmove.function.telemetry import QUARANTINED
from frogmove.quoting import in_quotes
from frogmove.s3.errors import S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.models import NULL_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from frogmove.core.models import Action, Route, VerifiedCopy
    from frogmove.function.invocation import Invocation
    from frogmove.function.key_request import KeyRequest, KeyResults
    from frogmove.function.scan_results import ScanResult
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Head, S3Object


_GONE = KeyResult(Outcome.GONE, "no longer at the source")
# If it is only too new, a sweep moves it later.
_NOT_SELECTED = KeyResult(Outcome.SKIPPED, "not among the objects that the function is set to move")

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)

_HELD_BACK = KeyResult(
    Outcome.FAILED,
    "not started, because an earlier version of the key must be retried first; source kept",
    retrying_helps=True,
)

# The result of keys for which there was no time.
NOT_REACHED = KeyResult(Outcome.FAILED, "not reached in time", retrying_helps=True, unfinished=True)


def deliver(requested: Iterable[KeyRequest], invocation: Invocation) -> KeyResults:
    """Move the requested keys that exist.

    Apart from the key, the event's data about an object is not used: events may arrive twice, late
    and out of order, so the object may have changed or be gone. The current object is moved,
    conditional on its ETag.

    Args:
        requested: the requests; duplicates are moved once.
        invocation: the invocation.

    Returns:
        the result of each request; those that were not reached are omitted.
    """
    key_results: KeyResults = {}
    inside = []
    for each in dict.fromkeys(requested):
        if not each.key.startswith(invocation.route.source.prefix):
            key_results[each] = KeyResult(Outcome.SKIPPED, "not under the source's prefix")
            if each.scan is not None and each.is_threat:
                invocation.telemetry.scanned(each.key, each.scan)
            invocation.telemetry.outside(each.key)
        elif _is_clean(each, invocation) or invocation.is_quarantine:
            inside.append(each)
        else:
            reason = f"{each.scan.reason}; it stays at the source" if each.scan else ""
            key_results[each] = KeyResult(Outcome.WAITING, reason)
            invocation.telemetry.without_action(each.key, Outcome.WAITING, reason)
    lookup = Lookup(invocation.s3, invocation.route.source.bucket)
    journal = _CopyJournal(invocation.s3, invocation.route)
    for each_round in _rounds(inside, invocation, lookup):
        ready = _not_held_back(each_round, key_results)
        _run(ready, invocation, lookup, journal, key_results)
    return key_results


def _is_clean(each: KeyRequest, invocation: Invocation) -> bool:
    """Tell whether a key may be moved; log a scan that forbids it."""
    if each.scan is None or each.scan.status is ScanStatus.NO_THREATS_FOUND:
        return True
    invocation.telemetry.scanned(each.key, each.scan)
    return False


class _CopyJournal(ResumableUploads):
    """Also remembers the copies of earlier rounds."""

    def __init__(self, s3: S3, route: Route) -> None:
        super().__init__(s3, route)
        self._etags: dict[str, str] = {}

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        self._etags[copy.key] = copy.etag

    async def after(self, coming: Task[Action | None]) -> Action | None:
        """Set the ETag that an earlier round wrote to the action's destination."""
        action = await coming
        if action is None:
            return None
        return replace(action, follows=self._etags.get(action.destination_key))


def _rounds(
    requested: list[KeyRequest], invocation: Invocation, lookup: Lookup
) -> Iterator[list[KeyRequest]]:
    """Split the requests into rounds of different keys, the oldest version of each key first."""
    by_key: dict[str, list[KeyRequest]] = {}
    for each in requested:
        by_key.setdefault(each.key, []).append(each)
    several = [each for same in by_key.values() if len(same) > 1 for each in same]
    ages = dict(_ages(several, invocation, lookup))
    # Manifests list the newest version first, also among those of the same second.
    ordered = []
    for same in by_key.values():
        if len(same) > 1:
            same.reverse()
            same.sort(key=ages.__getitem__)
        ordered.append(same)
    for number in range(max(map(len, ordered), default=0)):
        yield [same[number] for same in ordered if number < len(same)]


def _ages(
    requested: Iterable[KeyRequest], invocation: Invocation, lookup: Lookup
) -> Iterator[tuple[KeyRequest, datetime]]:
    """Look up when each version was written; the current one counts as the newest."""

    async def one(each: KeyRequest) -> tuple[KeyRequest, datetime]:
        if each.version_id is None:
            return each, _LAST
        try:
            seen = await lookup.head(each.key, each.version_id)
        except S3Error:
            # Its move will report the error.
            return each, _FIRST
        return each, _FIRST if seen is None else seen.object.last_modified

    size = invocation.options.concurrency
    return run_tasks((one(each) for each in requested), size)


def _not_held_back(requested: Iterable[KeyRequest], key_results: KeyResults) -> list[KeyRequest]:
    """Hold back versions after an earlier version that will be retried."""
    waiting = {
        each.key
        for each, key_result in key_results.items()
        if not key_result.is_done and key_result.retrying_helps
    }
    ready = []
    for each in requested:
        if each.key in waiting:
            key_results[each] = _HELD_BACK
        else:
            ready.append(each)
    return ready


def plan(
    requested: Iterable[KeyRequest], invocation: Invocation, key_results: KeyResults
) -> Iterator[Action]:
    """Plan to move the requested keys that exist; for a dry run.

    Args:
        requested: keys under the source's prefix.
        invocation: the invocation.
        key_results: receives the results of those that cannot be moved.
    """
    size = invocation.options.concurrency
    lookup = Lookup(invocation.s3, invocation.route.source.bucket)
    tasks = (_planned(each, invocation, lookup, key_results) for each in requested)
    planned = run_tasks(tasks, size, invocation.stop)
    return (action for action in planned if action is not None)


async def _planned(
    each: KeyRequest, invocation: Invocation, lookup: Lookup, key_results: KeyResults
) -> Action | None:
    """Look up a requested key and plan its move; None if it cannot be moved.

    Part of each key's own task, so that a slow response does not delay the others.
    """
    invocation.telemetry.begin(each.key)
    key_result = _GONE
    try:
        seen = await look_up(each, invocation, lookup)
        if each.alternative_key and await exists(
            each.alternative_key, each.version_id, invocation, lookup
        ):
            key_result = _ambiguous(each)
        elif isinstance(seen, KeyResult):
            key_result = seen
        elif seen is not None:
            action_or_result = await _decided(each, seen, invocation)
            if not isinstance(action_or_result, KeyResult):
                return action_or_result
            key_result = action_or_result
    except S3Error as error:
        key_result = KeyResult.of_error(error)
    invocation.telemetry.without_action(each.key, key_result.outcome, key_result.reason)
    key_results[each] = key_result
    return None


async def _decided(each: KeyRequest, seen: Head, invocation: Invocation) -> Action | KeyResult:
    """Plan the move of a key's object; return the request's result if it must not be moved."""
    # Threats are quarantined whether or not the filters select them.
    is_filtered = each.is_upload and not each.is_threat
    if is_filtered and not invocation.is_selected(seen.object):
        return _NOT_SELECTED
    (action,) = plan_move([seen.object], invocation.route)
    if each.scan is None:
        return await invocation.check_tag(action, seen, None)
    if _is_replaced(each.scan, seen):
        return REPLACED
    # The event alone is no proof: everybody who may invoke the function can send one.
    checked = await invocation.check_tag(action, seen, each.scan)
    return not_tagged_yet(each.scan) if checked.verb is Verb.WAIT else checked


def _is_replaced(scan: ScanResult, seen: Head) -> bool:
    """Tell whether the object is another one than the scanned one."""
    version = None if seen.version_id == NULL_VERSION else seen.version_id
    return version != scan.version_id or not etags_match(seen.object.etag, scan.etag)


def _ambiguous(each: KeyRequest) -> KeyResult:
    one, other = (in_quotes(key, 200) for key in (each.key, each.alternative_key or ""))
    reason = (
        f"the key may mean {one} or {other}, "
        "and the second one exists. Neither was changed. Write a space as %20 and a plus sign as "
        "%2B in the manifest"
    )
    return KeyResult(Outcome.FAILED, reason)


def _run(
    requested: Iterable[KeyRequest],
    invocation: Invocation,
    lookup: Lookup,
    journal: _CopyJournal,
    key_results: KeyResults,
) -> None:
    s3, route, telemetry = invocation.s3, invocation.route, invocation.telemetry
    # A round contains each key once.
    named = {each.key: each for each in requested}
    planned = (_planned(each, invocation, lookup, key_results) for each in named.values())
    actions = map(journal.after, planned)
    try:
        for result in run(actions, s3, route, invocation.options, invocation.stop, journal):
            item = result.action.object
            quarantined = invocation.is_quarantine and result.outcome is Outcome.MOVED
            key_result = KeyResult(
                result.outcome, result.reason, result.retrying_helps, result.resumes, quarantined
            )
            key_results[named[item.key]] = key_result
            telemetry.done(result, QUARANTINED if quarantined else "")
    except RunError as error:
        telemetry.warn(error)
        failed = replace(NOT_REACHED, reason=f"not reached: {error}", unfinished=False)
        for each in named.values():
            key_results.setdefault(each, failed)


def not_done(
    requested: Iterable[KeyRequest], key_results: Mapping[KeyRequest, KeyResult]
) -> dict[KeyRequest, KeyResult]:
    """Return the requests that must be delivered again, with the reasons."""
    ends = {each: key_results.get(each, NOT_REACHED) for each in requested}
    return {each: key_result for each, key_result in ends.items() if not key_result.is_done}
