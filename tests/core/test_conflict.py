"""What the destination holds otherwise meets one policy, the same on every command."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.options import OnConflict
from frogmove.errors import RunError
from frogmove.run_store import journals
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import md5
from tests.fault_fixture import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.function.invoke import Invoke
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

MINE, THEIRS = b"draft", b"signed by both parties"
# Of one size, so that no size tells a sync that they differ.
ALIKE = b"DRAFT"
BESIDE = f"a.{md5(MINE)[:8]}.txt"

POLICIES = list(OnConflict)
ENDS = {
    OnConflict.FAIL: ("conflict", {"a.txt": THEIRS}),
    OnConflict.SKIP: ("skipped", {"a.txt": THEIRS}),
    OnConflict.OVERWRITE: ("done", {"a.txt": MINE}),
    OnConflict.KEEP_BOTH: ("done", {"a.txt": THEIRS, BESIDE: MINE}),
}


@pytest.fixture
def buckets(seaweedfs: Server) -> Buckets:
    """The source's object is at the destination too, with other bytes."""
    made = Buckets.make(seaweedfs)
    made.put("a.txt", body=MINE)
    made.put_there("a.txt", body=THEIRS)
    return made


def ends(policy: OnConflict, done: str, theirs: bytes = THEIRS) -> tuple[str, dict[str, bytes]]:
    outcome, there = ENDS[policy]
    bodies = {key: theirs if body == THEIRS else body for key, body in there.items()}
    return done if outcome == "done" else outcome, bodies


def assert_source(buckets: Buckets, outcome: str, moves: bool) -> None:
    left = moves and outcome == "moved"
    assert buckets.here() == ({} if left else {"a.txt": MINE})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("policy", POLICIES)
def test_sync_follows_the_conflict_policy(
    buckets: Buckets, policy: OnConflict, engine: str
) -> None:
    outcome, there = ends(policy, "copied")
    command = ("sync", "--on-conflict", policy.value, "-o", "json")
    ran = FrogmoveRunner(buckets)(*command, FROGMOVE_ENGINE=engine)
    assert (ran.code, ran.outcomes) == (int(outcome == "conflict"), {"a.txt": outcome}), ran
    assert (buckets.here(), buckets.there()) == ({"a.txt": MINE}, there)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("compare", ["size", "checksum", "content"])
def test_sync_follows_the_conflict_policy_however_it_compares(
    buckets: Buckets, policy: OnConflict, compare: str
) -> None:
    theirs = ALIKE if compare != "size" else THEIRS
    buckets.put_there("a.txt", body=theirs)
    outcome, there = ends(policy, "copied", theirs)
    command = ("sync", "--on-conflict", policy.value, "--compare", compare, "-o", "json")
    assert FrogmoveRunner(buckets)(*command).outcomes == {"a.txt": outcome}
    assert (buckets.here(), buckets.there()) == ({"a.txt": MINE}, there)


def test_sync_overwrites_by_default(buckets: Buckets) -> None:
    frogmove = FrogmoveRunner(buckets)
    assert frogmove("sync", "-o", "json").outcomes == {"a.txt": "copied"}
    assert buckets.there() == {"a.txt": MINE}
    for command, default in (("sync", "overwrite"), ("move", "fail"), ("undo", "fail")):
        (shown,) = _sentences(frogmove(command, "--help").out, "--on-conflict")
        assert f"[default: {default}]" in shown


def _sentences(text: str, option: str) -> list[str]:
    words = " ".join(text.split())
    return [part.partition(" --")[0] for part in words.split(option) if part.startswith(" [")]


def test_sync_that_kept_both_has_nothing_more_to_do(buckets: Buckets) -> None:
    frogmove = FrogmoveRunner(buckets)
    for _ in range(2):
        assert frogmove("sync", "--on-conflict", "keep-both").code == 0
        assert buckets.there() == {"a.txt": THEIRS, BESIDE: MINE}


@pytest.mark.parametrize("policy", [OnConflict.FAIL, OnConflict.SKIP, OnConflict.KEEP_BOTH])
def test_sync_in_parts_follows_the_conflict_policy(seaweedfs: Server, policy: OnConflict) -> None:
    buckets = Buckets.make(seaweedfs)
    body, theirs = os.urandom(6 * 2**20), os.urandom(6 * 2**20)
    buckets.put("a", body=body)
    buckets.put_there("a", body=theirs)
    command = ("sync", "--on-conflict", policy.value, "--multipart-threshold", "5MiB")
    assert FrogmoveRunner(buckets)(*command).code == int(policy is OnConflict.FAIL)
    beside = {f"a.{md5(body)[:8]}": body} if policy is OnConflict.KEEP_BOTH else {}
    assert buckets.there() == {"a": theirs} | beside


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("selection", ["a.txt", "--all"])
def test_move_follows_the_conflict_policy(
    buckets: Buckets, policy: OnConflict, selection: str
) -> None:
    outcome, there = ends(policy, "moved")
    ran = FrogmoveRunner(buckets)("move", selection, "--on-conflict", policy.value, "-o", "json")
    assert (ran.code, ran.outcomes) == (int(outcome == "conflict"), {"a.txt": outcome})
    assert buckets.there() == there
    assert_source(buckets, outcome, moves=True)


