"""Runs and those that resume them, by their journals."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.journal_reader import JournalReader
from frogmove.core.journal_writer import JournalWriter
from frogmove.core.run_history import RunHistory, unknown_origin
from frogmove.core.run_spec import Command
from tests.factories import RUN_SPEC

if TYPE_CHECKING:
    from pathlib import Path


def a_run(folder: Path, name: str, continues: str | None = None, **spec: Any) -> JournalReader:
    path = folder / f"{name}.jsonl"
    JournalWriter(path, replace(RUN_SPEC, id=name, continues=continues, **spec)).close()
    return JournalReader(path)


def names(runs: list[JournalReader]) -> list[str]:
    return [run.spec.id for run in runs]


@pytest.mark.parametrize("ids", list(permutations(["08", "09", "10"])))
def test_run_comes_before_its_resumes_whatever_the_clock_said(
    tmp_path: Path, ids: tuple[str, ...]
) -> None:
    runs = [a_run(tmp_path, ids[0])]
    runs += [a_run(tmp_path, resume, resumed) for resumed, resume in pairwise(ids)]
    for run in runs:
        together = RunHistory(runs).with_resumes(run)
        assert names(together) == list(ids)
        assert unknown_origin(together[0]) is None


def test_resumes_of_several_runs_are_in_the_order_of_their_time(tmp_path: Path) -> None:
    pairs = [("1", None), ("2", "1"), ("3", "2"), ("4", "1"), ("5", "3")]
    runs = [a_run(tmp_path, *pair) for pair in pairs]
    assert names(RunHistory(runs).with_resumes(runs[2])) == ["1", "2", "3", "4", "5"]


def test_runs_that_resume_each_other_end(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, "1", "2"), a_run(tmp_path, "2", "1")]
    assert sorted(names(RunHistory(runs).with_resumes(runs[0]))) == ["1", "2"]


@pytest.mark.parametrize(
    ("undoes", "undone"),
    [(["1"], ["1"]), (["1", "3"], ["1", "3"]), ([], ["1", "3"])],
    ids=["before", "after", "by an older version"],
)
def test_undo_from_before_a_resume_did_not_undo_it(
    tmp_path: Path, undoes: list[str], undone: list[str]
) -> None:
    runs = [a_run(tmp_path, "1"), a_run(tmp_path, "3", "1")]
    undo = a_run(tmp_path, "2", "1", command=Command.UNDO, undoes=undoes)
    history = RunHistory([*runs, undo])
    assert [run.spec.id for run in runs if names(history.undone_by(run)) == ["2"]] == undone
    last = history.last_unfinished()
    assert last is not None
    assert last.spec.id == ("2" if "3" in undone else "3")
