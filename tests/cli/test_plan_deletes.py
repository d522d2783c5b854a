"""Plans with the deletes of ``sync --delete`` are applied as they were reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.cli import runner as cli_runner
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.request_hooks import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.request_hooks import RequestHooks
    from tests.servers import Server


@pytest.fixture
def pair(ministack: Server) -> Buckets:
    return Buckets.make(ministack)


@pytest.fixture
def runner(pair: Buckets) -> FrogmoveRunner:
    return FrogmoveRunner(pair)


def test_plan_with_deletes_is_applied_exactly(
    pair: Buckets, runner: FrogmoveRunner, tmp_path: Path
) -> None:
    pair.put("a")
    pair.put_there("extra", "replaced", "back", "gone")
    file = str(tmp_path / "plan")
    planned = runner("sync", "--delete", "--plan", file, "-o", "json")
    assert planned.summary["counts"]["delete"] == 4
    pair.put_there("since")
    pair.put_there("replaced", body=b"a new one")
    pair.put("back")
    pair.client.delete_object(Bucket=pair.destination, Key="gone")
    dry = runner("apply", file, "-n", "-o", "json")
    assert {each["key"]: (each["effect"], each["reason"]) for each in dry.of("action")} == {
        "a": ("copy", "not at the destination"),
        "extra": ("delete", "only at the destination"),
        "replaced": ("superseded", "replaced at the destination since it was listed; not deleted"),
        "back": ("superseded", "the source has this key now; not deleted"),
        "gone": ("gone", "no longer at the destination"),
    }
    ran = runner("apply", file, "-o", "json")
    assert (ran.code, ran.outcomes) == (
        1,
        {
            "a": "copied",
            "extra": "deleted",
            "replaced": "superseded",
            "back": "superseded",
            "gone": "gone",
        },
    )
    assert sorted(pair.there()) == ["a", "back", "replaced", "since"]
    assert runner("resume", "last").out == ""


@pytest.mark.parametrize("backup", [False, True])
def test_apply_neither_reports_as_deleted_nor_restores_what_somebody_else_deleted(
    pair: Buckets, runner: FrogmoveRunner, tmp_path: Path, backup: bool
) -> None:
    pair.version()
    pair.put("a", "b", body=b"new")
    pair.put_there("b", "extra", body=b"old")
    file = str(tmp_path / "plan")
    attic = f"attic-{pair.source}"
    pair.client.create_bucket(Bucket=attic)
    kept = ["--backup", f"s3://{attic}"] if backup else []
    assert runner("sync", "--delete", *kept, "--plan", file).code == 0
    assert runner("apply", file).code == 0
    again = runner("apply", file, "-o", "json")
    assert (again.code, again.outcomes) == (1, {"a": "copied", "b": "copied", "extra": "gone"})
    assert runner("undo", "last").code == 0
    assert pair.there() == {"a": b"new", "b": b"new"}
    first = runner("runs", "-o", "json").records[0]["id"]
    runner("undo", first)
    assert pair.there() == {"b": b"old", "extra": b"old"}


def test_deletes_are_not_shown_or_planned_where_a_copy_would_fail(
    pair: Buckets, tmp_path: Path
) -> None:
    ends = FrogmoveRunner(pair, ("", "longer/"))
    pair.put("a", "k" * 1020)
    pair.put_there("longer/extra")
    file = str(tmp_path / "plan")
    kept = ("skip", "only at the destination; not deleted, because others would fail")
    for option in (["-n"], ["--plan", file]):
        dry = ends("sync", "--delete", *option, "-o", "json")
        printed = {each["key"]: (each["action"], each["reason"]) for each in dry.of("action")}
        assert (printed["extra"], dry.summary["counts"]["delete"]) == (kept, 0)
    applied = ends("apply", file, "-o", "json")
    assert (applied.code, applied.outcomes["extra"]) == (1, "skipped")
    ran = ends("sync", "--delete")
    assert (ran.code, set(pair.there())) == (1, {"longer/a", "longer/extra"})
    assert (
        "1 object that only the destination has was not deleted, because others failed" in ran.err
    )


def test_deletes_are_shown_and_asked_for_if_it_is_not_known_that_a_copy_would_fail(
    pair: Buckets, runner: FrogmoveRunner, hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.put("a")
    pair.put_there("a", body=b"other")
    pair.put_there("extra")
    hooks.answer("HeadObject", refusal(403, "AccessDenied"), match="/a", times=1)
    dry = runner("sync", "--delete", "--on-conflict", "skip", "-n", "-o", "json")
    assert {each["key"]: each["effect"] for each in dry.of("action")} == {
        "a": "unknown",
        "extra": "delete",
    }
    monkeypatch.setattr(cli_runner, "can_ask", lambda: True)
    hooks.answer("HeadObject", refusal(403, "AccessDenied"), match="/a", times=1)
    asked = runner("sync", "--delete", "--on-conflict", "skip")
    assert (asked.code, sorted(pair.there())) == (2, ["a", "extra"])
    assert "1 would be deleted there" in asked.err
