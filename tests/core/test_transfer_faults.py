"""The first promise on the wire: a real client, a real server, and a network that fails at will.

Whatever a schedule does to the requests of one run, and which keys are overwritten meanwhile, a
second run in peace must find everything there is and finish it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from threading import Event, RLock
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from frogmove import boto_session, client
from frogmove.config import Config
from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.models import Outcome, Result, Route
from frogmove.core.options import MIB, Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.run_spec import Command, RunSpec
from frogmove.core.transfer import run
from frogmove.errors import RunError
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_folder
from frogmove.s3.uri import Location
from tests import fault_proxy as faults
from tests.buckets import Buckets
from tests.factories import md5
from tests.fault_fixture import ENGINES
from tests.fault_proxy import PASS, Fault, FaultProxy, Request, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server

SMALL = [f"{number}" for number in range(9)]
LARGE = "large"
KEYS = [*SMALL, LARGE]
MULTIPART = Multipart(threshold=5 * MIB, part_size=5 * MIB)

FAULTS = [
    faults.DROP_BEFORE,
    faults.DROP_AFTER,
    faults.TRUNCATE,
    faults.LATE,
    faults.FAIL,
    faults.FAIL_AFTER,
    faults.SLOW_DOWN,
    faults.ERROR_IN_200,
    faults.ERROR_IN_200_AFTER,
    faults.EXPIRED,
]

# A run in peace sends about so many requests.
REQUESTS = 24


@dataclass(frozen=True)
class Schedule:
    """What happens at which request of the run, counted from 1.

    Attributes:
        faults: what becomes of requests.
        overwrites: keys that somebody else overwrites just before a request reaches the server.
        afterwards: keys overwritten when the server has answered and its answer is on its way.
        releases: when all late requests so far reach the server.
    """

    faults: dict[int, Fault]
    overwrites: dict[int, str] = field(default_factory=dict)
    afterwards: dict[int, str] = field(default_factory=dict)
    releases: frozenset[int] = frozenset()


NUMBERS = st.integers(1, REQUESTS)
SCHEDULES = st.builds(
    Schedule,
    st.dictionaries(NUMBERS, st.sampled_from(FAULTS), max_size=10),
    st.dictionaries(NUMBERS, st.sampled_from(KEYS), max_size=2),
    st.dictionaries(NUMBERS, st.sampled_from(KEYS), max_size=2),
    st.frozensets(NUMBERS, max_size=2),
)


class Uploader:
    """Somebody who uploads to the source and remembers what was newest; no two uploads alike."""

    def __init__(self, buckets: Buckets, folder: str) -> None:
        self.newest: dict[str, tuple[int, bytes]] = {}
        self._buckets = buckets
        self._folder = folder
        self._numbers = count(1)
        self._lock = RLock()

    def upload(self, key: str) -> None:
        with self._lock:
            number = next(self._numbers)
            body = f"upload {number} of {self._folder} ".encode()
            if key == LARGE:
                body = (body * (6 * MIB // len(body) + 1))[: 6 * MIB]
            self._buckets.put(
                self._folder + key,
                body=body,
                ContentType=f"text/x-{number}",
                Metadata={"upload": str(number)},
                Tagging=f"upload={number}",
            )
            self.newest[key] = (number, body)


@dataclass(frozen=True)
class Stage:
    """Where the schedules are played, each in a folder of its own."""

    buckets: Buckets
    proxy: FaultProxy
    journals: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))


@pytest.fixture(scope="module")
def stage(seaweedfs: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, proxied(seaweedfs) as proxy:
        for name, value in seaweedfs.environment().items():
            patch.setenv(name, value)
        # To make a client takes longer than to use it.
        patch.setattr(boto_session, "make_boto_client", cache(boto_session.make_boto_client))
        yield Stage(Buckets.make(seaweedfs), proxy, tmp_path_factory.mktemp("journals"))


def play(stage: Stage, engine: str, schedule: Schedule, options: TransferOptions) -> None:
    """Play one schedule, then run again in peace, and see that nothing was lost."""
    folder = f"{next(stage.numbers)}/"
    bucket = stage.buckets.source, stage.buckets.destination
    route = Route(Location(bucket[0], folder), Location(bucket[1], folder))
    uploader = Uploader(stage.buckets, folder)
    for key in KEYS:
        uploader.upload(key)

    # What happens just between a look and its delete nobody can prevent, nor that a delete
    # arrives when its sender has long given up.
    unguarded = not options.capabilities.delete

    def decide(request: Request) -> Fault:
        is_delete = unguarded and request.operation == "DeleteObject"
        if request.number in schedule.releases:
            stage.proxy.deliver_late()
        if request.number in schedule.overwrites and not is_delete:
            uploader.upload(schedule.overwrites[request.number])
        fault = schedule.faults.get(request.number, PASS)
        return faults.DROP_BEFORE if is_delete and fault is faults.LATE else fault

    def passed(request: Request) -> None:
        if request.number in schedule.afterwards and not (
            unguarded and request.operation == "HeadObject"
        ):
            uploader.upload(schedule.afterwards[request.number])

    stage.proxy.reset(decide)
    stage.proxy.passed = passed
    journal = stage.journals / f"{folder[:-1]}.jsonl"
    through = Config(endpoint_url=stage.proxy.endpoint_url, engine=engine)
    limits = Limits(options.concurrency, None, 3, 0.001, 0.004)
    move(through, route, options, journal, limits)
    begun = [each for each in stage.proxy.requests if each.operation == "CreateMultipartUpload"]
    nameless = sum(not _is_answered(each) for each in begun)
    assert_all_is_somewhere(stage.buckets, folder, uploader)

    stage.proxy.schedule, stage.proxy.passed = faults.nothing_happens, lambda _: None
    again = journal.with_suffix(".again.jsonl")
    peace = TransferOptions(ALL_SUPPORTED, OnConflict.OVERWRITE, multipart=MULTIPART)
    results, error = move(through, route, peace, again, Limits())
    assert error is None
    assert {result.outcome for result in results} <= {Outcome.MOVED}
    # What was believed lost may still arrive, even now.
    stage.proxy.deliver_late()
    assert_all_is_there(stage.buckets, folder, uploader)
    assert_uploads_are_named(stage.buckets, folder, (journal, again), nameless)


def _is_answered(request: Request) -> bool:
    return request.fault.reaches == "never" or request.fault.answer == "whole"


def move(
    through: Config, route: Route, options: TransferOptions, journal: Path, limits: Limits
) -> tuple[list[Result], RunError | None]:
    """Move everything on a route as `frogmove move --all` does."""
    spec = RunSpec(
        id="a run",
        started="now",
        command=Command.MOVE,
        source=str(route.source),
        destination=str(route.destination),
    )
    file = JournalWriter(journal, spec)
    to = client.Client(through, limits)
    results: list[Result] = []
    try:
        objects = list_folder(to.s3, route.source.bucket, route.source.prefix)
        actions = plan_move(objects, route)
        results.extend(run(actions, to.s3, route, options, Event(), file))
    except RunError as error:
        return results, error
    finally:
        file.commit()
        to.close()
    return results, None


def assert_all_is_somewhere(buckets: Buckets, folder: str, uploader: Uploader) -> None:
    at = [
        (bucket, entry["Key"], entry["ETag"].strip('"'))
        for bucket in (buckets.source, buckets.destination)
        for entry in buckets._list(bucket, folder)
    ]
    etags = {etag for _, _, etag in at}
    for key, (_, body) in uploader.newest.items():
        if md5(body) not in etags:
            # Copied in parts, it has another ETag.
            copies = [fetch(buckets, *place)["Body"] for *place, etag in at if "-" in etag]
            assert body in copies, f"{key!r} is lost"


def assert_all_is_there(buckets: Buckets, folder: str, uploader: Uploader) -> None:
    assert buckets._list(buckets.source, folder) == []
    listed = [entry["Key"] for entry in buckets._list(buckets.destination, folder)]
    there = {key: fetch(buckets, buckets.destination, key) for key in listed}
    for key, (number, body) in uploader.newest.items():
        # With keep-both it may stand beside an earlier one.
        at = [name for name, answer in there.items() if answer["Body"] == body]
        assert at, f"{key!r} is lost"
        for name in at:
            assert there[name]["ContentType"] == f"text/x-{number}"
            assert there[name]["Metadata"] == {"upload": str(number)}
            if key in {LARGE, SMALL[0]}:
                where = {"Bucket": buckets.destination, "Key": name}
                (tag,) = buckets.client.get_object_tagging(**where)["TagSet"]
                assert tag == {"Key": "upload", "Value": str(number)}


def fetch(buckets: Buckets, bucket: str, key: str) -> dict[str, Any]:
    """Return what GetObject tells of an object, its body read."""
    answer = buckets.client.get_object(Bucket=bucket, Key=key)
    return {**answer, "Body": answer["Body"].read()}


def assert_uploads_are_named(
    buckets: Buckets, folder: str, journals: tuple[Path, ...], nameless: int
) -> None:
    """Hold unfinished uploads to the journals.

    Of those whose own birth was never told to anybody, none can be named.
    """
    answer = buckets.client.list_multipart_uploads(Bucket=buckets.destination, Prefix=folder)
    left = {upload["UploadId"] for upload in answer.get("Uploads", [])}
    named = {
        record["upload_id"]
        for journal in journals
        for record in JournalReader(journal).of_type("upload")
    }
    assert len(left - named) <= nameless


CONDITIONAL = st.booleans()
WITHOUT = replace(ALL_SUPPORTED, delete=False, delete_many=False)


def options_for(policy: OnConflict, concurrency: int, conditional: bool) -> TransferOptions:
    """Return how to move; one at a time, where nothing may come between a look and a delete."""
    if conditional:
        return TransferOptions(ALL_SUPPORTED, policy, multipart=MULTIPART, concurrency=concurrency)
    return TransferOptions(WITHOUT, policy, multipart=MULTIPART, concurrency=1)


POLICIES = st.sampled_from([OnConflict.FAIL, OnConflict.OVERWRITE, OnConflict.KEEP_BOTH])
NO_REASON = (HealthCheck.too_slow, HealthCheck.filter_too_much)


@pytest.mark.matrix
@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=4, deadline=None, database=None, suppress_health_check=NO_REASON)
@example(Schedule({}), OnConflict.FAIL, 4, True)
@example(Schedule({}), OnConflict.FAIL, 4, False)
@example(Schedule(dict.fromkeys(range(2, 40), faults.DROP_AFTER)), OnConflict.FAIL, 4, True)
@example(
    Schedule(dict.fromkeys(range(4, 40, 3), faults.DROP_AFTER), afterwards={4: "0"}),
    OnConflict.FAIL,
    4,
    False,
)
@given(SCHEDULES, POLICIES, st.integers(1, 4), CONDITIONAL)
def test_move_loses_no_key_in_a_schedule_of_faults_and_overwrites(
    stage: Stage,
    engine: str,
    schedule: Schedule,
    policy: OnConflict,
    concurrency: int,
    conditional: bool,
) -> None:
    play(stage, engine, schedule, options_for(policy, concurrency, conditional))


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=500, deadline=None, database=None, suppress_health_check=NO_REASON)
@given(SCHEDULES, POLICIES, st.integers(1, 4), CONDITIONAL)
def test_move_loses_no_key_in_many_schedules_of_faults_and_overwrites(
    stage: Stage,
    engine: str,
    schedule: Schedule,
    policy: OnConflict,
    concurrency: int,
    conditional: bool,
) -> None:
    play(stage, engine, schedule, options_for(policy, concurrency, conditional))
