"""The manifest of a job of S3 Batch Operations: one line of CSV for each object.

Keys are URL-encoded. Either all lines have a version id or none has one.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/specify-batchjob-manifest.html
"""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from s3transfer.manager import TransferConfig, TransferManager

from frogmove.errors import RunError, UsageError
from frogmove.s3.boto_shapes import unquoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_s3 import S3Client

    from frogmove.s3.models import S3Object

FORMAT = "S3BatchOperations_CSV_20180820"

BUCKET, KEY, VERSION, IGNORED = "Bucket", "Key", "VersionId", "Ignore"

_TABLE = "CREATE TABLE objects (key TEXT, version TEXT, size INTEGER, etag TEXT, modified REAL)"
_OLDEST_FIRST = "SELECT key, version, size, etag FROM objects ORDER BY modified, rowid"

# Bytes. S3 allows 10,000 parts, so a manifest may have 160 GB.
_PART_SIZE = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a manifest.

    Attributes:
        bucket: the bucket.
        key: the key as it is written, URL-encoded.
        version_id: its version; empty if the manifest has none.
        size: bytes; 0 if the manifest does not say.
        etag: its ETag; empty if the manifest does not say.
    """

    bucket: str
    key: str
    version_id: str = ""
    size: int = 0
    etag: str = ""


class Manifest:
    """The objects of a job, kept in a temporary file until they are written, oldest first.

    S3 Batch Operations starts the tasks roughly in the order of the manifest.

    Args:
        bucket: the bucket of the objects.
        has_versions: whether each line has a version id.

    Attributes:
        has_versions: whether each line has a version id; may be set before the first object.
        count: the number of objects.
        bytes: their total size.
    """

    def __init__(self, bucket: str, *, has_versions: bool = False) -> None:
        self.count = self.bytes = 0
        self._bucket = bucket
        self.has_versions = has_versions
        # A database without a name is on disk, and is removed when it is closed.
        self._rows = sqlite3.connect("", check_same_thread=False)
        self._rows.execute(_TABLE)

    @property
    def fields(self) -> list[str]:
        """The names of its columns; size and ETag are for the report, and S3 ignores them."""
        return [BUCKET, KEY, *([VERSION] if self.has_versions else []), IGNORED, IGNORED]

    def add(self, items: Iterable[S3Object]) -> None:
        """Add objects.

        Raises:
            UsageError: when they cannot be kept, or an object has no version id but needs one.
            S3Error: when they cannot be listed.
        """
        try:
            self._rows.executemany(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?)", self._row_values(items)
            )
        except sqlite3.Error as error:
            raise UsageError(
                f"The manifest cannot be written to a temporary file: {error}.",
                "Nothing was changed. Free some space, or set TMPDIR to another directory.",
            ) from error

    def _row_values(self, items: Iterable[S3Object]) -> Iterator[tuple[object, ...]]:
        for item in items:
            if self.has_versions and not item.version_id:
                raise UsageError(
                    "Only some of the objects have a version id.",
                    "A manifest has versions for all objects or for none.",
                )
            self.count += 1
            self.bytes += item.size
            time = item.last_modified.timestamp()
            yield item.key, item.version_id or "", item.size, item.etag, time

    def lines(self) -> Iterator[bytes]:
        """Yield its lines."""
        for key, version, size, etag in self._rows.execute(_OLDEST_FIRST):
            named = [version] if self.has_versions else []
            row = [self._bucket, encode_key(key), *named, size, etag]
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow(row)
            yield line.getvalue().encode()

    def close(self) -> None:
        """Remove the temporary file."""
        self._rows.close()


def encode_key(key: str) -> str:
    """Return a key as a manifest has it: a space is ``%20``, a plus sign ``%2B``."""
    return quote(key, safe="/")


def read_entries(text: IO[str], fields: Sequence[str]) -> Iterator[Entry]:
    """Read the lines of a manifest.

    Args:
        text: the manifest.
        fields: the names of its columns.

    Raises:
        RunError: when a line has no key.
    """
    own = [IGNORED, IGNORED]
    has_sizes = list(fields[-2:]) == own and IGNORED not in fields[:-2]
    place = {name: number for number, name in enumerate(fields) if name != IGNORED}
    for row in read_rows(text, "the job's manifest"):
        if KEY not in place or len(row) < len(fields):
            raise RunError("A line of the job's manifest has no key.")
        size, etag = row[-2:] if has_sizes else ("", "")
        yield Entry(
            row[place[BUCKET]] if BUCKET in place else "",
            row[place[KEY]],
            row[place[VERSION]] if VERSION in place else "",
            int(size) if size.isascii() and size.isdigit() else 0,
            etag,
        )


def read_rows(text: IO[str], name: str) -> Iterator[list[str]]:
    """Read the lines of a CSV file that are not empty.

    Raises:
        RunError: when one cannot be read.
    """
    try:
        yield from filter(None, csv.reader(text))
    except csv.Error as error:
        raise RunError(f"A line of {name} cannot be read: {error}.") from error


class _Stream(io.RawIOBase):
    """A stream of lines that are made when they are read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._rest = self._rest or next(self._lines, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def upload(client: S3Client, bucket: str, key: str, lines: Iterator[bytes]) -> str:
    """Write lines to an object as they are made; memory does not grow.

    Returns:
        its ETag, without quotes.

    Raises:
        ClientError, BotoCoreError, S3UploadFailedError: when it cannot be written.
    """
    config = TransferConfig(
        multipart_threshold=_PART_SIZE,
        multipart_chunksize=_PART_SIZE,
        max_request_concurrency=2,
        max_in_memory_upload_chunks=2,
    )
    stream = io.BufferedReader(_Stream(lines), 1 << 20)
    with TransferManager(client, config) as manager:
        manager.upload(stream, bucket, key).result()
    return unquoted(client.head_object(Bucket=bucket, Key=key)["ETag"])


@contextmanager
def open_manifest(bucket: str, *, has_versions: bool) -> Iterator[Manifest]:
    """Create a manifest; at the end of the context, its temporary file is removed."""
    manifest = Manifest(bucket, has_versions=has_versions)
    try:
        yield manifest
    finally:
        manifest.close()
