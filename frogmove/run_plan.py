"""Plans a run from its description."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from frogmove.core.advice import explain_errors
from frogmove.core.delete_plan import find_extras, planned_deletions
from frogmove.core.destination_check import DestinationCheck
from frogmove.core.extra_delete import ExtraCheck
from frogmove.core.filters import NO_FILTERS
from frogmove.core.forecast import forecast, forecast_deletes
from frogmove.core.free_keys import FreeKeys
from frogmove.core.key_plan import plan_copies_as_sync, plan_keys, remaining_actions
from frogmove.core.models import Action, Effect, Outcome, Verb
from frogmove.core.plan import plan_copy, plan_move
from frogmove.core.plan_file import PlanHeader, count_actions, read_plan, write_plan
from frogmove.core.plan_summary import PlanSummary
from frogmove.core.preflight import restore_warning
from frogmove.core.run_spec import Command
from frogmove.core.selection import HEAD_CONCURRENCY, Selection, find, find_remaining
from frogmove.core.sent_copies import claim_sent_copies, copies_to_claim
from frogmove.core.sync_plan import plan_resolved_sync, resolve_comparisons
from frogmove.core.tag_check import TagChecker, hold_back_untagged
from frogmove.core.undo import copies_of, plan_undelete, plan_undo
from frogmove.errors import UsageError
from frogmove.s3.listing import list_folder
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from threading import Event

    from frogmove.core.delete_plan import Deletions
    from frogmove.core.journal_reader import JournalReader
    from frogmove.core.models import Route
    from frogmove.core.options import TransferOptions
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.sent_copies import SentCopy
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run; iterate over it for its actions, once.

    Attributes:
        spec: the run.
        route: source and destination; reversed for an undo.
        options: how objects are moved.
        actions: the actions, planned lazily.
        warnings: messages for the operator.
        earlier: the journals of the runs that this one resumes or undoes, oldest first.
        stop: once set, no further action is taken from the plan.
        planning_stop: once set, planning ends, whether or not everything has been planned.
        total: the number of actions, if known.
        account: what identifies the account of the credentials, if known.
        deletions: the objects to delete at the destination after all actions, if any.
        sent: copies that a killed run had sent; see
            :func:`frogmove.core.sent_copies.claim_sent_copies`.
    """

    spec: RunSpec
    route: Route
    options: TransferOptions
    actions: Iterable[Action]
    warnings: tuple[str, ...]
    earlier: tuple[JournalReader, ...]
    stop: Event
    planning_stop: Event
    total: int | None = None
    account: str | None = None
    deletions: Deletions | None = None
    sent: Mapping[str, SentCopy] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Action]:
        return self._all(is_applied=self.spec.plan is not None)

    def _all(self, *, is_applied: bool) -> Iterator[Action]:
        """Yield the actions, then the deletes.

        Args:
            is_applied: whether a run refuses what the plan refuses, without another look.
        """
        would_fail = False
        with explain_errors(self.route.source.bucket):
            for action in self.actions:
                is_known = is_applied or action.effect is not Effect.UNKNOWN
                would_fail = would_fail or (action.verb is Verb.REFUSE and is_known)
                yield action
        with explain_errors(self.route.destination.bucket):
            for action in self.deletions or ():
                # A run deletes nothing then.
                yield _without_delete(action) if would_fail else action

    def write(self, path: Path) -> PlanSummary:
        """Write the plan to a file, for :meth:`frogmove.client.Client.apply`.

        Args:
            path: a file that does not exist yet.

        Returns:
            what the plan comes to.

        Raises:
            UsageError: when the file exists or cannot be written, or this is not a plan that
                :meth:`frogmove.client.Client.plan` returned.
            UnreachableError: when a bucket cannot be used.
        """
        summary = PlanSummary(self.spec)
        for action in self.written(path):
            summary.add(action)
        return summary

    def written(self, path: Path) -> Generator[Action]:
        """Do the same, and yield the actions as they are written."""
        actions = self._all(is_applied=True)
        return write_plan(path, PlanHeader(self.spec, self.account), actions)


def _without_delete(action: Action) -> Action:
    if action.verb is not Verb.DELETE:
        return action
    reason = f"{action.reason}; not deleted, because others would fail"
    return replace(action, verb=Verb.SKIP, reason=reason)


