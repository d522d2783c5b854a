"""`frogmove copy`: as `frogmove move`, without the delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.cli_runner import FrogmoveRunner, run
from tests.fault_fixture import ENGINES
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks


@pytest.mark.parametrize("engine", ENGINES)
def test_copy_leaves_every_key_unchanged_at_both_ends(buckets: Buckets, engine: str) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    ran = FrogmoveRunner(buckets)("copy", "--all", "-o", "json", "--engine", engine)
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "copied"))
    assert buckets.here() == buckets.there() == {key: key.encode() for key in keys}


def test_copy_takes_only_what_is_chosen(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("logs/a", "logs2/b", "c", "d")
    assert frogmove("copy", "--prefix", "logs").code == 0
    assert frogmove("copy", f"s3://{buckets.source}/c").code == 0
    assert sorted(buckets.there()) == ["c", "logs/a"]
    assert sorted(buckets.here()) == ["c", "d", "logs/a", "logs2/b"]


def test_dry_run_says_what_it_would_copy_and_changes_nothing(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    before = buckets.state()
    assert frogmove("copy", "a", "-n").out == "would copy      a\n"
    assert buckets.state() == before


def test_copy_leaves_what_the_destination_holds_to_the_policy(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("same", "other")
    buckets.put_there("same")
    buckets.put_there("other", body=b"theirs")
    ran = frogmove("copy", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"other": "conflict", "same": "copied"})
    assert buckets.there() == {"other": b"theirs", "same": b"same"}
    ran = frogmove("copy", "--all", "-o", "json", "--on-conflict", "overwrite")
    assert (ran.code, buckets.there()) == (0, {"other": b"other", "same": b"same"})
    assert buckets.here() == buckets.there()


def test_copy_is_listed_reported_and_undone(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a", "b")
    buckets.put_there("b")
    assert frogmove("copy", "--all").code == 0
    (reported,) = run("runs", "-o", "json").records
    assert (reported["command"], reported["end"]["counts"]["copied"]) == ("copy", 2)
    assert "copied" in run("report").out
    assert frogmove("undo", reported["id"]).code == 0
    assert buckets.here() == {"a": b"a", "b": b"b"}
    assert buckets.there() == {"b": b"b"}


def test_copy_that_was_interrupted_is_finished_as_a_copy(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, interrupt: Callable[[], None]
) -> None:
    keys = [f"{number:02}" for number in range(12)]
    buckets.put(*keys)
    hooks.before("CopyObject", interrupt, skip=3)
    assert frogmove("copy", "--all", "--concurrency", "1").code == 130
    assert 0 < len(buckets.there()) < len(keys)
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, set(resumed.outcomes.values())) == (0, {"copied"})
    assert buckets.here() == buckets.there() == {key: key.encode() for key in keys}


def test_copy_takes_a_version_null_that_is_not_current(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", body=b"old")
    buckets.version()
    buckets.put("a", body=b"new")
    assert frogmove("copy", "a", "--version-id", "null").code == 0
    assert (buckets.here(), buckets.there()) == ({"a": b"new"}, {"a": b"old"})
