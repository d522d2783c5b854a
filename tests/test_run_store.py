"""Journals are found again, the last one first."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from frogmove.core.journal_writer import JournalWriter
from frogmove.errors import UsageError
from frogmove.run_store import find_journal, journals, new_run_id, runs_directory
from tests.factories import RUN_SPEC


def a_path(name: str) -> Path:
    return runs_directory() / f"{name}.jsonl"


def a_journal(name: str) -> Path:
    path = a_path(name)
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


def test_run_id_is_after_all_others_also_if_the_clock_was_set_back() -> None:
    for name in ("20990101-235959-ffff", "20261123-073012-ab12", "another", "99999999-999999-fffg"):
        a_journal(name)
    first = new_run_id()
    assert first.startswith("20990102-000000-")
    a_journal(first)
    second = new_run_id()
    assert second.startswith("20990102-000001-")
    path = a_journal(second)
    assert find_journal("last") == path


@pytest.mark.parametrize("name", ["99991231-235959-0000", "99999999-999999-0000"])
def test_run_id_is_the_time_if_none_can_be_later(name: str) -> None:
    a_journal(name)
    assert new_run_id() < name


def test_last_run_is_the_last_also_if_journals_have_other_names() -> None:
    for name, started in (("zebra", "20261123-073012-0001"), ("ant", "20261123-073012-0003")):
        JournalWriter(a_path(name), replace(RUN_SPEC, id=started)).close()
    a_journal("20261123-073012-0002")
    assert [path.stem for path in journals()] == ["zebra", "20261123-073012-0002", "ant"]


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