def plan_actions(
    s3: S3, spec: RunSpec, earlier: tuple[JournalReader, ...], stop: Event
) -> Iterable[Action]:
    """Plan a run of any command.

    Args:
        s3: the client for both buckets.
        spec: the run.
        earlier: the journals of the runs that it resumes or undoes, oldest first.
        stop: once set, no further action is planned.

    Raises:
        UsageError: when a selected key does not exist, or two objects get the same key.
        UnreachableError: when the source cannot be listed.
    """
    if spec.mapping.rename is not None and spec.plan is None and spec.command is not Command.UNDO:
        actions = _plan_renamed(s3, spec, earlier, stop)
    else:
        actions = _plan_all(s3, spec, earlier, stop)
    checker = TagChecker(s3, spec.route().source.bucket, spec.required_tags())
    is_reviewed = spec.plan is not None
    return hold_back_untagged(actions, checker, HEAD_CONCURRENCY, stop, is_reviewed=is_reviewed)


def plan_run(
    s3: S3,
    spec: RunSpec,
    earlier: tuple[JournalReader, ...],
    options: TransferOptions,
    stop: Event,
) -> tuple[Iterable[Action], Mapping[str, SentCopy]]:
    """Plan the actions of a run; see :func:`plan_actions`.

    Returns:
        the actions, planned lazily, and the copies that a killed run had sent.
    """
    actions = plan_actions(s3, spec, earlier, stop)
    sent = copies_to_claim(spec, earlier)
    check = DestinationCheck.make(s3, spec.route(), options)
    return claim_sent_copies(actions, sent, check, HEAD_CONCURRENCY, stop), sent


def forecast_actions(
    s3: S3, spec: RunSpec, options: TransferOptions, actions: Iterable[Action], stop: Event
) -> Iterable[Action]:
    """Predict the effects of a plan for a dry run; writes nothing.

    Args:
        s3: the client for both buckets.
        spec: the run.
        options: how objects would be moved.
        actions: its plan.
        stop: once set, no further action is checked.
    """
    check = DestinationCheck.make(s3, spec.route(), options)
    is_free = _find_free(s3, spec)
    return forecast(actions, check, is_free, HEAD_CONCURRENCY, stop)


def _find_free(s3: S3, spec: RunSpec) -> Callable[[Action], bool]:
    """Return a function that tells whether an action's destination key is free."""
    route, mapping = spec.route(), spec.mapping
    bucket = route.destination.bucket
    if spec.command is Command.SYNC and spec.plan is None:
        # The plan of a sync has compared both sides.
        return lambda action: action.replaces is None and action.effect is not Effect.ALREADY_THERE
    if (
        spec.command is Command.UNDO
        or spec.plan is not None
        or not (spec.selection.is_of_folders and mapping.keeps_order)
        or is_directory_bucket(bucket)
    ):
        return lambda _: False
    folders = (mapping.destination_prefix(each, route) for each in spec.selection.folders)
    free = FreeKeys(item.key for each in folders for item in list_folder(s3, bucket, each))

    def is_free(action: Action) -> bool:
        with explain_errors(bucket):
            return free.is_free(action.destination_key)

    return is_free


def _plan_renamed(
    s3: S3, spec: RunSpec, earlier: tuple[JournalReader, ...], stop: Event
) -> Iterable[Action]:
    """Plan a run that renames: first completely, to find two objects that get the same key."""
    # Lazy: it imports sqlite3, which other runs do not need.
    from frogmove.core.unique_keys import with_unique_keys

    is_sync = spec.command is Command.SYNC
    # Names are in no order, so the two sides of a sync cannot be listed side by side.
    planned = replace(spec, command=Command.COPY) if is_sync else spec
    with explain_errors(spec.route().source.bucket):
        actions = with_unique_keys(_plan_all(s3, planned, earlier, stop))
    if not is_sync:
        return actions
    actions = plan_copies_as_sync(actions, s3, spec, HEAD_CONCURRENCY, stop)
    return resolve_comparisons(
        actions, s3, spec.route(), HEAD_CONCURRENCY, stop, spec.sync_options()
    )


