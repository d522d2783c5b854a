"""The first promise, played against schedules: a key is never lost, never half-moved.

Movers, uploaders and other users of both buckets take turns request by request, and any request
may be lost, answered late, answered with an error, take place after its sender gave up, or be
its sender's last. After every step the newest bytes of every key must be somewhere, whole.
"""

from __future__ import annotations

import contextlib
import math
import threading
import zlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

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

from frogmove.core import batch_delete, scheduler
from frogmove.core.models import Outcome
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.selection import Selection
from frogmove.core.sync_plan import plan_resolved_sync
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import list_prefix
from tests.core.mover import DESTINATION, FAULTS, ROUTE, SOURCE, Mover
from tests.fake_s3_state import FakeS3State, Stored
from tests.forgery import forge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from frogmove.core.models import Action
    from frogmove.s3.interface import S3
KEYS = ["a", "b\n"]

# Every second upload is larger than this, and is copied in parts.
MULTIPART = Multipart(threshold=12, part_size=7, at_once=2)
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


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide nothing by the time that passes: a schedule must be the same when it is repeated."""
    monkeypatch.setattr(scheduler, "SLOW_START", math.inf)
    monkeypatch.setattr(batch_delete, "MAX_WAIT_SECONDS", math.inf)


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
        """The owner of a bucket may delete the newest bytes; only frogmove may not."""
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
