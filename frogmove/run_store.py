"""Where runs keep their journals, and how they are named."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from frogmove.core.journal_file import JournalReader
from frogmove.core.run_history import RunHistory
from frogmove.errors import UsageError


def runs_directory() -> Path:
    """Return ``FROGMOVE_STATE``, else the user's own folder of journals; it may not exist yet."""
    named = os.environ.get("FROGMOVE_STATE")
    if named:
        return Path(named)
    # The Lambda has no such folder, and no such package.
    from platformdirs import user_state_path

    return user_state_path("frogmove") / "runs"


def new_run_id() -> str:
    """Return a name for a run: its time, so exactly that names sort as the runs began."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 16:04x}"


def journals() -> list[Path]:
    """Return all journals, the newest last."""
    return sorted(runs_directory().glob("*.jsonl"))


def read_history() -> RunHistory:
    """Read how the runs follow on one another; what is no journal is left out."""
    readers = []
    for path in journals():
        with suppress(UsageError):
            readers.append(JournalReader(path))
    return RunHistory(readers)


def find_journal(run: str | None) -> Path:
    """Return the journal of a run, named by its id or by the file; by default of the last run.

    Raises:
        UsageError: when there is none.
    """
    if run is None:
        known = journals()
        if not known:
            raise UsageError("No run has left a journal yet.")
        return known[-1]
    named = Path(run)
    if "/" not in run and (runs_directory() / f"{run}.jsonl").is_file():
        return runs_directory() / f"{run}.jsonl"
    if named.is_file():
        return named
    raise UsageError(f"There is no run {run!r}.", "`frogmove runs` lists the runs there are.")
