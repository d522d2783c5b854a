"""Reads lists of keys, and stores them next to a run's journal.

A line is a key as ``frogmove ls`` prints it, a whole line of ``ls`` or ``report``, or any other
text, which is a raw key. Entries terminated by NULs are raw keys.
"""

from __future__ import annotations

import codecs
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING

from frogmove.core.models import Outcome, key_inside
from frogmove.core.new_file import new_file
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.uri import MAX_KEY_BYTES, check_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from frogmove.s3.uri import Location

_CHUNK = 1 << 16

# Bytes. A percent-encoded key may have 3 × 1,024 bytes, and a line may also contain a reason.
_MAX_LINE_BYTES = 1 << 16

# PowerShell's ``>`` writes UTF-16.
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# The forms of keys by `frogmove.cli.key_argument`.
_ARGUMENT = r"""[\w./,:%][\w@%+=:,./-]*|'[^']*(?:'"'"'[^']*)*'"""
_ARGUMENT_ALONE = re.compile(_ARGUMENT)
_SIZE = r"(?:[0-9]+|[0-9.,]+ [A-Za-z]+)"
_LISTED = re.compile(rf" *{_SIZE}  [0-9-]{{10}} [0-9:]{{8}}  ({_ARGUMENT})")
_FOLDER = re.compile(rf" {{10}}PRE {{23}}({_ARGUMENT})")
_OUTCOMES = "|".join(Outcome)
_REPORTED = re.compile(
    rf"(?:{_OUTCOMES}) *  +(?:[0-9]+  )?({_ARGUMENT})(?: -> (?:{_ARGUMENT}))?(?:  \(.*\))?"
)

# The lines of a report without a key.
_COUNTS = (
    r"(?:interrupted; )?(?:nothing (?:to do|was finished)|[0-9,]+ [a-z-]+(?:, [0-9,]+ [a-z-]+)*)"
)
_COMMENT = re.compile(
    rf"[a-z]+ s3://\S+ -> s3://\S+|run \S+, begun \S+|{_COUNTS}; {_SIZE} in [0-9.]+ s"
    r"|did not finish|still running|To [a-z ]+: frogmove [a-z]+ .*"
    rf"|Total (?:Folders|Objects): [0-9]+|   Total Size: {_SIZE}"
)


def read_keys(source: str | Path | IO[bytes], end: Location, *, nul: bool) -> Iterator[str]:
    """Read a list of keys.

    Args:
        source: a file, or a stream, which is not closed.
        end: the location that keys are relative to; S3 URIs must be inside it.
        nul: whether keys are terminated by NULs instead of line ends.

    Yields:
        complete keys.

    Raises:
        UsageError: when it cannot be read, or an entry cannot be a key of the source.
    """
    if not isinstance(source, str | Path):
        yield from _keys(source, end, nul=nul, name="the list")
        return
    try:
        with Path(source).open("rb") as stream:
            yield from _keys(stream, end, nul=nul, name=str(source))
    except OSError as error:
        raise UsageError(f"{in_quotes(str(source))} cannot be read: {error.strerror}.") from error


def _keys(stream: IO[bytes], end: Location, *, nul: bool, name: str) -> Iterator[str]:
    for number, text in enumerate(_texts(stream, b"\0" if nul else b"\n", name), start=1):
        if number == 1 and text.startswith(_UTF_16):
            raise UsageError(f"{name} is UTF-16.", "Write keys in UTF-8.")
        entry = f"Entry {number:,} of {name}"
        if b"\0" in text:
            raise _has_nul(entry)
        try:
            line = text.decode()
            if number == 1 and not nul:
                # Editors on Windows write it; our own commands print such a key as a URI.
                line = line.removeprefix("\ufeff")
            if nul:
                key: str | None = check_key(end.prefix + line) if line else None
            else:
                key = _key_of_line(line.removesuffix("\r"), end)
        except UnicodeDecodeError as error:
            raise UsageError(f"{entry} is not UTF-8.", "Write keys in UTF-8.") from error
        except UsageError as error:
            raise UsageError(f"{entry}: {error.message}", error.remedy) from error
        if key is not None:
            if "\0" in key:
                raise _has_nul(entry)
            yield key


