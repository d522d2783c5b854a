"""The first promise, played against schedules: a key is never lost, never half-moved.

Movers, uploaders and other users of both buckets take turns request by request, and any request
may be lost, answered late, answered with an error, take place after its sender gave up, or be
its sender's last. After every step the newest bytes of every key must be somewhere, whole.
"""

from __future__ import annotations

import contextlib
import threading
import zlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from frogmove.core.journal import NoJournal
from frogmove.core.models import Outcome, Result, Route, VerifiedCopy
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.selection import Selection
from frogmove.core.sync_plan import plan_resolved_sync
from frogmove.core.transfer import run
from frogmove.errors import RunError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.clock import Clock
from frogmove.s3.errors import S3Error
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_prefix
from frogmove.s3.looks import check_seen
from frogmove.s3.retry import RetryingS3
from frogmove.s3.uri import Location
from tests.fake_s3 import CopyRequest, FakeS3, FakeS3State, Stored
from tests.forgery import forge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from frogmove.core.models import Action
    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3
    from frogmove.s3.models import Deletion, S3Object
    from tests.interceptors import Interceptor

T = TypeVar("T")

SOURCE, DESTINATION = "outside", "inside"
ROUTE = Route(Location(SOURCE), Location(DESTINATION))
KEYS = ["a", "b\n"]

# Every second upload is larger than this, and is copied in parts.
MULTIPART = Multipart(threshold=12, part_size=7, at_once=2)

FAULTS = {
    "lost request": ("RequestTimeout", None),
    "500": ("InternalError", 500),
    "503": ("SlowDown", 503),
    "200 with an error": ("InternalError", 200),
}
SCHEDULE = ["served"] * 20 + [
    *FAULTS,
    "lost answer",
    "late",
    "lost answer",
    "late",
    "slow copy",
    "slow copy",
    "crash",
]


# A delete that the server holds to no condition, with the look before it.
UNGUARDED = "HeadObject, DeleteObject"


class CrashError(BaseException):
    """The mover's process ends here, as by ``kill -9``."""


