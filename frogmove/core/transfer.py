"""The move protocol: copy what was seen, verify it, and only then delete what was seen.

A run takes a plan's actions and yields one result for each; a failed object is a result, and
only what no object could survive (credentials refused, a bucket gone) ends the run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Event

from frogmove.core.advice import describe
from frogmove.core.attributes import AttributeReader
from frogmove.core.batch_delete import BatchDeleter
from frogmove.core.conflict import superseded
from frogmove.core.content import ContentComparer
from frogmove.core.copy import ObjectCopier
from frogmove.core.journal import Journal, NoJournal
from frogmove.core.lookup import Lookup
from frogmove.core.models import Action, Outcome, Result, Route, Verb, VerifiedCopy
from frogmove.core.multipart import InterruptedCopyError, PartsCopier
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.restore import Restorer
from frogmove.core.scheduler import IDLE, Scheduler, Task, wait_for
from frogmove.core.verify import Verify
from frogmove.errors import RunError
from frogmove.s3.errors import NOT_BEGUN, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import LARGEST_DELETE, NULL_VERSION, Deletion, Head, S3Object

# Verified copies that may wait for their batch of deletes; more than one batch may be on its way.
MAX_PENDING_DELETES = 4 * LARGEST_DELETE

# A batch of deletes is retried as a whole; this is for single keys that a good answer refuses.
DELETE_ATTEMPTS = 3


# An action that is still to be made, of what the source holds by then; None where it holds nothing.
PendingAction = Task[Action | None]


def run(
    actions: Iterable[Action | PendingAction],
    s3: S3,
    route: Route,
    options: TransferOptions,
    stop: Event,
    journal: Journal | None = None,
) -> Iterator[Result]:
    """Do a plan's actions.

    Args:
        actions: the plan; taken one by one as places fall free, and then made where they are
            still to be.
        s3: where both buckets are.
        route: which buckets.
        options: how.
        stop: once set, no further action is taken and those in flight are finished.
        journal: what takes down each copy before its source is deleted.

    Yields:
        one result an action, as each ends.

    Raises:
        RunError: after the results of everything in flight, when nothing more can succeed.
    """
    live = run_live(actions, s3, route, options, stop, journal)
    return (result for result in live if result is not None)


def run_live(
    actions: Iterable[Action | PendingAction],
    s3: S3,
    route: Route,
    options: TransferOptions,
    stop: Event,
    journal: Journal | None = None,
) -> Iterator[Result | None]:
    """Do the same as :func:`run`, and yield None where there is no result for a moment."""
    transfer = Transfer(s3, route, options, stop, journal or NoJournal())
    deletions = transfer.deletions
    window = Scheduler(
        options.concurrency, MAX_PENDING_DELETES, deletions.flush, stop, deletions.flush_overdue
    )
    try:
        for result in window.run_live(transfer.tasks(actions)):
            yield None if result is IDLE else result
    except S3Error as error:
        raise listing_failed(error) from error
    if transfer.fatal is not None:
        raise RunError(
            f"The run ended early: {describe(transfer.fatal, _STATE)}.",
            "Fix the cause, then resume the run or run the same command again.",
        )


def listing_failed(error: S3Error) -> RunError:
    """Return the error of a run that cannot list the rest of what it is to do."""
    return RunError(
        f"The run ended early, as the rest could not be listed: {describe(error, _STATE)}.",
        "Resume the run, or run the same command again, for the rest.",
    )


_STATE = "What was moved stays moved"

_NOT_CURRENT = (
    "the version null is not the current one, and S3 deletes it then whatever it holds by that "
    "time; nothing was copied, source kept. Remove what is newer, or copy the version by hand"
)


class Transfer:
    """The protocol for one object at a time; a scheduler runs many at once.

    Args:
        s3: where both buckets are.
        route: which buckets.
        options: how.
        stop: once set, no further part of a large object is begun.
        journal: see :class:`frogmove.core.journal.Journal`.

    Attributes:
        fatal: what nothing more can succeed after.
        deletions: the deletes that wait for their batch.
    """

    def __init__(
        self, s3: S3, route: Route, options: TransferOptions, stop: Event, journal: Journal
    ) -> None:
        self.fatal: S3Error | None = None
        self._route = route
        self._capabilities = options.capabilities
        self._on_conflict = options.on_conflict
        self._journal = journal
        parts = PartsCopier(s3, options.multipart, journal, stop)
        strict = options.verify is Verify.STRICT
        attributes = AttributeReader(s3, options.carry, options.features, strict=strict)
        self._source = Lookup(s3, route.source.bucket)
        content = ContentComparer(s3, options.max_compare_size)
        self._copier = ObjectCopier(s3, route, options, parts, self._source, attributes, content)
        self._restorer = Restorer(s3, self._copier, journal)
        batched = options.capabilities.delete and options.capabilities.delete_many
        self.deletions = BatchDeleter(s3, route.source.bucket, journal.commit, batched=batched)

    def tasks(self, actions: Iterable[Action | PendingAction]) -> Iterator[Task[Result | None]]:
        """Make a task of each action, until something fatal has happened."""
        for action in actions:
            if self.fatal is not None:
                return
            yield self._run_action(action)

    async def _run_action(self, coming: Action | PendingAction) -> Result | None:
        action = coming if isinstance(coming, Action) else await coming
        if action is None:
            return None
        result = await self._perform(action)
        if result is not None:
            self._journal.finished(result)
        return result

    async def _perform(self, action: Action) -> Result | None:
        if action.verb is Verb.SKIP:
            return Result(action, Outcome.SKIPPED, action.reason)
        if action.verb is Verb.WAIT:
            return Result(action, Outcome.WAITING, action.reason)
        if action.verb is Verb.NOT_FOUND:
            return Result(action, Outcome.NOT_FOUND, action.reason)
        if action.verb is Verb.REFUSE:
            return Result(action, Outcome.FAILED, f"{action.reason}; source kept")
        try:
            if action.verb is Verb.RESTORE:
                return await self._restorer.restore(action)
            # A copy deletes nothing, so that any version may be named.
            if action.object.version_id == NULL_VERSION and action.verb is not Verb.COPY:
                if not await self._is_current(action.object):
                    return Result(action, Outcome.FAILED, _NOT_CURRENT)
                # From here on its ETag names it: its id may come to name other bytes.
                action = replace(action, object=action.object._replace(version_id=None))
            verified = await self._copier.copy(self._under_policy(action))
        except S3Error as error:
            if error.code == NOT_BEGUN:
                return None
            return self._failed(action, error, "The source is kept")
        except InterruptedCopyError as interruption:
            return _interrupted(action, interruption)
        if isinstance(verified, Result):
            return verified
        self._journal.copied(action.object, verified)
        if action.verb is Verb.COPY:
            return Result(action, Outcome.COPIED, verified.note, verified.key)
        try:
            return await self._delete_source(action, verified)
        except S3Error as error:
            return self._not_deleted(action, verified, error)

    async def _is_current(self, item: S3Object) -> bool:
        """Tell whether a version is the current one."""
        current = await self._copier.head(self._route.source.bucket, item.key)
        return current is not None and current.object.etag == item.etag

    def _under_policy(self, action: Action) -> Action:
        """Let a sync replace what it found different only where that is the policy.

        Else the copy may replace nothing, and what it meets there is for the policy to judge.
        """
        if self._on_conflict is OnConflict.OVERWRITE or action.replaces is None:
            return action
        return replace(action, replaces=None)

    async def _delete_source(self, action: Action, verified: VerifiedCopy) -> Result:
        """Delete the source, as it was seen."""
        item = action.object
        moved = Result(action, Outcome.MOVED, verified.note, verified.key)
        deletion = self._deletion(item)
        if deletion.seen is not None:
            moved = replace(moved, reason=verified.note or "source checked by HEAD, then deleted")
        refusal = await self._delete(deletion)
        if refusal is not None and refusal.kind is Kind.CHANGED:
            # Some servers answer so for a missing key too, as after a delete whose answer was lost.
            source = await self._left(item)
            if source is None:
                return moved
            if not etags_match(source.object.etag, item.etag):
                return superseded(action, "the earlier content was copied")
            if source.object.etag != item.etag:
                # A listing may write ETags in a way that conditions do not take.
                refusal = await self._delete(self._deletion(source.object))
        if refusal is None:
            return moved
        if refusal.kind is Kind.MISSING:
            if deletion.seen is not None:
                # A look's 404 does not tell a key that is gone from a bucket that is.
                await self._source.check_bucket()
            return moved
        return self._not_deleted(action, verified, refusal)

    async def _left(self, item: S3Object) -> Head | None:
        """Look at what is left at the source of an object that was copied; None for nothing."""
        source = await self._source.head(item.key, item.version_id)
        if source is None or etags_match(source.object.etag, item.etag):
            return source
        return await self._source.find(item)

    def _deletion(self, item: S3Object) -> Deletion:
        """Return how to delete an object only as it was seen."""
        if item.version_id is not None or self._capabilities.delete:
            return Deletion(item.key, item.etag, item.version_id)
        condition = item.etag if self._capabilities.sends("delete") else None
        return Deletion(item.key, condition, seen=item.etag)

    async def _delete(self, deletion: Deletion) -> S3Error | None:
        for _ in range(DELETE_ATTEMPTS):
            refusal = await wait_for(self.deletions.add(deletion))
            if refusal is not None and refusal.kind is Kind.REFUSED and deletion.seen is not None:
                # It may have been the condition that was refused: the look has to do.
                deletion = replace(deletion, etag=None)
            elif refusal is None or not refusal.retrying_helps:
                break
        return refusal

    def _failed(self, action: Action, error: S3Error, state: str) -> Result:
        if error.ends_the_run:
            self.fatal = error
        return Result(
            action,
            Outcome.FAILED,
            describe(error, state),
            retrying_helps=error.retrying_helps or error.is_expired,
        )

    def _not_deleted(self, action: Action, verified: VerifiedCopy, error: S3Error) -> Result:
        place = f"s3://{self._route.destination.bucket}/{verified.key}"
        state = f"Copied to {place}, but the source may still be there as well"
        return self._failed(action, error, state)


def _interrupted(action: Action, interruption: InterruptedCopyError) -> Result:
    kept = "its upload is kept to be resumed" if interruption.kept else "its upload was aborted"
    return Result(
        action,
        Outcome.FAILED,
        f"interrupted after {interruption.done:,} of {interruption.total:,} parts; {kept}; "
        "source kept",
        retrying_helps=True,
        resumes=interruption.kept,
    )
