"""What `sync --delete` deletes or replaces is kept in a backup, and an undo restores it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_proxy import FAIL, PASS, Fault, Request

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.fault_fixture import FaultFixture


@pytest.fixture
def attic(ministack_buckets: Buckets) -> Buckets:
    """Return the pair with a third bucket, of backups, as its source."""
    name = f"attic-{ministack_buckets.source}"
    ministack_buckets.client.create_bucket(Bucket=name)
    return replace(ministack_buckets, source=name)


def test_backup_keeps_what_is_deleted_or_replaced(
    ministack_buckets: Buckets, attic: Buckets
) -> None:
    ministack_buckets.put("in/a", body=b"new!")
    ministack_buckets.put_there("out/a", body=b"old!")
    ministack_buckets.put_there("out/x/extra")
    attic.put("2026/x/extra", body=b"an earlier backup")
    ends = FrogmoveRunner(ministack_buckets, ("in/", "out/"))
    backup = ["--delete", "--backup", f"s3://{attic.source}/2026"]
    dry = ends("sync", *backup, "-n")
    assert (dry.code, set(attic.here())) == (0, {"2026/x/extra"})
    ran = ends("sync", *backup, "-o", "json")
    assert ran.outcomes == {"in/a": "copied", "in/x/extra": "deleted"}
    assert ministack_buckets.there() == {"out/a": b"new!"}
    kept = attic.here()
    assert kept.pop("2026/x/extra") == b"an earlier backup"
    assert kept.pop("2026/a") == b"old!"
    ((name, body),) = kept.items()
    assert (name.startswith("2026/x/extra."), body) == (True, b"out/x/extra")
    assert ends("verify", "last").code == 0
    undone = ends("undo", "last", "-o", "json")
    assert undone.code == 0, undone.out
    assert ministack_buckets.there() == {"out/a": b"old!", "out/x/extra": b"out/x/extra"}
    assert ministack_buckets.here() == {"in/a": b"new!"}


def test_backup_of_a_key_that_would_be_too_long_is_refused_or_fails(
    ministack_buckets: Buckets, attic: Buckets
) -> None:
    frogmove = FrogmoveRunner(ministack_buckets)
    long = "k" * 1020
    ministack_buckets.put(long, "other")
    ministack_buckets.put_there(long, body=b"theirs")
    backup = ("--backup", f"s3://{attic.source}/2026")
    dry = frogmove("sync", *backup, "-n", "-o", "json")
    assert {each["key"]: each["effect"] for each in dry.of("action")} == {
        long: "refuse",
        "other": "copy",
    }
    ran = frogmove("sync", *backup, "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {long: "failed", "other": "copied"})
    ministack_buckets.client.delete_object(Bucket=ministack_buckets.source, Key=long)
    for more in ((), ("-n",)):
        refused = frogmove("sync", "--delete", *backup, *more)
        assert (refused.code, "would be longer than 1,024 bytes" in refused.err) == (2, True)
    assert (ministack_buckets.there()[long], attic.here()) == (b"theirs", {})


def test_backup_that_fails_keeps_its_object_from_being_deleted_or_replaced(
    fault_fixture: FaultFixture, few_retries: str
) -> None:
    buckets = fault_fixture.buckets
    attic = f"attic-{buckets.source}"
    buckets.client.create_bucket(Bucket=attic)
    buckets.put("a", body=b"new!")
    buckets.put_there("a", body=b"old!")
    buckets.put_there("extra")

    def decide(request: Request) -> Fault:
        is_backup = request.operation == "CopyObject" and request.bucket == attic
        return FAIL if is_backup else PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("sync", "--delete", "--backup", f"s3://{attic}", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"a": "failed"})
    assert buckets.there() == {"a": b"old!", "extra": b"extra"}


def test_undo_restores_what_was_deleted_from_its_version(ministack_buckets: Buckets) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a")
    ministack_buckets.put_there("a", "extra", "again", "other")
    assert FrogmoveRunner(ministack_buckets)("sync", "--delete").code == 0
    assert set(ministack_buckets.there()) == {"a"}
    assert FrogmoveRunner(ministack_buckets)("verify", "last").code == 0
    ministack_buckets.put_there("again")
    ministack_buckets.put_there("other", body=b"somebody else's")
    found = FrogmoveRunner(ministack_buckets)("verify", "last", "-o", "json")
    assert {each["key"]: each["status"] for each in found.of("verified")} == {
        "extra": "same",
        "again": "not-deleted",
        "other": "same",
    }
    undone = FrogmoveRunner(ministack_buckets)("undo", "last", "-o", "json")
    assert undone.outcomes == {"extra": "copied", "again": "skipped", "other": "conflict"}
    assert ministack_buckets.there() == {
        "a": b"a",
        "extra": b"extra",
        "again": b"again",
        "other": b"somebody else's",
    }


def test_undo_of_an_undo_says_what_is_not_deleted_again(ministack_buckets: Buckets) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a")
    ministack_buckets.put_there("extra")
    frogmove = FrogmoveRunner(ministack_buckets)
    frogmove("sync", "--delete")
    undone = frogmove("undo", "last", "-o", "json")
    assert (undone.code, set(ministack_buckets.there())) == (0, {"extra"})
    verified = frogmove("verify", undone.summary["run"], "-o", "json")
    assert {each["key"]: each["status"] for each in verified.of("verified")}["extra"] == "same"
    again = frogmove("undo", undone.summary["run"])
    assert "1 object that it restored, such as 'extra', will not be deleted again" in again.err
    assert (again.code, set(ministack_buckets.there())) == (1, {"a", "extra"})
    ministack_buckets.client.delete_object(Bucket=ministack_buckets.destination, Key="extra")
    lost = frogmove("verify", undone.summary["run"])
    assert (lost.code, "restored, but no longer there" in lost.out) == (1, True)


def test_undo_says_what_it_cannot_restore(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("a")
    ministack_buckets.put_there("a", "extra")
    ran = FrogmoveRunner(ministack_buckets)("sync", "--delete")
    assert "To undo it" in ran.err
    undone = FrogmoveRunner(ministack_buckets)("undo", "last")
    assert undone.code == 1
    assert "cannot be restored, because the bucket keeps no version of it" in undone.out
    assert set(ministack_buckets.there()) == {"a"}
