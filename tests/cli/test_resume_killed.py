"""Moves that are killed or interrupted, and what `frogmove resume` makes of them."""

from __future__ import annotations

import random
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.killed_runs import (
    DELETES,
    STAGES,
    Moment,
    assert_all_is_there_once,
    fill,
    interrupted,
    kill,
)
from tests.fault_proxy import SECONDS_TO_WAIT

if TYPE_CHECKING:
    from tests.fault_fixture import FaultFixture


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
    assert set(undone.outcomes.values()) == {"moved"}, undone
    # A slow machine may send the first deletes before the last copies are made.
    assert undone.code == ("being copied when the run was cut off" in undone.err), undone
    assert fault_fixture.buckets.here() == bodies


def test_undo_says_which_copies_it_cannot_know(fault_fixture: FaultFixture) -> None:
    fill(fault_fixture.buckets, 1)
    assert kill(fault_fixture, STAGES[0], "move", "--all") == -signal.SIGKILL
    assert fault_fixture.buckets.there()
    (run,) = fault_fixture.frogmove("runs", "-o", "json").of("run")
    undone = fault_fixture.frogmove("undo", run["id"])
    assert "1 object was being copied when the run was cut off, such as '0/0000'." in undone.err
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
