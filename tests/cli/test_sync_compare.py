"""``sync --compare``: what tells that the destination has an object already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.core.journal_reader import JournalReader
from frogmove.run_store import journals
from tests.cli.cli_runner import FrogmoveRunner
from tests.request_hooks import ALWAYS, refusal

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks


def arrange(buckets: Buckets) -> None:
    """Put what each way of comparing takes for something else; the destination is the newer."""
    buckets.put("md5", body=b"frog")
    buckets.put_there("md5", body=b"toad")
    for key, there in {"same": b"frog", "other": b"toad"}.items():
        buckets.put_in_parts(buckets.source, key, b"frog")
        buckets.put_in_parts(buckets.destination, key, there)


COPIED = {
    "size": set[str](),
    "checksum": {"md5", "same", "other"},
    "content": {"md5", "other"},
}


@pytest.mark.parametrize("compare", COPIED)
def test_compare_copies_what_it_takes_for_something_else(
    buckets: Buckets, frogmove: FrogmoveRunner, compare: str
) -> None:
    arrange(buckets)
    ran = frogmove("sync", "--compare", compare, "-o", "json")
    assert ran.code == 0
    copied = {key for key, outcome in ran.outcomes.items() if outcome == "copied"}
    assert copied == COPIED[compare]
    expected = {"md5": b"toad", "same": b"frog", "other": b"toad"}
    assert buckets.there() == expected | dict.fromkeys(copied, b"frog")
    assert buckets.here() == dict.fromkeys(expected, b"frog")


def test_compare_by_content_settles(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    arrange(buckets)
    assert frogmove("sync", "--compare", "content").code == 0
    again = frogmove("sync", "--compare", "content", "-o", "json")
    assert (again.code, set(again.outcomes.values())) == (0, {"skipped"})
    assert {record["reason"] for record in again.of("result")} == {"already there, same content"}


def test_compare_by_content_reads_even_where_etags_are_equal(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a")
    buckets.put_there("a")
    ran = frogmove("sync", "--compare", "content", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "skipped"})
    assert len(hooks.of("GetObject")) == 2


def test_compare_by_content_leaves_what_is_too_large_to_the_policy(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    arrange(buckets)
    content = ("sync", "--compare", "content", "--max-compare-size", "3")
    before = buckets.there()
    ran = frogmove(*content, "--on-conflict", "fail", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(("md5", "same", "other"), "conflict"))
    reasons = {record["key"]: record["reason"] for record in ran.of("result")}
    assert "too large to compare" in reasons["other"]
    assert buckets.there() == before


def test_compare_by_content_replaces_what_is_too_large_or_compares_its_md5(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("other", "same", body=b"frog")
    buckets.put_there("same", body=b"frog")
    buckets.put_in_parts(buckets.destination, "other", b"toad")
    content = ("sync", "--compare", "content", "--max-compare-size", "3")
    ran = frogmove(*content, "--on-conflict", "overwrite", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"other": "copied", "same": "skipped"})
    assert buckets.there() == buckets.here()


def test_resume_compares_as_its_run_did(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    arrange(buckets)
    assert frogmove("sync", "--compare", "checksum").code == 0
    (path,) = journals()
    assert JournalReader(path).spec.compare == "checksum"


def test_compare_by_content_fails_only_what_cannot_be_read(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    arrange(buckets)
    archived = refusal(403, "InvalidObjectState", "It is archived.")
    hooks.answer("GetObject", archived, match="/other", times=ALWAYS)
    ran = frogmove("sync", "--compare", "content", "-o", "json")
    assert (ran.code, ran.outcomes) == (
        1,
        {"md5": "copied", "same": "skipped", "other": "failed"},
    )
    reasons = {record["key"]: record["reason"] for record in ran.of("result")}
    assert "could not be compared" in reasons["other"]
    assert "Restore it" in reasons["other"]


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("status", [400, 403])
def test_compare_fails_only_what_cannot_be_looked_up(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, side: str, status: int
) -> None:
    buckets.put("locked", "other", body=b"frog")
    buckets.put_there("locked", "other", body=b"toad")
    # S3 answers 400 for an object that its owner encrypted with a key of their own.
    refused = refusal(status, "")
    hooks.answer("HeadObject", refused, match=f"{getattr(buckets, side)}/locked", times=ALWAYS)
    dry = frogmove("sync", "-n", "-o", "json")
    effects = {record["key"]: record["effect"] for record in dry.of("action")}
    assert (dry.code, effects) == (0, {"locked": "refuse", "other": "replace"})
    ran = frogmove("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"locked": "failed", "other": "copied"})
    assert buckets.there() == {"locked": b"toad", "other": b"frog"}


@pytest.mark.parametrize("compare", ["auto", *COPIED])
def test_dry_run_compares_in_the_same_way_and_changes_nothing(
    buckets: Buckets, frogmove: FrogmoveRunner, compare: str
) -> None:
    buckets.version()
    arrange(buckets)
    before = buckets.state()
    ran = frogmove("sync", "-n", "--compare", compare, "-o", "json")
    assert (ran.code, buckets.state()) == (0, before)
    copied = {record["key"] for record in ran.of("action") if record["action"] == "copy"}
    if compare in COPIED:
        assert copied == COPIED[compare]


# aws-cli#3273: same size, other bytes: skipped. s5cmd: newer than the local clock: skipped.
def test_sync_does_not_take_the_same_size_for_the_same_bytes(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("a", body=b"new!")
    ministack_buckets.put_there("a", body=b"old!")
    ran = FrogmoveRunner(ministack_buckets)("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "copied"})
    assert ministack_buckets.there() == {"a": b"new!"}