def _plan_all(
    s3: S3, spec: RunSpec, earlier: tuple[JournalReader, ...], stop: Event
) -> Iterable[Action]:
    """Plan a run of all selected objects, regardless of their tags."""
    route, selection = spec.route(), spec.selection
    if spec.command is Command.UNDO:
        if not earlier:
            raise UsageError("An undo needs the journal of the run to undo.")
        deleted = chain.from_iterable(each.deletes() for each in earlier)
        return chain(plan_undo(copies_of(*earlier)), plan_undelete(deleted))
    if spec.plan is not None:
        return _plan_again(s3, spec, earlier, stop)
    is_sync = spec.command is Command.SYNC
    if is_sync and selection.is_of_folders:
        options, mapping = spec.sync_options(), spec.mapping
        return plan_resolved_sync(
            s3, route, HEAD_CONCURRENCY, stop, options, selection=selection, mapping=mapping
        )
    if earlier and _has_only_failures(earlier[-1]):
        failed = tuple(earlier[-1].failed_keys())
        selection = Selection(keys=failed, version_id=selection.version_id)
    # Objects that an earlier run moved no longer exist.
    look = find_remaining if earlier else find
    objects: Iterable[S3Object] = ()
    if selection.key_list is None:
        with explain_errors(route.source.bucket):
            objects = look(selection, s3, route, HEAD_CONCURRENCY, stop)
    if is_sync or selection.key_list is not None:
        return _plan_keys(s3, replace(spec, selection=selection), stop, resumes=bool(earlier))
    plan = plan_copy if spec.command is Command.COPY else plan_move
    return plan(objects, route, spec.mapping)


def _plan_again(
    s3: S3, spec: RunSpec, earlier: tuple[JournalReader, ...], stop: Event
) -> Iterable[Action]:
    """Read the actions of a reviewed plan; if the run is resumed, those that are left."""
    planned = read_plan(Path(spec.plan or ""))
    actions: Iterable[Action] = (each for each in planned if each.verb is not Verb.DELETE)
    if not earlier:
        return actions
    if _has_only_failures(earlier[-1]):
        failed = set(earlier[-1].failed_keys())
        return (action for action in actions if action.object.key in failed)
    return remaining_actions(actions, s3, spec.route(), HEAD_CONCURRENCY, stop)


def _has_only_failures(earlier: JournalReader) -> bool:
    """Tell whether a run finished, so that only its failures are left, and all are known."""
    end = earlier.end()
    return end is not None and not end["interrupted"] and not earlier.is_damaged()


def find_deletions(
    s3: S3,
    spec: RunSpec,
    earlier: tuple[JournalReader, ...],
    stop: Event,
    *,
    dry_run: bool,
) -> Deletions | None:
    """Find what a run deletes at the destination after all its actions; None if it never deletes.

    Args:
        s3: the client for both buckets.
        spec: the run.
        earlier: the journals of the runs that it resumes or undoes, oldest first.
        stop: once set, nothing more is looked at.
        dry_run: whether the plan is only shown.

    Raises:
        FrogmoveError: see :func:`frogmove.core.delete_plan.find_extras`.
    """
    if spec.command is Command.UNDO or not spec.delete:
        return None
    if spec.plan is None:
        extras = find_extras(s3, spec)
        if extras.count and spec.backup is None:
            extras.warning = restore_warning(s3, spec.route().destination.bucket)
        return extras
    actions = (each for each in read_plan(Path(spec.plan)) if each.verb is Verb.DELETE)
    route = spec.route()
    if not earlier:
        found = planned_deletions(actions)
        if dry_run:
            check = ExtraCheck(s3, route)
            found.forecast = partial(
                forecast_deletes, check=check, size=HEAD_CONCURRENCY, stop=stop
            )
        return found
    with explain_errors(route.destination.bucket):
        return planned_deletions(remaining_actions(actions, s3, route, HEAD_CONCURRENCY, stop))


def _plan_keys(s3: S3, spec: RunSpec, stop: Event, *, resumes: bool) -> Iterable[Action]:
    """Plan a run of keys that are looked up lazily."""
    keys = spec.selection.named_keys()
    actions = plan_keys(keys, s3, spec, HEAD_CONCURRENCY, stop, resumes=resumes)
    if spec.command is not Command.SYNC:
        return actions
    return resolve_comparisons(
        actions, s3, spec.route(), HEAD_CONCURRENCY, stop, spec.sync_options()
    )


def known_total(spec: RunSpec, earlier: tuple[JournalReader, ...]) -> int | None:
    """Return the number of actions of a run, if it is known at the start."""
    if spec.command == Command.UNDO:
        ends = [each.end() for each in earlier]
        counts = [end["counts"] for end in ends if end is not None]
        if len(counts) < len(earlier):
            return None
        brought = (Outcome.MOVED.value, Outcome.COPIED.value, Outcome.DELETED.value)
        return sum(int(count.get(each, 0)) for count in counts for each in brought)
    if spec.plan is not None and not earlier:
        return count_actions(Path(spec.plan))
    if spec.selection.keys and spec.selection.filters == NO_FILTERS and not earlier:
        return len(spec.selection.keys)
    return None
