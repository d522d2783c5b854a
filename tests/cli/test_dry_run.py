"""A dry run says what the run then does, whatever the destination holds, and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.models import Effect
from frogmove.core.options import OnConflict
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.request_hooks import ALWAYS, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.cli_runner import Ran
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

BODY = b"frog"
COMMANDS = {"move": ("--all",), "copy": ("--all",), "sync": ()}
DONE = {"move": "moved", "copy": "copied", "sync": "copied"}
OUTCOMES = {
    Effect.CONFLICT: "conflict",
    Effect.ARCHIVED: "failed",
    Effect.REFUSE: "failed",
    Effect.SKIP: "skipped",
    Effect.NOT_FOUND: "not-found",
}


def arrange(buckets: Buckets, *, archived: bool = True) -> None:
    """Put every state of the destination under a key of its own; most sources are one."""
    names = ("absent", "same", "other", "metadata", "other-parts", "same-parts", "sub/absent")
    buckets.put(*names, body=BODY)
    buckets.put("marker/", "new-marker/", body=b"")
    buckets.put_there("same", body=BODY)
    buckets.put_there("other", body=b"toad!")
    buckets.put_there("metadata", body=BODY, Metadata={"owner": "toad"})
    buckets.put_in_parts(buckets.destination, "other-parts", b"toad")
    buckets.put_in_parts(buckets.destination, "same-parts", BODY)
    buckets.put_there("marker/", body=b"")
    buckets.put_there("only-there", "zzz/only-there", body=BODY)
    if archived:
        buckets.put("archived", "archived-conflict", body=BODY, StorageClass="GLACIER")
        buckets.put_there("archived-conflict", body=b"toad")


def foreseen(ran: Ran) -> dict[str, Any]:
    return {record["key"]: record for record in ran.of("action")}


def assert_foretold(dry: Ran, real: Ran, command: str) -> None:
    """Assert that a run did what its dry run said, object by object."""
    done = {record["key"]: record for record in real.of("result")}
    reported = foreseen(dry)
    assert reported.keys() == done.keys()
    for key, action in reported.items():
        expected = OUTCOMES.get(action["effect"], DONE[command])
        assert (key, done[key]["outcome"]) == (key, expected), (action, done[key])
        if action["effect"] in {"conflict", "skip"} and command != "sync":
            assert action["reason"] == done[key]["reason"]
        if expected == DONE[command]:
            assert action["destination_key"] == done[key]["destination_key"]


@pytest.mark.parametrize("policy", OnConflict)
@pytest.mark.parametrize("command", COMMANDS)
def test_dry_run_says_what_the_run_does(moto: Server, command: str, policy: OnConflict) -> None:
    buckets = Buckets.make(moto)
    buckets.version()
    arrange(buckets)
    frogmove = FrogmoveRunner(buckets)
    arguments = (command, *COMMANDS[command], "--on-conflict", policy.value, "-o", "json")
    before = buckets.state()
    dry = frogmove(*arguments, "--dry-run")
    assert (dry.code, buckets.state()) == (0, before)
    assert_foretold(dry, frogmove(*arguments), command)
    effects = {key: record["effect"] for key, record in foreseen(dry).items()}
    met = {"fail": "conflict", "overwrite": "replace", "skip": "skip", "keep-both": "keep-both"}
    assert effects["absent"] == ("move" if command == "move" else "copy")
    assert effects["other"] == met[policy.value]
    assert effects["archived"] == "archived"
    if command != "sync":
        assert effects["metadata"] == met[policy.value]
        assert effects["same"] == effects["same-parts"] == effects["marker/"] == "already-there"


@pytest.mark.parametrize("policy", [OnConflict.OVERWRITE, OnConflict.KEEP_BOTH])
def test_dry_run_says_what_the_run_does_on_a_server_with_another_order(
    seaweedfs: Server, policy: OnConflict
) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a/x", "a.txt", "a-b", body=BODY)
    buckets.put_there("a/x", "a.txt", "a-b", "b", body=b"toad")
    frogmove = FrogmoveRunner(buckets)
    arguments = ("move", "--all", "--on-conflict", policy.value, "-o", "json")
    dry = frogmove(*arguments, "--dry-run")
    assert {each["effect"] for each in dry.of("action")} == {
        policy.value.replace("overwrite", "replace")
    }
    assert_foretold(dry, frogmove(*arguments), "move")


@pytest.mark.parametrize("way", ["keys", "list", "prefix", "mapped", "renamed", "tagged"])
def test_dry_run_says_what_the_run_does_however_objects_are_selected(
    ministack: Server, tmp_path: Path, way: str
) -> None:
    buckets = Buckets.make(ministack)
    keys = tmp_path / "keys"
    keys.write_text("in/a\nin/b\nin/c\nin/gone\n")
    buckets.put("in/a", "in/b", "in/c", body=BODY, Tagging="scan=clean")
    place = {"mapped": "to/", "renamed": "by-name/"}.get(way, "in/")
    buckets.put_there(f"{place}a", body=b"toad")
    buckets.put_there(f"{place}b", body=BODY, Tagging="scan=clean")
    given = {
        "keys": ("in/a", "in/b", "in/c"),
        "list": ("--from-file", str(keys)),
        "prefix": ("--prefix", "in"),
        "mapped": ("--prefix", "in", "--strip-prefix", "in", "--to-prefix", "to"),
        "renamed": ("--prefix", "in", "--rename", "by-name/{name}"),
        "tagged": ("--all", "--tag", "scan=clean"),
    }[way]
    frogmove = FrogmoveRunner(buckets)
    dry = frogmove("move", *given, "-n", "-o", "json")
    effects = {key: record["effect"] for key, record in foreseen(dry).items()}
    expected = {"in/a": "conflict", "in/b": "already-there", "in/c": "move"}
    assert effects == (expected | {"in/gone": "not-found"} if way == "list" else expected)
    assert_foretold(dry, frogmove("move", *given, "-o", "json"), "move")


def test_dry_run_reports_each_object_and_sums_up_by_reason_and_folder(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("in/a", "in/b", "top.txt", body=BODY)
    buckets.put_there("in/a", body=b"toad and more")
    modified = buckets.client.head_object(Bucket=buckets.destination, Key="in/a")["LastModified"]
    ran = frogmove("move", "--all", "-n", "--on-conflict", "overwrite")
    assert ran.out.splitlines() == [
        f"would replace   in/a  (something else: 13 bytes of {modified:%Y-%m-%d %H:%M})",
        "would move      in/b",
        "would move      top.txt",
    ]
    assert [line.split() for line in ran.err.splitlines()[1:6]] == [
        ["3", "objects,", "12", "bytes"],
        ["would", "move", "2", "8", "bytes"],
        ["would", "replace", "1", "4", "bytes", "something", "else"],
        ["By", "folder:"],
        ["(no", "folder)", "1", "would", "move"],
    ]
    kept = frogmove("move", "--prefix", "in", "-n", "--on-conflict", "keep-both").out
    assert kept.startswith("would keep      in/a as in/a.")
    summary = frogmove("move", "--all", "-n", "-o", "json").summary
    assert (summary["objects"], summary["bytes"]) == (2, 8)
    assert summary["folders"] == {"": {"move": 1}, "in/": {"move": 1, "conflict": 1}}
    assert {"effect": "conflict", "reason": "something else", "objects": 1, "bytes": 4} in summary[
        "reasons"
    ]


def test_dry_run_does_not_call_a_restored_object_archived(moto: Server) -> None:
    buckets = Buckets.make(moto)
    buckets.put("a", StorageClass="GLACIER")
    frogmove = FrogmoveRunner(buckets)
    assert foreseen(frogmove("move", "a", "-n", "-o", "json"))["a"]["effect"] == "archived"
    buckets.client.restore_object(Bucket=buckets.source, Key="a", RestoreRequest={"Days": 1})
    dry = frogmove("move", "a", "-n", "-o", "json")
    assert foreseen(dry)["a"]["effect"] == "move"
    assert_foretold(dry, frogmove("move", "a", "-o", "json"), "move")


def test_dry_run_does_not_know_a_destination_that_must_not_be_read(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a")
    buckets.put_there("a")
    for operation in ("ListObjectsV2", "HeadObject"):
        denied = refusal(403, "AccessDenied")
        hooks.answer(operation, denied, match=buckets.destination, times=ALWAYS)
    ran = frogmove("move", "--all", "-n", "-o", "json")
    assert (ran.code, foreseen(ran)["a"]["effect"]) == (0, "unknown")
    assert "HeadObject" in foreseen(ran)["a"]["reason"]


def test_dry_run_of_an_undo_looks_where_objects_come_back_to(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    moved = frogmove("move", "--all", "-o", "json").summary["run"]
    buckets.put("a", body=b"a new one")
    dry = frogmove("undo", moved, "-n", "-o", "json")
    assert {key: each["effect"] for key, each in foreseen(dry).items()} == {
        "a": "conflict",
        "b": "move",
    }
    assert_foretold(dry, frogmove("undo", moved, "-o", "json"), "move")
