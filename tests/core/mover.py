"""One run of frogmove that advances request by request, for the model of the protocol."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from frogmove.core.journal import NoJournal
from frogmove.core.models import BackupCopy, Result, Route, VerifiedCopy
from frogmove.core.transfer import run
from frogmove.errors import RunError
from frogmove.s3.checked_delete import check_seen
from frogmove.s3.clock import Clock
from frogmove.s3.errors import S3Error
from frogmove.s3.limits import Limits
from frogmove.s3.retry import RetryingS3
from frogmove.s3.uri import Location
from tests.fake_s3 import CopyRequest, FakeS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from frogmove.core.models import Action
    from frogmove.core.options import TransferOptions
    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Copied, Copy, Deletion, S3Object
    from tests.fake_s3_state import FakeS3State
    from tests.interceptors import Interceptor

T = TypeVar("T")

SOURCE, DESTINATION = "outside", "inside"
ROUTE = Route(Location(SOURCE), Location(DESTINATION))

FAULTS = {
    "lost request": ("RequestTimeout", None),
    "500": ("InternalError", 500),
    "503": ("SlowDown", 503),
    "200 with an error": ("InternalError", 200),
}


# A delete that the server holds to no condition, with the look before it.
UNGUARDED = "HeadObject, DeleteObject"


class CrashError(BaseException):
    """The mover's process ends here, as by ``kill -9``."""


class ImmediateClock(Clock):
    """Lets no time pass: what is to be done later is done at once."""

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        call()


class MemoryJournal(NoJournal):
    """A journal whose crash loses what was not committed; "copying" only what was not flushed."""

    keeps_uploads = True

    def __init__(self) -> None:
        self._written: list[tuple[str, str]] = []
        self.durable: set[tuple[str, str]] = set()
        self._copying: list[str] = []
        self.flushed: set[str] = set()

    def copying(self, copy: Copy, backup: BackupCopy | None = None) -> None:
        self._copying.append(copy.to_key)

    def flush(self) -> None:
        self.flushed.update(self._copying)

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        self._written.append((item.key, item.etag))

    def commit(self) -> None:
        self.durable.update(self._written)


class JournaledS3(FakeS3):
    """Requires of every copy and delete that it is on record before it is sent.

    A delete needs its copy, durably; a copy needs its "copying".
    """

    def __init__(
        self, state: FakeS3State, interceptor: Interceptor, journal: MemoryJournal
    ) -> None:
        super().__init__(state, interceptor)
        self._journal = journal

    def copy(self, copy: Copy) -> Future[Copied]:
        assert copy.to_key in self._journal.flushed
        return super().copy(copy)

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        assert (deletion.key, deletion.seen or deletion.etag) in self._journal.durable
        if deletion.seen is None:
            return super().delete(bucket, deletion)
        return self._answer(UNGUARDED, partial(self._look_and_delete, bucket, deletion))

    def _look_and_delete(self, bucket: str, deletion: Deletion) -> None:
        """Do both in one step: what somebody does just in between, nobody can prevent."""
        found = self.state.stored(bucket, deletion.key, "HeadObject").etag
        check_seen(deletion.seen or "", found)
        self._delete(bucket, deletion, "DeleteObject")

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        assert {(each.key, each.etag) for each in deletions} <= self._journal.durable
        return super().delete_many(bucket, deletions)


class Mover:
    """One run of frogmove in a thread of its own, which advances one request at a time."""

    def __init__(
        self,
        state: FakeS3State,
        plan: Callable[[S3], Iterator[Action]],
        options: TransferOptions,
        attempts: int = 1,
    ) -> None:
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self._ended = False
        self.late: list[Callable[[], object]] = []
        self._fault = ""
        self._may_go = threading.Semaphore(0)
        self._has_stopped = threading.Semaphore(0)
        journal = MemoryJournal()
        limits = Limits(attempts=attempts)
        model = JournaledS3(state, self._gate, journal)
        s3 = RetryingS3(model, limits, ImmediateClock(), lambda low, high: low)
        self._thread = threading.Thread(target=self._run, args=(plan, s3, options, journal))
        self._thread.daemon = True
        self._thread.start()
        self._has_stopped.acquire()

    def has_ended(self) -> bool:
        return self._ended

    def step(self, error: str) -> None:
        self._fault = error
        self._may_go.release()
        self._has_stopped.acquire()

    def _run(
        self,
        plan: Callable[[S3], Iterator[Action]],
        s3: S3,
        options: TransferOptions,
        journal: MemoryJournal,
    ) -> None:
        try:
            for result in run(plan(s3), s3, ROUTE, options, threading.Event(), journal):
                self.results.append(result)
        except (CrashError, RunError, S3Error):
            pass
        except BaseException as error:
            self.error = error
        finally:
            self._ended = True
            self._has_stopped.release()

    def _gate(self, operation: str, request: Callable[[], T]) -> T:
        self._has_stopped.release()
        self._may_go.acquire()
        error = self._fault
        if operation == UNGUARDED and error == "late":
            # Nor that a delete arrives when its sender has long given up.
            error = "lost request"
        if error == "crash":
            raise CrashError
        if error in FAULTS:
            code, status = FAULTS[error]
            raise S3Error(operation, code, status, error)
        if error == "slow copy" and isinstance(request, CopyRequest):
            self.late.append(request.begin())
            raise S3Error(operation, "RequestTimeout", None, error)
        if error == "late":
            self.late.append(request)
            raise S3Error(operation, "RequestTimeout", None, error)
        answer = request()
        if error == "lost answer":
            raise S3Error(operation, "RequestTimeout", None, error)
        return answer
