"""Writes plans to files and reads them, as JSON lines.

The first line describes the run, as in a journal. Each further line is an action. The last line has
their number and a hash of everything before it, so that an edited or incomplete file is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from frogmove.core.models import Action, Effect, Forecast, Verb
from frogmove.core.new_file import new_file
from frogmove.core.records import Record, action_record
from frogmove.core.run_spec import RunSpec
from frogmove.core.typographic import typographic_hint
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.models import S3Object
from frogmove.s3.uri import is_like_uri

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

# The version of the file format.
VERSION = 1

# Bytes. A line with two keys of 1,024 characters, all escaped, and a reason is shorter.
_MAX_LINE_BYTES = 1 << 20

# Transfers that were not checked must not be applied.
_UNCHECKED = (Verb.MOVE, Verb.COPY, Verb.COMPARE)


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan was made for.

    Attributes:
        spec: the run.
        account: what identifies the account of the credentials, if it is known.
    """

    spec: RunSpec
    account: str | None

    def record(self) -> Record:
        """Return the first line of a plan's file as a JSON value."""
        header = {"type": "plan", "version": VERSION, "account": self.account}
        return header | self.spec.record()


def write_plan(path: Path, header: PlanHeader, actions: Iterable[Action]) -> Generator[Action]:
    """Write a plan to a file, and yield its actions as they are written.

    A file whose plan was not taken to its end is removed.

    Args:
        path: a file that does not exist yet.
        header: what the plan is for.
        actions: the plan; what the destination holds has been looked at.

    Raises:
        UsageError: when the file exists or cannot be written.
    """
    try:
        with new_file(path) as file:
            yield from _write(file, header, actions)
    except OSError as error:
        raise _unwritable(path, error) from error


def _write(file: IO[bytes], header: PlanHeader, actions: Iterable[Action]) -> Iterator[Action]:
    digest = hashlib.sha256()

    def write(record: Record) -> None:
        line = json.dumps(record).encode("ascii") + b"\n"
        digest.update(line)
        file.write(line)

    write(header.record())
    count = 0
    for action in actions:
        if action.verb in _UNCHECKED and action.forecast is None:
            raise UsageError(
                "This plan has not looked at the destination.",
                "Write plans that Client.plan returned.",
            )
        write(_record(action))
        count += 1
        yield action
    write({"type": "end", "actions": count, "sha256": digest.hexdigest()})


def read_header(path: Path) -> PlanHeader:
    """Read what a plan was made for.

    Raises:
        UsageError: when the file is not a plan of this version.
    """
    with _open(path) as file:
        return _header(path, file.readline(_MAX_LINE_BYTES))


def read_plan(path: Path, copy: IO[bytes] | None = None) -> Iterator[Action]:
    """Read the actions of a plan. Only once all were taken is it known that none was changed.

    Args:
        path: the file.
        copy: where the file is copied to as it is read.

    Raises:
        UsageError: when the file is not a plan, or is incomplete or edited.
    """
    digest = hashlib.sha256()
    count = -1
    previous = b""
    with _open(path) as file:
        _header(path, file.readline(_MAX_LINE_BYTES))
        file.seek(0)
        while line := file.readline(_MAX_LINE_BYTES):
            if previous:
                digest.update(previous)
                count += 1
            if count > 0:
                yield _action(path, previous)
            previous = line
            if copy is not None:
                copy.write(line)
    trailer = _parse(previous)
    if trailer.get("type") != "end":
        raise UsageError(
            f"The plan {in_quotes(str(path))} is incomplete: its end is missing.", _REMEDY
        )
    if (trailer.get("actions"), trailer.get("sha256")) != (max(count, 0), digest.hexdigest()):
        raise UsageError(
            f"The plan {in_quotes(str(path))} was edited after it was written.", _REMEDY
        )


def keep_plan(path: Path, kept: Path) -> int:
    """Copy a plan, and make sure that it is complete and was not edited.

    A run applies its own copy: the file may change meanwhile, and the run may have to be resumed.

    Args:
        path: the plan.
        kept: a file that does not exist yet.

    Returns:
        the number of its actions.

    Raises:
        UsageError: when it is not as it was written, or cannot be copied.
    """
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with new_file(kept) as copy:
            return sum(1 for _ in read_plan(path, copy))
    except OSError as error:
        raise _unwritable(kept, error) from error


def count_actions(path: Path) -> int | None:
    """Return the number of actions that a plan's last line says; None if it has none."""
    with _open(path) as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 1024))
        *_, last = [b"", *file.readlines()]
    count = _parse(last).get("actions")
    return count if isinstance(count, int) else None


_REMEDY = "Nothing was changed. Make the plan again with --plan."


def _record(action: Action) -> Record:
    item, forecast = action.object, action.forecast
    more = {
        "last_modified": item.last_modified.isoformat(),
        "storage_class": item.storage_class,
        "version_id": item.version_id,
        "pinned": action.pinned,
        "cause": None if forecast is None else forecast.cause,
    }
    return action_record(action) | more


def _action(path: Path, line: bytes) -> Action:
    record = _parse(line)
    try:
        item = S3Object(
            record["key"],
            record["size"],
            record["etag"],
            datetime.fromisoformat(record["last_modified"]),
            record["storage_class"],
            record["version_id"],
        )
        action = Action(
            Verb(record["action"]),
            item,
            record["destination_key"],
            record["reason"],
            pinned=record["pinned"],
        )
        if record["cause"] is None:
            return action
        forecast = Forecast(
            Effect(record["effect"]), _there(record["destination"]), record["cause"]
        )
        replaces = None
        if forecast.effect is Effect.REPLACE and forecast.there is not None:
            replaces = forecast.there.etag
        return replace(action, forecast=forecast, replaces=replaces)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"The plan {in_quotes(str(path))} was edited after it was written: a line of it is "
            "no action.",
            _REMEDY,
        ) from error


def _there(record: Record | None) -> S3Object | None:
    if record is None:
        return None
    modified = datetime.fromisoformat(record["last_modified"])
    return S3Object(record["key"], record["size"], record["etag"], modified)


def _header(path: Path, line: bytes) -> PlanHeader:
    record = _parse(line)
    if record.get("type") != "plan":
        raise UsageError(
            f"{in_quotes(str(path))} is not a plan of frogmove.", "Make one with --plan."
        )
    if record.get("version") != VERSION:
        raise UsageError(
            f"The plan {in_quotes(str(path))} was written by another version of frogmove.", _REMEDY
        )
    try:
        return PlanHeader(RunSpec.of_record(record), record["account"])
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise UsageError(
            f"The plan {in_quotes(str(path))} was edited after it was written: its first line is "
            "not as frogmove writes it.",
            _REMEDY,
        ) from error


def _parse(line: bytes) -> dict[str, Any]:
    """Return the record of a line; empty if it is none."""
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(
            f"The plan {in_quotes(str(path))} cannot be read: {error.strerror}.", _hint(path)
        ) from error


def _unwritable(path: Path, error: OSError) -> UsageError:
    if isinstance(error, FileExistsError):
        remedy = "No plan is replaced: choose another file, or remove this one first."
    else:
        remedy = _hint(path) or "Choose another file, or make room for it."
    return UsageError(
        f"The plan {in_quotes(str(path))} cannot be written: {error.strerror}.",
        f"Nothing was changed. {remedy}",
    )


def _hint(path: Path) -> str:
    """Say what is probably wrong with a path; empty if nothing is known."""
    text = str(path)
    return "A plan is a file on this machine." if is_like_uri(text) else typographic_hint(text)
