"""Workers whose segments of the journal cannot be written any more."""

from __future__ import annotations

import os
import sys
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from frogmove.core.journal import segments_of
from frogmove.core.journal_reader import JournalReader
from frogmove.core.models import Outcome
from frogmove.core.run_spec import Command
from frogmove.core.undo import copies_of
from frogmove.errors import RunError
from tests.processes.conftest import KEYS, outcomes, workers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove import Result, Run
    from tests.buckets import Buckets
    from tests.fault_proxy import FaultProxy, Request

if sys.platform == "linux":
    import resource
else:
    pytest.skip("only Linux limits the files of other processes", allow_module_level=True)


@pytest.mark.parametrize(
    "command", [Command.MOVE, pytest.param(Command.SYNC, marks=pytest.mark.matrix)]
)
def test_disk_that_is_full_for_workers_ends_the_run_and_loses_nothing(
    start: Callable[..., Run], buckets: Buckets, through: FaultProxy, command: Command
) -> None:
    buckets.put(*KEYS)
    lock = Lock()
    limited: list[int] = []

    def fill_disk(request: Request) -> None:
        with lock:
            if request.operation == "CopyObject" and not request.is_probe and not limited:
                segments = [path for path in segments_of(run.path) if path.stat().st_size]
                if any(request.key in path.read_text("utf-8") for path in segments):
                    limited.extend(workers_of(os.getpid()))
                    size = max(path.stat().st_size for path in segments)
                    for worker in limited:
                        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, size))

    through.passed = fill_disk
    run = start(command, through)
    results: list[Result] = []
    with pytest.raises(RunError, match=r"journal .* cannot be written: File too large"):
        results.extend(run)
    assert limited
    done = outcomes(results)
    assert set(done.values()) <= {Outcome.MOVED, Outcome.COPIED, Outcome.FAILED}
    here, there = buckets.here(), buckets.there()
    assert sorted({**here, **there}) == sorted(KEYS)
    recorded = {record["key"] for record in copies_of(JournalReader(run.path))}
    if command is Command.MOVE:
        assert set(KEYS) - set(here) <= recorded
