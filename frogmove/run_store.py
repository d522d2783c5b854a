"""Where runs keep their journals, and how they are named."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from frogmove.core.journal_reader import JournalReader
from frogmove.errors import UsageError

if TYPE_CHECKING:
    from frogmove.core.run_spec import RunSpec

# Names the last run.
LAST = "last"

# Runs that are named where several begin alike.
_SHOWN_RUNS = 3


def runs_directory() -> Path:
    """Return ``FROGMOVE_STATE``, else the user's own folder of journals; it may not exist yet."""
    named = os.environ.get("FROGMOVE_STATE")
    if named:
        return Path(named)
    # The Lambda has no such folder, and no such package.
    from platformdirs import user_state_path

    return user_state_path("frogmove") / "runs"


def journal_path(run_id: str) -> Path:
    """Return the file of a run's journal, unless another is named."""
    return runs_directory() / f"{run_id}.jsonl"


def new_run_id() -> str:
    """Return a name for a run: its time, so exactly that names sort as the runs began."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 16:04x}"


def key_list_path(run_id: str) -> Path:
    """Return the file that the keys of a run are kept in, where they came as a list."""
    return runs_directory() / f"{run_id}.keys"


def discard_key_list(spec: RunSpec, journal: Path) -> None:
    """Remove the list of keys of a run that left no journal."""
    name = spec.selection.key_list
    if name is not None and spec.continues is None and not journal.exists():
        Path(name).unlink(missing_ok=True)


def journals() -> list[Path]:
    """Return all journals, the newest last.

    Raises:
        UsageError: when their folder is there and cannot be read.
    """
    directory = runs_directory()
    try:
        paths = list(directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(
            f"The folder of journals {str(directory)!r} cannot be read: {error.strerror}.",
            "Set FROGMOVE_STATE to the folder that your runs used.",
        ) from error
    return sorted(path for path in paths if path.suffix == ".jsonl")


def read_journals() -> tuple[list[JournalReader], list[UsageError]]:
    """Read the beginnings of all journals.

    Returns:
        the journals, the newest last, and of each other file why it cannot be read.

    Raises:
        UsageError: when their folder is there and cannot be read.
    """
    readers, problems = [], []
    for path in journals():
        try:
            readers.append(JournalReader(path))
        except UsageError as error:
            problems.append(error)
    return readers, problems


def find_journal(run: str | None) -> Path:
    """Return the journal of a run.

    Args:
        run: its id, the beginning of no other, the file, or ``last``; None is the last run, too.

    Raises:
        UsageError: when there is none, or several begin so.
    """
    known = journals()
    if run is None or run == LAST:
        if not known:
            raise no_journal()
        return known[-1]
    for path in known:
        if path.stem == run:
            return path
    with suppress(OSError):
        if Path(run).is_file():
            return Path(run)
    alike = [path for path in known if run and path.stem.startswith(run)]
    if len(alike) == 1:
        return alike[0]
    if alike:
        shown = ", ".join(path.stem for path in alike[-_SHOWN_RUNS:])
        raise UsageError(
            f"{len(alike):,} runs begin with {run!r}, the last of them {shown}.",
            "Write more of the id.",
        )
    raise UsageError(f"There is no run {run!r}.", "`frogmove runs` lists the runs there are.")


def no_journal() -> UsageError:
    """Return what is said where no run is known."""
    return UsageError(
        f"No run has left a journal in {str(runs_directory())!r} yet.",
        "FROGMOVE_STATE names another folder.",
    )
