"""The move protocol: copy the listed object, verify the copy, then delete the listed object.

A run yields one result for each action of a plan. A failed object is a result; only an error that
affects every object (credentials refused, a bucket deleted) ends the run.
"""

from collections.abc import Iterable, Iterator
from threading import Event

from frogmove.core.advice import describe
from frogmove.core.backup import Backup, BackupError
from frogmove.core.conflict import superseded, under_policy
from frogmove.core.copy import ObjectCopier
from frogmove.core.destination_check import DestinationCheck
from frogmove.core.extra_delete import ExtraDeleter
from frogmove.core.journal import Journal, NoJournal
from frogmove.core.models import Action, Outcome, Result, Route, Verb, VerifiedCopy
from frogmove.core.multipart import InterruptedCopyError, PartsCopier
from frogmove.core.object_delete import ObjectDeleter
from frogmove.core.options import TransferOptions
from frogmove.core.restore import Restorer
from frogmove.core.scheduler import IDLE, MAX_GROUP, Finished, Scheduler, Task
from frogmove.errors import RunError
from frogmove.quoting import in_quotes
from frogmove.s3.errors import NOT_STARTED, Kind, S3Error
from frogmove.s3.etag import etags_match
from frogmove.s3.interface import S3
from frogmove.s3.models import MAX_BATCH_DELETES

# Maximum verified copies that wait for their delete; several batches may be in flight.
MAX_PENDING_DELETES = 4 * MAX_BATCH_DELETES

# Makes an action when it is its turn, from the source's current content; None if there is none.
PendingAction = Task[Action | None]


