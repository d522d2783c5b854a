"""The journals in the state directory, and the ids of runs."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from frogmove.core.journal_reader import JournalReader
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from frogmove.core.run_spec import RunSpec

# The name of the last run.
LAST = "last"

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")

# How many ids are listed if a prefix is ambiguous.
_SHOWN_RUNS = 3


def runs_directory() -> Path:
    """Return the directory of journals; ``FROGMOVE_STATE`` overrides it. It may not exist."""
    named = os.environ.get("FROGMOVE_STATE")
    if named:
        return Path(named)
    # Lazy: the Lambda has no such directory and no such package.
    from platformdirs import user_state_path

    return user_state_path("frogmove") / "runs"


def journal_path(run_id: str) -> Path:
    """Return the default file of a run's journal."""
    return runs_directory() / f"{run_id}.jsonl"


def new_run_id() -> str:
    """Return an id for a run: its start time, so that ids sort by it.

    If the clock was set back, it is a time after the last run's.
    """
    now = datetime.now(UTC)
    ids: list[str] = []
    # Whether journals can be written is checked later; a dry run needs none.
    with suppress(UsageError):
        ids = [each for each in map(_run_id, journals()) if _ID.fullmatch(each)]
    # Not a time, or the last one that there is: an edited name.
    with suppress(ValueError, OverflowError):
        if ids and ids[-1] >= _id_of(now):
            last = datetime.strptime(f"{ids[-1][:15]}+0000", "%Y%m%d-%H%M%S%z")
            now = last.replace(microsecond=now.microsecond) + timedelta(seconds=1)
    return _id_of(now)


def _id_of(time: datetime) -> str:
    return f"{time:%Y%m%d-%H%M%S}-{time.microsecond // 16:04x}"


def key_list_path(run_id: str) -> Path:
    """Return the file with a run's list of keys, if it has one."""
    return runs_directory() / f"{run_id}.keys"


def plan_path(run_id: str) -> Path:
    """Return the file with the plan that a run applies, if it applies one."""
    return runs_directory() / f"{run_id}.plan"


def discard_lists(spec: RunSpec, journal: Path) -> None:
    """Remove the list of keys and the plan of a run without a journal."""
    if spec.continues is not None or journal.exists():
        return
    for name in (spec.selection.key_list, spec.plan):
        if name is not None:
            Path(name).unlink(missing_ok=True)


def journals() -> list[Path]:
    """Return all journals, newest last.

    Raises:
        UsageError: when their directory exists but cannot be read.
    """
    directory = runs_directory()
    try:
        paths = list(directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(
            f"The directory of journals {in_quotes(str(directory))} cannot be read: "
            f"{error.strerror}.",
            "Set FROGMOVE_STATE to the directory of your runs.",
        ) from error
    found = [path for path in paths if path.suffix == ".jsonl"]
    return sorted(found, key=lambda path: (_run_id(path), path))


def _run_id(path: Path) -> str:
    """Return the id of a journal's run: its name, unless that was chosen with ``--journal``."""
    if _ID.fullmatch(path.stem):
        return path.stem
    with suppress(UsageError):
        return JournalReader(path).spec.id
    return ""


def read_journals() -> tuple[list[JournalReader], list[UsageError]]:
    """Read the headers of all journals.

    Returns:
        the journals, newest last, and the errors of files that cannot be read.

    Raises:
        UsageError: when their directory exists but cannot be read.
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
        run: its id, an unambiguous prefix of it, the file or its name, or ``last``; None means the
            last run.

    Raises:
        UsageError: when there is none, or the prefix is ambiguous.
    """
    known = journals()
    if run is None or run == LAST:
        if not known:
            raise no_journal()
        return known[-1]
    for path in known:
        if run in {path.stem, path.name}:
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
            f"{len(alike):,} runs start with {in_quotes(run)}, the last of them {shown}.",
            "Give more of the id.",
        )
    raise UsageError(
        f"There is no run {in_quotes(run)}.", "`frogmove runs` lists the existing runs."
    )


def no_journal() -> UsageError:
    """Return the error for the case that there are no runs."""
    return UsageError(
        f"There are no runs in {in_quotes(str(runs_directory()))} yet.",
        "FROGMOVE_STATE selects another directory.",
    )
