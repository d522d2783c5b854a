"""Where the journal of a run goes, and what happens where it cannot be written."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from frogmove.run_store import journals
from tests.cli.cli_runner import FrogmoveRunner, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Buckets
    from tests.request_hooks import Request, RequestHooks

SERVER = "ministack"


def test_journal_is_not_left_by_a_run_that_changes_nothing(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    frogmove("move", "--all", "-n")
    frogmove("move", "--prefix", "nothing")
    frogmove("move", "missing")
    buckets.put_there("a")
    frogmove("sync")
    assert journals() == []


def test_journal_goes_where_the_option_says(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.put("a")
    path = tmp_path / "deep" / "down" / "mine.jsonl"
    assert frogmove("move", "a", "--journal", str(path)).code == 0
    assert journals() == []
    assert "moved" in run("report", str(path)).out
    assert frogmove("sync", "--journal", str(path)).code == 2
    assert frogmove("undo", str(path)).code == 0
    assert buckets.here() == {"a": b"a"}


def test_journal_that_cannot_be_written_touches_nothing(
    buckets: Buckets, frogmove: FrogmoveRunner, tmp_path: Path
) -> None:
    buckets.version()
    buckets.put("a")
    before = buckets.state()
    (tmp_path / "file").touch()
    for where in (tmp_path / "file" / "run.jsonl", tmp_path / "file"):
        ran = frogmove("move", "a", "--journal", str(where))
        assert (ran.code, ran.out) == (2, "")
        assert "--journal" in ran.err
        assert buckets.state() == before
    ran = frogmove("move", "a", FROGMOVE_STATE=str(tmp_path / "file"))
    assert (ran.code, buckets.state()) == (2, before)
    assert "Errno" not in ran.err
    assert "/file' is not a directory." in ran.err
    assert "FROGMOVE_STATE" in ran.err


def test_journal_on_a_disk_that_is_full_already_refuses_the_run_and_leaves_no_half(
    buckets: Buckets, frogmove: FrogmoveRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    buckets.put("a")
    monkeypatch.setattr(os, "fsync", full)
    ran = frogmove("move", "a")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be written: No space left on device.\nNothing was changed." in ran.err
    assert (buckets.here(), journals()) == ({"a": b"a"}, [])


def test_journal_on_a_disk_that_fills_up_ends_the_run_and_deletes_nothing_unrecorded(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.put("a", "b")

    def fill_up() -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)

    hooks.before("CopyObject", fill_up)
    ran = frogmove("move", "--all")
    assert ran.code == 1
    assert "No space left" in ran.err
    assert "No source was deleted without its record" in ran.err
    assert "nothing was finished; 0 bytes" in ran.err
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert buckets.here() == {"a": b"a", "b": b"b"}


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["alone", "in-a-batch"])
def test_journal_has_each_copy_when_its_delete_is_sent(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, keys: list[str]
) -> None:
    buckets.put(*keys)
    recorded: list[str] = []

    def check(request: Request) -> None:
        if request.operation not in {"DeleteObject", "DeleteObjects"}:
            return
        lines = journals()[-1].read_text().splitlines()
        copied = {json.loads(line)["key"] for line in lines if '"copied"' in line}
        sent = f"{request.url} {request.body.decode()}"
        recorded.extend(key for key in copied if f"/{key}" in sent or f"<Key>{key}<" in sent)

    hooks.serve(check)
    assert frogmove("move", "--all").code == 0
    assert sorted(recorded) == keys