@pytest.mark.parametrize("command", ["move", "sync"])
@pytest.mark.parametrize("policy", POLICIES)
def test_resume_follows_the_conflict_policy(
    buckets: Buckets,
    hooks: RequestHooks,
    interrupt: Callable[[], None],
    command: str,
    policy: OnConflict,
) -> None:
    selection = ("--all",) if command == "move" else ()
    buckets.put("0")
    # Interrupted while the first is copied; what conflicts comes after it.
    hooks.before("CopyObject", interrupt)
    frogmove = FrogmoveRunner(buckets)
    flags = ("--on-conflict", policy.value, "--concurrency", "1")
    assert frogmove(command, *selection, *flags).code == 130
    outcome, there = ends(policy, "moved" if command == "move" else "copied")
    ran = frogmove("resume", journals()[-1].stem, "-o", "json")
    assert ran.outcomes["a.txt"] == outcome, ran
    assert {key: body for key, body in buckets.there().items() if key != "0"} == there


@pytest.mark.parametrize("policy", POLICIES)
def test_undo_follows_the_conflict_policy(seaweedfs: Server, policy: OnConflict) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a.txt", body=MINE)
    frogmove = FrogmoveRunner(buckets)
    assert frogmove("move", "a.txt").code == 0
    buckets.put("a.txt", body=THEIRS)
    outcome, here = ends(policy, "moved")
    undo = ("undo", journals()[-1].stem, "--on-conflict", policy.value, "-o", "json")
    assert frogmove(*undo).outcomes == {"a.txt": outcome}
    assert buckets.here() == here
    assert buckets.there() == ({} if outcome == "moved" else {"a.txt": MINE})


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("action", ["sync", "sweep", "move", "job", "queue"])
def test_function_follows_the_conflict_policy(
    buckets: Buckets,
    invoke: Invoke,
    action: str,
    policy: OnConflict,
) -> None:
    from tests.aws_events import batch, message, notification

    task = {"taskId": "1", "s3Bucket": buckets.source, "s3Key": "a.txt"}
    events: dict[str, dict[str, Any]] = {
        "sync": {"action": "sync"},
        "sweep": {"action": "sweep", "age": 0},
        "move": {"action": "move", "keys": ["a.txt"]},
        "job": {"invocationSchemaVersion": "2.0", "invocationId": "i", "tasks": [task]},
        "queue": batch(message("1", notification(buckets.source, "a.txt"))),
    }
    outcome, there = ends(policy, "copied" if action == "sync" else "moved")
    with suppress(RunError):
        # A call that names keys reports a conflict as an error.
        invoke(buckets, events[action], FROGMOVE_ON_CONFLICT=policy.value)
    assert buckets.there() == there
    assert_source(buckets, outcome, moves=action != "sync")


# Dry runs say which policy a run would have.


@pytest.mark.parametrize("policy", [None, OnConflict.SKIP])
@pytest.mark.parametrize("command", ["move", "sync", "undo"])
def test_dry_run_names_the_conflict_policy(
    buckets: Buckets, command: str, policy: OnConflict | None
) -> None:
    frogmove = FrogmoveRunner(buckets)
    arguments = {"move": ["--all"], "sync": [], "undo": []}[command]
    if command == "undo":
        buckets.put("b.txt")
        assert frogmove("move", "b.txt").code == 0
        arguments = [journals()[-1].stem]
    if policy is not None:
        arguments += ["--on-conflict", policy.value]
    expected = policy or (OnConflict.OVERWRITE if command == "sync" else OnConflict.FAIL)
    ran = frogmove(command, "-n", *arguments)
    assert ran.code == 0
    assert f"--on-conflict {expected.value}" in " ".join(ran.err.split())
    ran = frogmove(command, "-n", "-o", "json", *arguments)
    assert ran.summary["on_conflict"] == expected.value


def test_dry_run_of_resume_names_the_conflict_policy(
    buckets: Buckets, hooks: RequestHooks, interrupt: Callable[[], None]
) -> None:
    buckets.put("0")
    hooks.before("CopyObject", interrupt)
    frogmove = FrogmoveRunner(buckets)
    assert frogmove("sync", "--on-conflict", "skip", "--concurrency", "1").code == 130
    ran = frogmove("resume", journals()[-1].stem, "-n")
    assert "--on-conflict skip" in " ".join(ran.err.split())


@pytest.mark.parametrize("action", ["sync", "sweep", "move"])
def test_dry_run_of_the_function_names_the_conflict_policy(
    buckets: Buckets,
    invoke: Invoke,
    action: str,
) -> None:
    event: dict[str, Any] = {"action": action, "dry_run": True}
    if action == "move":
        event["keys"] = ["a.txt"]
    assert invoke(buckets, event)["on_conflict"] == "overwrite"
    assert invoke(buckets, event, FROGMOVE_ON_CONFLICT="skip")["on_conflict"] == "skip"


def test_keep_both_does_not_overwrite_one_source_with_another(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    """The name under which both are kept may be the name of another source."""
    twin = f"a.{md5(b'mine')[:8]}.txt"
    seaweedfs_buckets.put("a.txt", body=b"mine")
    seaweedfs_buckets.put(twin, body=b"another")
    seaweedfs_buckets.put_there("a.txt", body=b"theirs")
    ran = FrogmoveRunner(seaweedfs_buckets)(
        "move", "--all", "--on-conflict", "keep-both", "-o", "json"
    )
    # Which of the two comes first is open.
    assert set(ran.outcomes.values()) <= {"moved", "conflict"}
    everything = [*seaweedfs_buckets.here().values(), *seaweedfs_buckets.there().values()]
    assert sorted(everything) == [b"another", b"mine", b"theirs"]