class ImmediateClock(Clock):
    """Lets no time pass: what is to be done later is done at once."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        call()


class MemoryJournal(NoJournal):
    """A journal whose crash loses what was not committed."""

    keeps_uploads = True

    def __init__(self) -> None:
        self._written: list[tuple[str, str]] = []
        self.durable: set[tuple[str, str]] = set()

    def copied(self, item: S3Object, copy: VerifiedCopy) -> None:
        self._written.append((item.key, item.etag))

    def commit(self) -> None:
        self.durable.update(self._written)


class JournaledS3(FakeS3):
    """Holds every delete to the rule that its copy is on record, durably, before it is sent."""

    def __init__(
        self, state: FakeS3State, interceptor: Interceptor, journal: MemoryJournal
    ) -> None:
        super().__init__(state, interceptor)
        self._journal = journal

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
        self._fate = ""
        self._may_go = threading.Semaphore(0)
        self._has_parked = threading.Semaphore(0)
        journal = MemoryJournal()
        limits = Limits(attempts=attempts)
        model = JournaledS3(state, self._gate, journal)
        s3 = RetryingS3(model, limits, ImmediateClock(), lambda low, high: low)
        self._thread = threading.Thread(target=self._run, args=(plan, s3, options, journal))
        self._thread.daemon = True
        self._thread.start()
        self._has_parked.acquire()

    def has_ended(self) -> bool:
        return self._ended

    def step(self, error: str) -> None:
        self._fate = error
        self._may_go.release()
        self._has_parked.acquire()

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
            self._has_parked.release()

    def _gate(self, operation: str, request: Callable[[], T]) -> T:
        self._has_parked.release()
        self._may_go.acquire()
        error = self._fate
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


class Protocol(RuleBasedStateMachine):
    """Everybody who touches the two buckets."""

    @initialize(
        uploads=st.lists(st.sampled_from(KEYS), max_size=3),
        conditional=st.booleans(),
        versioned=st.booleans(),
        checksums=st.booleans(),
        kms=st.booleans(),
    )
    def start(
        self, uploads: list[str], conditional: bool, versioned: bool, checksums: bool, kms: bool
    ) -> None:
        self.state = FakeS3State(
            {SOURCE: {}, DESTINATION: {}},
            conditional_deletes=conditional,
            checksums=checksums,
            kms=kms,
        )
        if versioned:
            self.state.versioned.add(SOURCE)
        self.capabilities = replace(ALL_SUPPORTED, delete=conditional, delete_many=conditional)
        self.newest: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self.movers: list[Mover] = []
        self.late: list[Callable[[], object]] = []
        self.uploads = 0
        for key in uploads:
            self.upload(key)

    def upload(self, key: str) -> None:
        # Every upload differs: the same bytes again would have the same ETag, and a delete that
        # was in flight since before could not tell the two apart.
        self.uploads += 1
        body = f"upload {self.uploads} ".encode() * (1 + self.uploads % 2)
        metadata = {"upload": f"{self.uploads}"}
        self.state.put(SOURCE, key, body, metadata=metadata)
        self.newest[key] = body, metadata

    def delete_at_the_source(self, key: str) -> None:
        self._forget(key, self.state.buckets[SOURCE].pop(key, None))

    def write_at_the_destination(self, key: str) -> None:
        self._forget(key, self.state.buckets[DESTINATION].get(key))
        self.state.put(DESTINATION, key, b"theirs")

    def forge_at_the_destination(self, key: str) -> None:
        """Write other bytes of the source's size, metadata and CRC32."""
        here = self.state.buckets[SOURCE].get(key)
        if here is None:
            return
        self._forget(key, self.state.buckets[DESTINATION].get(key))
        forged = b"evil".ljust(len(here.body) - 4, b".")
        forged += forge(forged, zlib.crc32(here.body))
        assert (len(forged), zlib.crc32(forged)) == (len(here.body), zlib.crc32(here.body))
        self.state.put(DESTINATION, key, forged, metadata=here.metadata)

    def describe_otherwise_at_the_destination(self, key: str) -> None:
        """Write the source's bytes with other metadata."""
        here = self.state.buckets[SOURCE].get(key)
        if here is not None:
            self._forget(key, self.state.buckets[DESTINATION].get(key))
            self.state.put(DESTINATION, key, here.body, metadata={"upload": "theirs"})

    def consume_at_the_destination(self, key: str) -> None:
        self._forget(key, self.state.buckets[DESTINATION].pop(key, None))

    def _forget(self, key: str, stored: Stored | None) -> None:
        """Whoever owns a bucket may throw the newest bytes away; only frogmove may not."""
        if stored is not None and self.newest.get(key) == (stored.body, stored.metadata):
            del self.newest[key]

    @rule(
        deed=st.sampled_from(
            ["upload"] * 5
            + [
                "delete_at_the_source",
                "write_at_the_destination",
                "forge_at_the_destination",
                "describe_otherwise_at_the_destination",
                "consume_at_the_destination",
            ]
        ),
        key=st.sampled_from(KEYS),
    )
    def somebody_else(self, deed: str, key: str) -> None:
        getattr(self, deed)(key)

    @precondition(lambda self: len(self.movers) < 3)
    @rule(
        what=st.sampled_from(["move", "move", "sync", "version", "version"]),
        which=st.integers(0, 3),
        on_conflict=st.sampled_from(OnConflict),
        concurrency=st.integers(1, 3),
        attempts=st.integers(1, 3),
        served=st.sampled_from([0, 1, 2, 3, 4, 50]),
    )
    def start_a_mover(
        self,
        what: str,
        which: int,
        on_conflict: OnConflict,
        concurrency: int,
        attempts: int,
        served: int,
    ) -> None:
        options = TransferOptions(
            self.capabilities, on_conflict, multipart=MULTIPART, concurrency=concurrency
        )
        plan = _sync if what == "sync" else _move
        earlier = self._earlier_versions()
        if what == "version" and earlier:
            plan = partial(_move_version, *earlier[which % len(earlier)])
        mover = Mover(self.state, plan, options, attempts)
        self.movers.append(mover)
        for _ in range(served):
            self._step(mover, "served")

    def _earlier_versions(self) -> list[tuple[str, str]]:
        """Return the versions over which there is something newer, if only a delete marker."""
        return [
            (key, each.version_id or "")
            for (_, key), kept in sorted(self.state.versions.items())
            for each in kept
            if each is not self.state.buckets[SOURCE].get(key)
        ]

    @precondition(lambda self: self.movers)
    @rule(
        which=st.integers(0, 2), errors=st.lists(st.sampled_from(SCHEDULE), min_size=1, max_size=4)
    )
    def serve_requests(self, which: int, errors: list[str]) -> None:
        mover = self.movers[which % len(self.movers)]
        for error in errors:
            self._step(mover, error)

    def _step(self, mover: Mover, error: str) -> None:
        if mover.has_ended():
            return
        mover.step(error)
        self.late += mover.late
        mover.late = []
        if mover.error is not None:
            raise mover.error
        if mover.has_ended():
            self.movers.remove(mover)
        self.the_newest_bytes_are_somewhere()

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def a_late_request_takes_place(self, data: st.DataObject) -> None:
        request = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        with contextlib.suppress(S3Error):
            request()

    @invariant()
    def the_newest_bytes_are_somewhere(self) -> None:
        if not hasattr(self, "state"):
            return
        for key, newest in self.newest.items():
            here = self.state.buckets[SOURCE].get(key)
            at = [here] if here else []
            at += self.state.buckets[DESTINATION].values()
            assert newest in [(stored.body, stored.metadata) for stored in at], f"{key!r} is lost"

    def teardown(self) -> None:
        if not hasattr(self, "state"):
            return
        for mover in self.movers:
            mover.step("crash")
        mover = Mover(
            self.state,
            _move,
            TransferOptions(self.capabilities, OnConflict.OVERWRITE, multipart=MULTIPART),
        )
        while not mover.has_ended():
            mover.step("served")
        assert not self.state.buckets[SOURCE], "a rerun always completes"
        assert mover.error is None
        assert {result.outcome for result in mover.results} <= {Outcome.MOVED}
        self.the_newest_bytes_are_somewhere()


def _move(s3: S3) -> Iterator[Action]:
    return plan_move(list_prefix(s3, SOURCE, ""), ROUTE)


def _move_version(key: str, version_id: str, s3: S3) -> Iterator[Action]:
    seen = s3.head(SOURCE, key, version_id).result().object
    return plan_move([seen], ROUTE)


def _sync(s3: S3) -> Iterator[Action]:
    return plan_resolved_sync(s3, ROUTE, 2, threading.Event(), selection=Selection(folders=("",)))


class LongProtocol(Protocol):
    """The same, for as many schedules as a night has time for."""


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

TestLongProtocol = pytest.mark.long(LongProtocol.TestCase)
TestLongProtocol.settings = settings(
    TestProtocol.settings, max_examples=10_000, stateful_step_count=60
)