def _has_nul(entry: str) -> UsageError:
    return UsageError(
        f"{entry} has a NUL, so it cannot be a key.", "Use -0 if the keys are terminated by NULs."
    )


def _texts(stream: IO[bytes], end: bytes, name: str) -> Iterator[bytes]:
    rest = b""
    try:
        while chunk := stream.read(_CHUNK):
            *texts, rest = (rest + chunk).split(end)
            yield from texts
            if len(rest) > _MAX_LINE_BYTES:
                raise UsageError(
                    f"An entry of {name} has over {_MAX_LINE_BYTES:,} bytes; S3 keys have at most "
                    f"{MAX_KEY_BYTES:,}.",
                    "Use -0 if the keys are terminated by NULs, but not if by line ends.",
                )
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    if rest:
        yield rest


def _key_of_line(line: str, end: Location) -> str | None:
    """Return the key of a line; None if it has none."""
    if not line or _COMMENT.fullmatch(line):
        return None
    if line.startswith('{"type": "'):
        return _key_of_record(line, end)
    if _FOLDER.fullmatch(line):
        raise _folder(line.strip())
    table = _LISTED.fullmatch(line) or _REPORTED.fullmatch(line)
    argument = table[1] if table else line
    if argument.startswith("'") and _ARGUMENT_ALONE.fullmatch(argument):
        argument = argument[1:-1].replace("'\"'\"'", "'")
    return key_inside(end, argument)


def _key_of_record(line: str, end: Location) -> str | None:
    """Read a JSON line of ours; records have complete keys."""
    try:
        record = json.loads(line)
        kind = record["type"]
    except (ValueError, TypeError, KeyError):
        return key_inside(end, line)
    key = record.get("key")
    if kind == "folder":
        raise _folder(repr(key))
    if kind not in {"object", "result", "action", "verified"} or not isinstance(key, str):
        return None
    if not key.startswith(end.prefix):
        raise UsageError(f"{in_quotes(key)} is not inside {end}.")
    return check_key(key)


def _folder(name: str) -> UsageError:
    return UsageError(
        f"{name} is a folder, not a key.",
        "List without --directories, or use --prefix for the folder.",
    )


def write_key_list(keys: Iterable[str], path: Path) -> None:
    """Store a list of keys, each once, for :func:`read_key_list`; uses disk, not memory.

    Raises:
        UsageError: when it cannot be written.
    """
    # A database without a name is on disk, and is removed when it is closed.
    # https://www.sqlite.org/inmemorydb.html#temp_db
    try:
        with closing(sqlite3.connect("")) as database:
            database.execute("CREATE TABLE list (key TEXT)")
            database.executemany("INSERT INTO list VALUES (?)", ((key,) for key in keys))
            # Created only now: reading the list may take long, or be interrupted.
            _write_once(database, path)
    except (OSError, sqlite3.Error) as error:
        raise UsageError(
            f"The list of keys {in_quotes(str(path))} cannot be written: {error}.",
            "Nothing was changed.",
        ) from error


def _write_once(database: sqlite3.Connection, path: Path) -> None:
    """Write each key of a table once, in the order in which they come first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as file:
        once = "SELECT key FROM list GROUP BY key ORDER BY min(rowid)"
        for (key,) in database.execute(once):
            file.write(key.encode() + b"\0")


def read_key_list(path: Path) -> Iterator[str]:
    """Read a list that :func:`write_key_list` stored.

    Raises:
        UsageError: when it cannot be read.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UsageError(
            f"The run's list of keys {in_quotes(str(path))} cannot be read: {error.strerror}.",
            "Without it, the run cannot be repeated.",
        ) from error
    return _stored_keys(stream, path)


def _stored_keys(stream: IO[bytes], path: Path) -> Iterator[str]:
    with stream:
        for text in _texts(stream, b"\0", str(path)):
            yield text.decode()
