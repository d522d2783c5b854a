"""Moves that are killed or interrupted at a chosen request, and what `frogmove resume` makes of it.

The proxy sees every request, so it knows the moment: it sends the signal while the server has
done what was asked, or has not, and the process never learns which.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.options import Multipart
from tests import fault_proxy as faults
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, FaultProxy, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.buckets import Buckets
    from tests.fault_fixture import FaultFixture

MIB = 1024 * 1024
DELETES = ("DeleteObject", "DeleteObjects")


def fill(buckets: Buckets, count: int) -> dict[str, bytes]:
    """Upload objects, no two of them alike."""
    bodies = {f"{n % 7}/{n:04}": f"object {n} ".encode() * (n % 50 + 1) for n in range(count)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: buckets.put(key, body=bodies[key]), bodies))
    return bodies


def contents(buckets: Buckets, bucket: str) -> dict[str, bytes]:
    keys = [entry["Key"] for entry in buckets._list(bucket)]

    def fetch(key: str) -> bytes:
        body: bytes = buckets.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(keys, pool.map(fetch, keys), strict=True))


def assert_all_is_there_once(fault_fixture: FaultFixture, bodies: dict[str, bytes]) -> None:
    assert fault_fixture.buckets._list(fault_fixture.buckets.source) == []
    assert contents(fault_fixture.buckets, fault_fixture.buckets.destination) == bodies


# A moment: the n-th request of some operations, before or after the server has seen it.
@dataclass(frozen=True)
class Moment:
    operations: tuple[str, ...]
    number: int
    when: str

    def comes_with(self, proxy: FaultProxy, request: Request) -> bool:
        if request.is_probe or request.operation not in self.operations:
            return False
        met = proxy.of(*self.operations)
        return len(met) >= self.number and met[self.number - 1] is request


STAGES = [
    Moment(("CopyObject",), 1, "after"),
    Moment(("CopyObject",), 60, "after"),
    Moment(DELETES, 1, "before"),
    Moment(DELETES, 1, "after"),
]


def kill(fault_fixture: FaultFixture, moment: Moment, *arguments: str) -> int:
    """Run a command as a process of its own and kill it at a moment; returns its exit code."""
    started: list[subprocess.Popen[bytes]] = []
    killed = Event()

    def decide(request: Request) -> Fault:
        if moment.when == "before" and moment.comes_with(fault_fixture.proxy, request):
            started[0].kill()
            killed.set()
        # A dead process sends nothing more.
        return faults.DROP_BEFORE if killed.is_set() else PASS

    def passed(request: Request) -> None:
        if moment.when == "after" and moment.comes_with(fault_fixture.proxy, request):
            started[0].kill()
            killed.set()

    fault_fixture.proxy.reset(decide)
    fault_fixture.proxy.passed = passed
    with fault_fixture.frogmove.process(
        *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        started.append(process)
        code = process.wait(4 * SECONDS_TO_WAIT)
    fault_fixture.proxy.reset()
    return code


@pytest.mark.parametrize(
    "moment", STAGES, ids=["first-copy", "amid-copies", "copied-not-deleted", "amid-deletes"]
)
def test_move_that_was_killed_is_finished_by_resume_and_nothing_is_lost(
    fault_fixture: FaultFixture, moment: Moment
) -> None:
    bodies = fill(fault_fixture.buckets, 100)
    assert kill(fault_fixture, moment, "move", "--all") == -signal.SIGKILL
    resumed = fault_fixture.frogmove("resume", "-o", "json")
    assert resumed.code == 0, resumed
    assert_all_is_there_once(fault_fixture, bodies)


@pytest.mark.parametrize("moment", STAGES[2:], ids=["copied-not-deleted", "amid-deletes"])
def test_move_that_was_killed_can_be_undone_as_its_journal_knew_of_every_delete(
    fault_fixture: FaultFixture, moment: Moment
) -> None:
    bodies = fill(fault_fixture.buckets, 40)
    assert kill(fault_fixture, moment, "move", "--all") == -signal.SIGKILL
    (run,) = fault_fixture.frogmove("runs", "-o", "json").of("run")
    undone = fault_fixture.frogmove("undo", run["id"], "-o", "json")
    # A slow machine may send the first deletes before the last copies are made.
    assert (undone.code, set(undone.outcomes.values())) == (0, {"moved"}), undone
    assert fault_fixture.buckets.here() == bodies


def test_undo_says_which_copies_it_cannot_know(fault_fixture: FaultFixture) -> None:
    fill(fault_fixture.buckets, 1)
    assert kill(fault_fixture, STAGES[0], "move", "--all") == -signal.SIGKILL
    assert fault_fixture.buckets.there()
    (run,) = fault_fixture.frogmove("runs", "-o", "json").of("run")
    undone = fault_fixture.frogmove("undo", run["id"])
    assert "1 object was being copied when the run was killed, such as '0/0000'." in undone.err
    assert fault_fixture.frogmove("resume", run["id"]).code == 0
    again = fault_fixture.frogmove("undo", run["id"])
    assert "being copied" not in again.err
    assert fault_fixture.buckets.there() == {}


@pytest.mark.parametrize(
    ("command", "sent", "resumed"),
    [
        ("sync", 1, "copied"),
        # The first copy may replace nothing, and is refused.
        pytest.param("copy --all --on-conflict overwrite", 2, "copied", marks=pytest.mark.matrix),
        pytest.param("move --all --on-conflict overwrite", 2, "moved", marks=pytest.mark.matrix),
    ],
)
def test_copy_in_flight_at_the_kill_is_reported_verified_and_undone_by_its_resume(
    fault_fixture: FaultFixture, command: str, sent: int, resumed: str
) -> None:
    buckets, frogmove = fault_fixture.buckets, fault_fixture.frogmove
    buckets.version()
    buckets.put("a", "b")
    buckets.put_there("a", body=b"earlier")
    copied = Moment(("CopyObject",), sent, "after")
    one_by_one = (*command.split(), "--concurrency", "1")
    assert kill(fault_fixture, copied, *one_by_one) == -signal.SIGKILL
    assert buckets.there() == {"a": b"a"}
    planned = frogmove("resume", "--dry-run", "-o", "json").of("action")
    assert {each["key"]: each["effect"] for each in planned}["a"] == "already-there"
    expected = {"a": resumed, "b": resumed}
    ran = frogmove("resume", "-o", "json")
    assert (ran.code, ran.outcomes, ran.summary["counts"][resumed]) == (0, expected, 2), ran
    assert frogmove("report", "-o", "json").outcomes == expected
    verified = frogmove("verify", "last", "-o", "json")
    assert (verified.code, len(verified.of("verified"))) == (0, 2), verified
    undone = frogmove("undo", "last")
    assert (undone.code, "being copied" in undone.err) == (0, False), undone
    assert buckets.here() == {"a": b"a", "b": b"b"}
    assert buckets.there() == {"a": b"earlier"}


@pytest.mark.matrix
@pytest.mark.parametrize("moment", STAGES[2:], ids=["copied-not-deleted", "amid-deletes"])
def test_move_that_was_killed_and_its_resume_are_undone_together(
    fault_fixture: FaultFixture, moment: Moment
) -> None:
    bodies = fill(fault_fixture.buckets, 40)
    assert kill(fault_fixture, moment, "move", "--all") == -signal.SIGKILL
    assert fault_fixture.frogmove("resume").code == 0
    first, second = fault_fixture.frogmove("runs", "-o", "json").of("run")
    assert first["resumed_by"] == [second["id"]]
    undone = fault_fixture.frogmove("undo", first["id"], "-o", "json")
    assert undone.code == 0, undone
    assert fault_fixture.buckets.here() == bodies
    assert fault_fixture.buckets.there() == {}
    told = fault_fixture.frogmove("runs").out.splitlines()[1::2]
    assert [("undone by" in line, "resumed by" in line) for line in told] == [
        (True, True),
        (True, False),
        (False, False),
    ]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(STAGES[2], id="copied-not-deleted", marks=pytest.mark.matrix),
        pytest.param(STAGES[3], id="amid-deletes"),
    ],
)
def test_report_of_a_killed_move_names_every_object_that_left_the_source(
    fault_fixture: FaultFixture, moment: Moment
) -> None:
    bodies = fill(fault_fixture.buckets, 40)
    assert kill(fault_fixture, moment, "move", "--all") == -signal.SIGKILL
    left = set(bodies) - set(fault_fixture.buckets.keys_here())
    told = fault_fixture.frogmove("report", "-o", "json").outcomes
    assert left <= set(told)
    assert set(told.values()) <= {"copied", "moved"}


@pytest.mark.matrix
def test_report_of_a_move_whose_output_nobody_read_names_all_that_left_the_source(
    fault_fixture: FaultFixture,
) -> None:
    bodies = fill(fault_fixture.buckets, 40)
    with fault_fixture.frogmove.process(
        "move", "--all", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(SECONDS_TO_WAIT) != 0
    left = set(bodies) - set(fault_fixture.buckets.keys_here())
    assert left <= set(fault_fixture.frogmove("report", "-o", "json").outcomes)


@pytest.mark.matrix
@pytest.mark.long
def test_moves_and_resumes_that_are_killed_twenty_times_lose_nothing(
    fault_fixture: FaultFixture,
) -> None:
    bodies = fill(fault_fixture.buckets, 2_000)
    chance = random.Random(20)
    kills = 0
    while kills < 20:
        kills += kill(fault_fixture, _draw(chance, len(bodies)), "move", "--all") == -signal.SIGKILL
        left = len(fault_fixture.buckets._list(fault_fixture.buckets.source))
        if chance.random() < 0.5 and left > 1:
            kills += kill(fault_fixture, _draw(chance, left), "resume") == -signal.SIGKILL
        assert fault_fixture.frogmove("resume", "-q").code == 0
        assert_all_is_there_once(fault_fixture, bodies)
        fault_fixture = fault_fixture.backwards()


def _draw(chance: random.Random, objects: int) -> Moment:
    when = chance.choice(["before", "after"])
    if chance.random() < 0.4:
        return Moment(DELETES, chance.randint(1, 2) if objects > 1000 else 1, when)
    return Moment(("CopyObject",), chance.randint(1, objects), when)


@contextmanager
def interrupted(
    fault_fixture: FaultFixture,
    number: signal.Signals,
    operation: str,
    in_flight: int,
    *arguments: str,
) -> Iterator[tuple[subprocess.Popen[bytes], Event]]:
    """Interrupt a command while all its requests of one operation are held up.

    Args:
        fault_fixture: where.
        number: the signal.
        operation: ``CopyObject`` …
        in_flight: how many such requests there are to be before the signal.
        arguments: the command.

    Yields:
        the process, which has said that it heard, and what lets the requests go.
    """
    go = Event()

    def hold(request: Request) -> Fault:
        if request.operation == operation and not request.is_probe:
            go.wait(SECONDS_TO_WAIT)
        return PASS

    fault_fixture.proxy.reset(hold)
    with fault_fixture.frogmove.process(
        *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            fault_fixture.proxy.wait_for(
                lambda: len(fault_fixture.proxy.of(operation)) >= in_flight
            )
            process.send_signal(number)
            assert process.stderr is not None
            assert any(b"finishing the objects in flight" in line for line in process.stderr)
            yield process, go
        finally:
            go.set()
            process.kill()
    fault_fixture.proxy.reset()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.matrix)]
)
def test_first_signal_tells_how_to_resume_and_resume_finishes(
    fault_fixture: FaultFixture, number: signal.Signals
) -> None:
    bodies = fill(fault_fixture.buckets, 60)
    with interrupted(
        fault_fixture, number, "CopyObject", 8, "move", "--all", "--concurrency=8"
    ) as run:
        process, go = run
        go.set()
        _, err = process.communicate(timeout=SECONDS_TO_WAIT)
        assert process.returncode == 130
    found = re.search(r"frogmove resume (\S+)", err.decode())
    assert found, err
    left = fault_fixture.buckets._list(fault_fixture.buckets.source)
    assert 0 < len(left) < 60
    assert len(left) + len(fault_fixture.buckets._list(fault_fixture.buckets.destination)) == 60
    assert fault_fixture.frogmove("resume", found[1]).code == 0
    assert_all_is_there_once(fault_fixture, bodies)


def test_second_signal_ends_at_once_and_resume_finishes(fault_fixture: FaultFixture) -> None:
    bodies = fill(fault_fixture.buckets, 60)
    with interrupted(fault_fixture, signal.SIGINT, "CopyObject", 8, "move", "--all") as (
        process,
        go,
    ):
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS_TO_WAIT) == 130
        assert not go.is_set()
    assert fault_fixture.frogmove("resume").code == 0
    assert_all_is_there_once(fault_fixture, bodies)


LARGE = ("move", "large", "--multipart-threshold", "5MiB")


def put_large(buckets: Buckets, parts: int) -> dict[str, bytes]:
    """Upload an object of so many parts of the least size, each of other bytes."""
    body = b"".join(f"part {n:03}".encode() * (5 * MIB // 8) for n in range(parts))
    buckets.put("large", body=body, Metadata={"owner": "frog"}, Tagging="team=pond")
    return {"large": body}


def resume_parts(fault_fixture: FaultFixture) -> list[str]:
    """Resume; returns the numbers of the parts that were copied for it."""
    (upload,) = uploads(fault_fixture)
    ran = fault_fixture.frogmove("resume", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"large": "moved"}), ran
    assert fault_fixture.proxy.of("CreateMultipartUpload") == []
    parts = fault_fixture.proxy.of("UploadPartCopy")
    assert {part.query["uploadId"] for part in parts} <= {upload}
    assert uploads(fault_fixture) == []
    return sorted(part.query["partNumber"] for part in parts)


def uploads(fault_fixture: FaultFixture) -> list[str]:
    answer = fault_fixture.buckets.client.list_multipart_uploads(
        Bucket=fault_fixture.buckets.destination
    )
    return [upload["UploadId"] for upload in answer.get("Uploads", [])]


def assert_large_is_whole(fault_fixture: FaultFixture, bodies: dict[str, bytes]) -> None:
    assert_all_is_there_once(fault_fixture, bodies)
    where = {"Bucket": fault_fixture.buckets.destination, "Key": "large"}
    assert fault_fixture.buckets.client.head_object(**where)["Metadata"] == {"owner": "frog"}
    (tag,) = fault_fixture.buckets.client.get_object_tagging(**where)["TagSet"]
    assert tag == {"Key": "team", "Value": "pond"}


def test_multipart_copy_that_was_killed_goes_on_from_the_parts_it_has(
    fault_fixture: FaultFixture,
) -> None:
    bodies = put_large(fault_fixture.buckets, 4)
    killed = Event()

    def decide(request: Request) -> Fault:
        if request.operation == "UploadPartCopy" and request.query["partNumber"] in {"2", "4"}:
            killed.wait(SECONDS_TO_WAIT)
        return faults.DROP_BEFORE if killed.is_set() else PASS

    fault_fixture.proxy.reset(decide)
    with fault_fixture.frogmove.process(*LARGE, stderr=subprocess.DEVNULL) as process:
        copied = partial(_copied_parts, fault_fixture.proxy)
        fault_fixture.proxy.wait_for(lambda: copied() == {"1", "3"})
        process.kill()
        assert process.wait(SECONDS_TO_WAIT) == -signal.SIGKILL
        killed.set()
    fault_fixture.proxy.reset()
    assert resume_parts(fault_fixture) == ["2", "4"]
    assert_large_is_whole(fault_fixture, bodies)


def _copied_parts(proxy: FaultProxy) -> set[str]:
    return {part.query["partNumber"] for part in proxy.of("UploadPartCopy") if part.status == 200}


@pytest.mark.matrix
def test_multipart_copy_that_was_interrupted_is_kept_named_and_resumed(
    fault_fixture: FaultFixture,
) -> None:
    at_once = Multipart().at_once
    bodies = put_large(fault_fixture.buckets, at_once + 2)
    with interrupted(fault_fixture, signal.SIGINT, "UploadPartCopy", at_once, *LARGE) as (
        process,
        go,
    ):
        go.set()
        out, err = process.communicate(timeout=SECONDS_TO_WAIT)
        assert process.returncode == 130
    state = f"interrupted after {at_once} of {at_once + 2} parts; the upload is kept to be resumed"
    assert state.encode() in out
    assert b"frogmove resume" in err
    assert resume_parts(fault_fixture) == sorted([f"{at_once + 1}", f"{at_once + 2}"])
    assert_large_is_whole(fault_fixture, bodies)
