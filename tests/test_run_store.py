"""Journals are found again, the last one first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from frogmove.errors import UsageError
from frogmove.run_store import find_journal, journals, new_run_id, runs_directory


def a_journal(name: str) -> Path:
    path = runs_directory() / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_runs_directory_is_where_the_platform_keeps_state(tmp_path: Path) -> None:
    assert runs_directory().is_relative_to(tmp_path / "home")


def test_runs_directory_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FROGMOVE_STATE", str(tmp_path / "mine"))
    assert runs_directory() == tmp_path / "mine"


def test_run_id_is_its_time_and_no_two_are_alike() -> None:
    names = []
    for _ in range(100):
        name = new_run_id()
        while name in names:
            name = new_run_id()
        names.append(name)
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", name) for name in names)
    assert names == sorted(names)


def test_journals_are_none_without_a_folder() -> None:
    assert journals() == []
    with pytest.raises(UsageError, match="There are no runs"):
        find_journal(None)


def test_find_journal_finds_the_last_run() -> None:
    names = ["20261123-073012-ab12", "20251231-235959-ffff", "20261123-073012-0001"]
    for name in names:
        a_journal(name)
    (runs_directory() / "notes.txt").touch()
    assert [path.stem for path in journals()] == sorted(names)
    assert find_journal(None).stem == "20261123-073012-ab12"


def test_find_journal_finds_a_run_by_its_id_or_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = a_journal("20261123-073012-ab12")
    other = tmp_path / "other.jsonl"
    other.touch()
    assert find_journal("20261123-073012-ab12") == mine
    assert find_journal(str(mine)) == mine
    assert find_journal(mine.name) == mine
    assert find_journal(str(other)) == other
    monkeypatch.chdir(tmp_path)
    assert find_journal("other.jsonl") == Path("other.jsonl")


@pytest.mark.parametrize("run", ["", "..", "../x", "20261124", "/", "/no/such/file", "\x00"])
def test_find_journal_names_what_is_no_run(run: str) -> None:
    a_journal("20261123-073012-ab12")
    with pytest.raises(UsageError) as caught:
        find_journal(run)
    assert repr(run) in caught.value.message
    assert "frogmove runs" in caught.value.remedy
