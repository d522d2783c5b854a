"""Checks, before anything is changed, that no two objects of a plan get the same key."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from frogmove.core.models import Action, Verb
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.s3.models import S3Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TABLE = """CREATE TABLE plan (
    verb TEXT, key TEXT, size INTEGER, etag TEXT, modified TEXT, class TEXT, version TEXT,
    destination_key TEXT, reason TEXT)"""
_INSERT = "INSERT INTO plan VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DUPLICATES = """SELECT destination_key, min(key), max(key), count(*) OVER () FROM plan
    WHERE verb IN ('move', 'copy') GROUP BY destination_key HAVING count(*) > 1 LIMIT 1"""


def with_unique_keys(actions: Iterable[Action]) -> Iterator[Action]:
    """Read a whole plan, check its keys, then yield it.

    The plan is kept on disk and not planned again, because the objects might change meanwhile. A
    million objects take about 300 MB in the directory for temporary files (``TMPDIR``), and no
    memory.

    Args:
        actions: a plan of moves or copies; read completely.

    Raises:
        UsageError: when two objects get the same key, or the disk is full.
        S3Error: when the source cannot be listed.
    """
    # A database without a name is on disk, and is removed when it is closed.
    # https://www.sqlite.org/inmemorydb.html#temp_db
    database = sqlite3.connect("", check_same_thread=False)
    try:
        database.execute(_TABLE)
        database.executemany(_INSERT, map(_row, actions))
        duplicate = database.execute(_DUPLICATES).fetchone()
    except sqlite3.Error as error:
        database.close()
        raise UsageError(
            f"The plan cannot be written to a temporary file: {error}.",
            "Nothing was changed. Free some space, or set TMPDIR to another directory.",
        ) from error
    except BaseException:
        database.close()
        raise
    if duplicate is not None:
        database.close()
        destination_key, one, other, count = duplicate
        more = f" The same applies to {count - 1:,} more." if count > 1 else ""
        raise UsageError(
            f"{in_quotes(one)} and {in_quotes(other)} would both become "
            f"{in_quotes(destination_key)}.{more}",
            "Nothing was changed. Use {folder} or {name} in the template to distinguish them.",
        )
    return _planned(database)


def _planned(database: sqlite3.Connection) -> Iterator[Action]:
    with closing(database):
        for (
            verb,
            key,
            size,
            etag,
            modified,
            storage_class,
            version,
            destination_key,
            reason,
        ) in database.execute("SELECT * FROM plan ORDER BY rowid"):
            item = S3Object(
                key, size, etag, datetime.fromisoformat(modified), storage_class, version
            )
            yield Action(Verb(verb), item, destination_key, reason)


def _row(action: Action) -> tuple[object, ...]:
    item = action.object
    return (
        action.verb.value,
        item.key,
        item.size,
        item.etag,
        item.last_modified.isoformat(),
        item.storage_class,
        item.version_id,
        action.destination_key,
        action.reason,
    )
