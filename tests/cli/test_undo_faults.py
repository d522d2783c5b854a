"""What an undo makes of a run whose copies took place without an answer, on both engines."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from frogmove.run_store import journals
from tests import fault_proxy as faults

if TYPE_CHECKING:
    from tests.fault_fixture import FaultFixture
    from tests.fault_proxy import Answer, Fault, FaultProxy, Request

KEYS = [f"{number:02}" for number in range(4)]
BODIES = {key: key.encode() for key in KEYS}
MIB = 1024 * 1024


@pytest.fixture
def fault_fixture(fault_fixture: FaultFixture, few_retries: str) -> FaultFixture:
    fault_fixture.buckets.put(*KEYS)
    return fault_fixture


def lose_copies(fault_fixture: FaultFixture, operation: str = "CopyObject") -> None:
    """Let copies take place, and nobody hear of them, in a second that has begun with the run."""
    fault_fixture.fail(faults.DROP_AFTER, operation, times=3)


def lose_every(fault_fixture: FaultFixture, *operations: str, but: str = "") -> None:
    """Let requests take place, and nobody hear of them, except those for one bucket."""

    def lose(request: Request) -> Fault:
        is_other = bool(but) and but in request.target
        is_lost = request.operation in operations and not (request.is_probe or is_other)
        return faults.DROP_AFTER if is_lost else faults.PASS

    fault_fixture.proxy.schedule = lose


def undo(fault_fixture: FaultFixture) -> tuple[int, dict[str, str]]:
    fault_fixture.proxy.reset()
    ran = fault_fixture.frogmove("undo", journals()[-1].stem, "-o", "json")
    return ran.code, ran.outcomes


@pytest.mark.parametrize("command", ["move", "sync"])
@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "unversioned"])
def test_undo_does_not_empty_what_was_replaced_without_an_answer(
    fault_fixture: FaultFixture, command: str, versioned: bool
) -> None:
    buckets = fault_fixture.buckets
    if versioned:
        buckets.version()
    there = {key: f"theirs {key}".encode() for key in KEYS}
    for key, body in there.items():
        buckets.put_there(key, body=body)
    lose_copies(fault_fixture)
    selection = ["--all"] if command == "move" else []
    assert fault_fixture.frogmove(command, *selection, "--on-conflict", "overwrite").code == 0
    assert buckets.there() == BODIES
    outcome = (0, dict.fromkeys(KEYS, "moved")) if versioned else (1, dict.fromkeys(KEYS, "failed"))
    assert undo(fault_fixture) == outcome
    assert buckets.here() == BODIES
    assert buckets.there() == (there if versioned else BODIES)


@pytest.mark.parametrize("has_backup", [True, False], ids=["backup", "no-backup"])
def test_undo_finds_and_restores_what_was_replaced_without_any_response(
    fault_fixture: FaultFixture, has_backup: bool
) -> None:
    buckets = fault_fixture.buckets
    there = {key: f"theirs {key}".encode() for key in KEYS}
    for key, body in there.items():
        buckets.put_there(key, body=body)
    attic = f"attic-{buckets.source}"
    if has_backup:
        buckets.client.create_bucket(Bucket=attic)
    lose_every(fault_fixture, "CopyObject", but=attic)
    options = ["--backup", f"s3://{attic}"] if has_backup else []
    ran = fault_fixture.frogmove("sync", *options, "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(KEYS, "copied"))
    outcome = "moved" if has_backup else "failed"
    assert undo(fault_fixture) == (not has_backup, dict.fromkeys(KEYS, outcome))
    assert (buckets.here(), buckets.there()) == (BODIES, there if has_backup else BODIES)


@pytest.mark.parametrize("command", ["move", "sync"])
def test_undo_says_which_copies_had_no_response(fault_fixture: FaultFixture, command: str) -> None:
    buckets = fault_fixture.buckets
    lose_every(fault_fixture, "CopyObject", "HeadObject")
    selection = ["--all"] if command == "move" else []
    ran = fault_fixture.frogmove(command, *selection, "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(KEYS, "failed"))
    assert (buckets.here(), buckets.there()) == (BODIES, BODIES)
    fault_fixture.proxy.reset()
    run = ran.summary["run"]
    undone = fault_fixture.frogmove("undo", run)
    assert undone.code == 1
    assert "4 copies had no response, such as of '0" in undone.err
    assert (buckets.here(), buckets.there()) == (BODIES, BODIES)
    if command == "move":
        assert fault_fixture.frogmove("resume", run).code == 0
        again = fault_fixture.frogmove("undo", run)
        assert (again.code, "no response" in again.err) == (0, False)
        assert (buckets.here(), buckets.there()) == (BODIES, {})


@pytest.mark.parametrize("command", ["move", "sync"])
def test_undo_takes_what_was_copied_without_an_answer_for_the_runs_own(
    fault_fixture: FaultFixture, command: str
) -> None:
    lose_copies(fault_fixture)
    assert fault_fixture.frogmove(command, *(["--all"] if command == "move" else [])).code == 0
    assert undo(fault_fixture) == (0, dict.fromkeys(KEYS, "moved"))
    assert fault_fixture.buckets.here() == BODIES
    assert fault_fixture.buckets.there() == {}


def set_server_clock(proxy: FaultProxy, shift: timedelta) -> None:
    """Let every date of the server differ from the local clock."""

    def rewrite(_: Request, answer: Answer) -> Answer:
        status, headers, content = answer
        dated = {"date", "last-modified"}
        shifted = [
            (name, format_datetime(parsedate_to_datetime(value) + shift, usegmt=True))
            if name.lower() in dated
            else (name, value)
            for name, value in headers
        ]
        return status, shifted, content

    proxy.rewrite = rewrite


@pytest.mark.parametrize("minutes", [10, -10], ids=["local-slow", "local-fast"])
def test_undo_compares_times_of_the_servers_clock_only(
    fault_fixture: FaultFixture, minutes: int
) -> None:
    buckets, proxy = fault_fixture.buckets, fault_fixture.proxy
    buckets.put_there(*KEYS[:2])
    time.sleep(1.1)  # S3 tells whole seconds.

    def lose(request: Request) -> Fault:
        is_lost = request.operation == "CopyObject" and not request.is_probe
        is_second = [each.target for each in proxy.requests].count(request.target) > 1
        return faults.DROP_AFTER if is_lost and not is_second else faults.PASS

    proxy.reset(lose)
    set_server_clock(proxy, timedelta(minutes=minutes))
    assert fault_fixture.frogmove("move", "--all").code == 0
    code, outcomes = undo(fault_fixture)
    assert (code, set(outcomes.values())) == (0, {"copied", "moved"})
    assert buckets.here() == BODIES
    assert sorted(buckets.there()) == KEYS[:2]


def test_undo_leaves_what_was_there_before_the_run_also_where_copies_had_no_answer(
    fault_fixture: FaultFixture,
) -> None:
    fault_fixture.buckets.put_there(*KEYS[:2])
    time.sleep(1.1)  # S3 tells whole seconds.
    fault_fixture.fail(faults.DROP_BEFORE, "CopyObject", times=len(KEYS))
    assert fault_fixture.frogmove("move", "--all").code == 0
    code, outcomes = undo(fault_fixture)
    assert (code, set(outcomes.values())) == (0, {"copied", "moved"})
    assert fault_fixture.buckets.here() == BODIES
    assert sorted(fault_fixture.buckets.there()) == KEYS[:2]