def run(
    actions: Iterable[Action | PendingAction],
    s3: S3,
    route: Route,
    options: TransferOptions,
    stop: Event,
    journal: Journal | None = None,
) -> Iterator[Result]:
    """Execute the actions of a plan.

    Args:
        actions: the plan; read one by one as slots become free.
        s3: the client for both buckets.
        route: the route.
        options: how objects are transferred.
        stop: once set, no further action is started, and those in flight are finished.
        journal: where each copy is recorded before its source is deleted.

    Yields:
        one result per action, as they finish.

    Raises:
        RunError: when an error affects every object, after the results of all actions in flight.
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
    max_group: int = MAX_GROUP,
) -> Iterator[Result | None]:
    """Do the same as :func:`run`, and yield None where there is no result for a moment.

    ``max_group`` is how many copies may share a write of the journal: see :class:`Scheduler`.
    """
    transfer = Transfer(s3, route, options, stop, journal or NoJournal())
    scheduler = Scheduler(
        options.concurrency,
        MAX_PENDING_DELETES,
        transfer.flush,
        stop,
        transfer.flush_overdue,
        max_group,
    )
    try:
        for result in scheduler.run_live(transfer.tasks(actions)):
            yield None if result is IDLE else result
    except S3Error as error:
        raise listing_failed(error) from error
    if transfer.fatal is not None:
        raise RunError(
            f"The run ended early: {describe(transfer.fatal, _STATE)}.",
            "Fix the cause, then resume the run or rerun the command.",
        )


def listing_failed(error: S3Error) -> RunError:
    """Return the error of a run that cannot list the remaining objects."""
    return RunError(
        "The run ended early because the remaining objects could not be listed: "
        f"{describe(error, _STATE)}.",
        "Resume the run, or rerun the command.",
    )


_STATE = (
    "What is reported as moved or copied is at the destination; everything else is still at the "
    "source"
)


# The outcomes of actions that were decided when they were planned.
_WITHOUT_TRANSFER = {
    Verb.SKIP: Outcome.SKIPPED,
    Verb.CONFLICT: Outcome.CONFLICT,
    Verb.WAIT: Outcome.WAITING,
    Verb.NOT_FOUND: Outcome.NOT_FOUND,
}


class Transfer:
    """The protocol for one object; a scheduler runs many concurrently.

    Args:
        s3: the client for both buckets.
        route: the route.
        options: how objects are transferred.
        stop: once set, no further part of a large object is started.
        journal: see :class:`frogmove.core.journal.Journal`.

    Attributes:
        fatal: an error after which no further request can succeed; None: there was none.
    """

    def __init__(
        self, s3: S3, route: Route, options: TransferOptions, stop: Event, journal: Journal
    ) -> None:
        self.fatal: S3Error | None = None
        self._route = route
        self._options = options
        self._journal = journal
        parts = PartsCopier(s3, options.multipart, journal, stop)
        backup = None
        if options.backup is not None:
            backup = Backup.make(s3, route.destination, options.backup, options, stop)
        self._check = DestinationCheck.make(s3, route, options)
        self._copier = ObjectCopier(self._check, parts, backup)
        self._restorer = Restorer(s3, self._copier, journal)
        bucket, capabilities = route.source.bucket, options.capabilities
        lookup = self._check.source
        self._deleter = ObjectDeleter(s3, lookup, bucket, capabilities, journal.commit)
        self._extras = ExtraDeleter(s3, route, options, journal, backup)

    def flush(self) -> None:
        """Send the collected deletes."""
        for each in (self._deleter, self._extras.deleter):
            each.batches.flush()

    def flush_overdue(self) -> None:
        """Send the collected deletes that have waited long enough."""
        for each in (self._deleter, self._extras.deleter):
            each.batches.flush_overdue()

    def tasks(
        self, actions: Iterable[Action | PendingAction]
    ) -> Iterator[Task[Result | None] | Finished[Result | None]]:
        """Yield a task for each action, or its result if nothing is to do, until a fatal error."""
        for action in actions:
            if self.fatal is not None:
                return
            if isinstance(action, Action) and action.verb is Verb.SKIP:
                # Not in the journal; a sync may have millions.
                yield Finished(Result(action, Outcome.SKIPPED, action.reason))
            else:
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
        if action.verb in _WITHOUT_TRANSFER:
            return Result(action, _WITHOUT_TRANSFER[action.verb], action.reason)
        if action.verb is Verb.REFUSE:
            return Result(action, Outcome.FAILED, f"{action.reason}; source kept")
        try:
            if action.verb is Verb.DELETE:
                return await self._extras.delete(action)
            if action.verb is Verb.RESTORE:
                return await self._restorer.restore(action)
            identified = await self._check.identify(action)
            if isinstance(identified, Result):
                return identified
            action = identified
            verified = await self._copier.copy(under_policy(action, self._options))
        except S3Error as error:
            if error.code == NOT_STARTED:
                return None
            is_delete = action.verb is Verb.DELETE
            state = "It may still be at the destination" if is_delete else "The source is kept"
            return self._failed(action, error, state)
        except BackupError as error:
            return Result(action, Outcome.FAILED, f"nothing was replaced, because {error}")
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

    async def _delete_source(self, action: Action, verified: VerifiedCopy) -> Result:
        """Delete the source if it is still the listed object."""
        deleted = await self._deleter.delete(action.object)
        if deleted.has_changed:
            return superseded(action, "the earlier content was copied")
        if deleted.error is not None:
            if await self._is_replaced(action, deleted.error):
                return superseded(action, "the earlier content was copied")
            return self._not_deleted(action, verified, deleted.error)
        reason = verified.note or (deleted.note and f"source {deleted.note}")
        return Result(action, Outcome.MOVED, reason, verified.key)

    async def _is_replaced(self, action: Action, refusal: S3Error) -> bool:
        """Tell whether a delete was denied because another object, without the tag, is there.

        A conditional delete also needs permission to read, which may depend on the tags.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html
        """
        if action.pinned is None or refusal.kind is not Kind.DENIED:
            return False
        listed = await self._check.source.listed(action.object.key)
        return listed is not None and not etags_match(listed.etag, action.object.etag)

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
        place = in_quotes(f"s3://{self._route.destination.bucket}/{verified.key}")
        state = f"Copied to {place}, but the source may still exist as well"
        return self._failed(action, error, state)


def _interrupted(action: Action, interruption: InterruptedCopyError) -> Result:
    kept = "the upload is kept to be resumed" if interruption.kept else "the upload was aborted"
    return Result(
        action,
        Outcome.FAILED,
        f"interrupted after {interruption.done:,} of {interruption.total:,} parts; {kept}; "
        "source kept",
        retrying_helps=True,
        resumes=interruption.kept,
    )
