"""What nobody foresaw: one sentence, the run's id, where the details are, and no traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.output import Console
from frogmove.run_store import journals, runs_directory

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner

SERVER = "ministack"

FAULTS = [
    RecursionError("deep"),
    MemoryError(),
    OSError(5, "Input/output error"),
    BrokenPipeError(32, "Broken pipe"),
    ImportError("no module"),
    KeyError("k"),
    AssertionError("\x1b[31mred\n"),
    BaseException("odd"),
]


def fail_in(patch: pytest.MonkeyPatch, method: str, fault: BaseException) -> None:
    def failing(*_: object, **__: object) -> None:
        raise fault

    patch.setattr(Console, method, failing)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize(
    ("command", "method", "code"),
    [(["ls"], "write", 2), (["move", "--all"], "done", 1)],
    ids=["before", "in a run"],
)
def test_crash_handler_makes_one_sentence_of_any_fault(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    command: list[str],
    method: str,
    code: int,
) -> None:
    buckets.put("a", "b")
    with monkeypatch.context() as patch:
        fail_in(patch, method, fault)
        ran = frogmove(*command)
    assert ran.code == code
    assert "Traceback" not in ran.out + ran.err
    (line,) = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
    assert type(fault).__name__ in line
    assert line.isprintable()
    (details,) = runs_directory().glob("error-*.txt")
    assert str(details) in line
    assert details.stat().st_mode & 0o077 == 0
    assert re.search(r"Traceback.*in failing", details.read_text(), re.DOTALL)
    if code == 1:
        assert f"frogmove resume {journals()[-1].stem}" in line
        assert frogmove("resume").code == 0
        assert (buckets.here(), sorted(buckets.there())) == ({}, ["a", "b"])
    else:
        assert "Nothing was changed" in line
