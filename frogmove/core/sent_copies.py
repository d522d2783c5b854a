"""Copies that were in flight when a process was killed, and what a resume makes of them.

A copy that was sent may have taken place. Until a run has looked, no record says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from frogmove.core.advice import describe
from frogmove.core.destination_check import Occupied
from frogmove.core.models import Action, Effect, Forecast, Verb
from frogmove.core.run_spec import Command
from frogmove.core.scheduler import run_tasks
from frogmove.core.undo import complete_records
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from threading import Event

    from frogmove.core.destination_check import DestinationCheck
    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.run_spec import RunSpec


@dataclass(frozen=True, slots=True)
class SentCopy:
    """A copy that was sent; whether it took place is not recorded.

    Attributes:
        destination_key: its key at the destination.
        since: when the run that sent it started.
        has_failed: whether its result is recorded as a failure.
    """

    destination_key: str
    since: datetime
    has_failed: bool


def sent_copies(*journals: JournalReader) -> dict[str, SentCopy]:
    """Return, by source key, the copies of which it is not recorded whether they took place.

    Args:
        journals: a run and its resumes, oldest first.

    Raises:
        UsageError: when a record lacks a field.
    """
    found: dict[str, SentCopy] = {}
    for journal in journals:
        since = _start_of(journal)
        with complete_records():
            for record, has_failed in journal.sent():
                found[record["key"]] = SentCopy(record["destination_key"], since, has_failed)
        if found:
            # Also what another worker, or a resume, has copied or found.
            for record in journal.of_type("copied"):
                found.pop(record.get("key", ""), None)
    return found


def _start_of(journal: JournalReader) -> datetime:
    """Return when a run started; of an edited journal, a time that no object has."""
    try:
        since = datetime.fromisoformat(journal.spec.started)
    except ValueError:
        since = datetime.max.replace(tzinfo=UTC)
    return since if since.tzinfo is not None else since.replace(tzinfo=UTC)


def copies_to_claim(spec: RunSpec, earlier: Iterable[JournalReader]) -> dict[str, SentCopy]:
    """Return what :func:`claim_sent_copies` needs to resume a run.

    Only a sync skips what it finds at the destination: other commands copy it again, and record
    what they then find.
    """
    is_compared = spec.command is Command.SYNC and spec.plan is None
    return sent_copies(*earlier) if is_compared else {}


def unrecorded_copies(*journals: JournalReader) -> list[str]:
    """Return the destination keys of copies that were sent but have no further record.

    They were in flight when a process was killed, so their sources still exist.

    Raises:
        UsageError: when a record lacks a field.
    """
    sent = sent_copies(*journals).values()
    return [copy.destination_key for copy in sent if not copy.has_failed]


def unanswered_copies(*journals: JournalReader) -> list[str]:
    """Return the keys of copies that had no response and were not found by a resume.

    Args:
        journals: the run and its resumes, oldest first.

    Raises:
        UsageError: when a record lacks a field.
    """
    keys: dict[str, None] = {}
    for journal in journals:
        with complete_records():
            for record in journal.records():
                if record["type"] == "unanswered":
                    keys[record["key"]] = None
                elif record["type"] == "copied":
                    keys.pop(record.get("key", ""), None)
    return list(keys)


def claim_sent_copies(
    actions: Iterable[Action],
    sent: Mapping[str, SentCopy],
    check: DestinationCheck,
    size: int,
    stop: Event,
) -> Iterable[Action]:
    """Turn a skip into a copy that is already there, where the run itself has sent that copy.

    Otherwise a sync would take it for an object that was always there: no report would name it, and
    no undo would delete it. It counts as the run's copy if it was written since the run started,
    and holds the source's bytes and attributes.

    Args:
        actions: a plan; other actions are yielded unchanged.
        sent: what :func:`sent_copies` returned.
        check: checks the destination.
        size: maximum concurrent checks.
        stop: once set, no further action is checked.

    Raises:
        S3Error: when every further request fails.
    """
    if not sent:
        return actions

    async def one(action: Action) -> Action:
        copy = sent.get(action.object.key)
        is_sent = copy is not None and copy.destination_key == action.destination_key
        if copy is None or not is_sent or action.verb is not Verb.SKIP:
            return action
        try:
            return await _claim(action, copy, check)
        except S3Error as error:
            if error.ends_the_run:
                raise
            reason = describe(error, "It could not be compared, and nothing was copied")
            return replace(action, verb=Verb.REFUSE, reason=reason)

    return run_tasks((one(action) for action in actions), size, stop)


async def _claim(action: Action, sent: SentCopy, check: DestinationCheck) -> Action:
    copied = replace(action, verb=Verb.COPY, replaces=None, reason=_REASON)
    copy, attributes = await check.first_copy(copied)
    seen = await check.look_up(copied, copy)
    if not isinstance(seen, Occupied):
        # It has changed since it was compared: the conditions of the copy decide.
        return copied
    there = seen.there.object
    if there.last_modified < sent.since or await check.difference(seen, attributes):
        return action
    return replace(copied, forecast=Forecast(Effect.ALREADY_THERE, there, _REASON))


_REASON = "copied before the run was cut off"
