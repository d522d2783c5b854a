"""Reads the completion report of a job, and accounts for every object of its manifest.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
"""

from __future__ import annotations

import codecs
import io
import json
import sqlite3
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from frogmove.core.advice import describe
from frogmove.core.models import Outcome, Route
from frogmove.core.run_spec import Command, RunSpec
from frogmove.errors import RunError, UnreachableError, UsageError
from frogmove.ops.batch_jobs import DESTINATION, SOURCE
from frogmove.ops.batch_manifest import FORMAT, encode_key, read_entries, read_rows
from frogmove.quoting import in_quotes
from frogmove.s3.boto_errors import failed
from frogmove.s3.models import NO_TIME, S3Object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.core.records import Record
    from frogmove.ops.batch_jobs import JobStatus

# The columns of a report; the last two may be in the other order.
_BUCKET, _KEY, _VERSION, _STATUS, _CODE, _HTTP, _MESSAGE = range(7)

_TABLES = (
    "CREATE TABLE objects (key TEXT, version TEXT, size INTEGER, etag TEXT)",
    "CREATE TABLE tasks (key TEXT, version TEXT, status TEXT, message TEXT)",
)
_INDEX = "CREATE INDEX by_key ON tasks (key, version)"
_UNKNOWN_KEY = """SELECT 1 FROM tasks LEFT JOIN objects USING (key, version)
    WHERE objects.key IS NULL LIMIT 1"""
# A task that was repeated has succeeded if it succeeded once.
_WITH_MANIFEST = """SELECT key, version, size, etag, max(status), message FROM objects
    LEFT JOIN tasks USING (key, version) GROUP BY objects.rowid ORDER BY objects.rowid"""
_WITHOUT_MANIFEST = (
    "SELECT key, version, 0, '', max(status), message FROM tasks GROUP BY key, version"
)

_NOT_IN_REPORT = (
    "not in the job's report, because the job ended before it or its task was never started"
)
_UNCLEAR = "The function may nevertheless have moved it: `frogmove trace` says where it is"


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of one object of a job.

    Attributes:
        key: its complete key.
        version_id: its version, if the manifest has versions.
        size: bytes; 0 if unknown.
        etag: its ETag; empty if unknown.
        outcome: the outcome.
        reason: why; may be empty.
    """

    key: str
    version_id: str | None
    size: int
    etag: str
    outcome: Outcome
    reason: str


def read_message(status: str, message: str) -> tuple[Outcome, str]:
    """Read from a task's result the outcome of its object, and the reason.

    The function writes the outcome and the reason; see
    :meth:`frogmove.function.batch_operations.Job.response`.

    Args:
        status: ``succeeded`` or ``failed``.
        message: the result's message.
    """
    word, _, reason = _unescaped(message).partition(": ")
    if word in set(Outcome):
        outcome = Outcome(word)
        is_success = status == "succeeded"
        if is_success is not outcome.needs_attention or outcome is Outcome.SUPERSEDED:
            return outcome, reason
    described = message or "no reason given"
    return Outcome.FAILED, f"the job's report says {status or 'nothing'}: {described}. {_UNCLEAR}"


def _unescaped(message: str) -> str:
    """Undo the function's escapes, unless the message was cut or is not ours."""
    try:
        return codecs.decode(message.encode("ascii"), "unicode_escape")
    except (UnicodeError, ValueError):
        return message


def job_route(job: JobStatus) -> Route:
    """Return the route of a job.

    Raises:
        UsageError: when it is not a job of frogmove.
    """
    operation = job.details.get("Operation") or {}
    ends = (operation.get("LambdaInvoke") or {}).get("UserArguments") or {}
    if not (ends.get(SOURCE) and ends.get(DESTINATION)):
        raise UsageError(
            f"The job {in_quotes(job.id)} was not submitted by frogmove.",
            "`frogmove batch status` lists the jobs that were.",
        )
    return Route.parse(ends[SOURCE], ends[DESTINATION])


class JobReport:
    """The results of a job; it has what a report of a run needs.

    Args:
        job: the job, which has ended.
        database: the manifest and the report, see :func:`open_report`.
        query: the statement that selects the results from it.
    """

    def __init__(self, job: JobStatus, database: sqlite3.Connection, query: str) -> None:
        self.job = job
        self.route = job_route(job)
        self._database = database
        self._query = query
        self.spec = RunSpec(
            id=job.id,
            started="" if job.created is None else job.created.isoformat(timespec="seconds"),
            command=Command.MOVE,
            source=str(self.route.source),
            destination=str(self.route.destination),
        )
        self._end: Record | None = None

    def results(self) -> Iterator[TaskResult]:
        """Yield the result of each object, in the order of the manifest."""
        for key, version, size, etag, status, message in self._database.execute(self._query):
            if status is None:
                outcome, reason = Outcome.FAILED, _NOT_IN_REPORT
            else:
                outcome, reason = read_message(status, message)
            yield TaskResult(unquote(key), version or None, size, etag, outcome, reason)

    def unreported(self) -> int:
        """Return how many of the job's tasks are not in its report.

        With a manifest of ours, each of them is a result that failed.
        """
        reported: int = sum(self.end()["counts"].values())
        return max(0, self.job.total - reported)

    def records(self) -> Iterator[Record]:
        """Yield all JSON records: the run, the results, the end."""
        yield {"type": "run", **self.spec.record()}
        yield from self.of_type("result")
        yield self.end()

    def of_type(self, kind: str) -> Iterator[Record]:
        """Yield the records of one type."""
        if kind == "end":
            return iter((self.end(),))
        return map(self._record, self.results()) if kind == "result" else iter(())

    def cut_off(self) -> list[Record]:
        """Return the copies without a result; a job has none."""
        return []

    def is_running(self) -> bool:
        """Tell whether it is still running; a report is read only when it has ended."""
        return False

    def end(self) -> Record:
        """Return the totals."""
        if self._end is None:
            counts: Counter[Outcome] = Counter()
            moved = 0
            for result in self.results():
                counts[result.outcome] += 1
                moved += result.size if result.outcome is Outcome.MOVED else 0
            created, ended = self.job.created, self.job.ended
            seconds = (ended - created).total_seconds() if created and ended else 0.0
            self._end = {
                "type": "end",
                "counts": {outcome.value: counts[outcome] for outcome in Outcome},
                "bytes": moved,
                "seconds": round(seconds, 3),
                "interrupted": self.job.status != "Complete",
            }
        return self._end

    def _record(self, result: TaskResult) -> Record:
        version = {"version_id": result.version_id} if result.version_id else {}
        return {
            "type": "result",
            "key": result.key,
            "destination_key": self.route.destination_key(result.key),
            "size": result.size,
            "etag": result.etag,
            "outcome": result.outcome.value,
            "reason": result.reason,
            **version,
        }


@contextmanager
def open_report(job: JobStatus, s3: S3Client) -> Iterator[JobReport]:
    """Read the report of a job and its manifest into a temporary file; memory does not grow.

    Args:
        job: the job.
        s3: a client for the bucket of the report.

    Raises:
        UsageError: when the job has not ended, was not submitted by frogmove, or has no report.
        UnreachableError: when the report or the manifest cannot be read.
        RunError: when one of them has an unknown format.
    """
    job_route(job)
    if not job.has_ended:
        raise UsageError(
            f"The job {in_quotes(job.id)} has not ended: it is {job.status}.",
            f"Wait for it with: frogmove batch status {job.id} --follow",
        )
    # A database without a name is on disk, and is removed when it is closed.
    database = sqlite3.connect("")
    try:
        for table in _TABLES:
            database.execute(table)
        has_manifest = _load_manifest(database, job, s3)
        _load_tasks(database, job, s3)
        database.execute(_INDEX)
        if has_manifest and database.execute(_UNKNOWN_KEY).fetchone():
            # The keys of this report are not URL-encoded.
            database.create_function("encoded", 1, encode_key, deterministic=True)
            database.execute("UPDATE tasks SET key = encoded(key)")
        yield JobReport(job, database, _WITH_MANIFEST if has_manifest else _WITHOUT_MANIFEST)
    except sqlite3.Error as error:
        raise RunError(
            f"The report of the job {in_quotes(job.id)} cannot be written to a temporary file: "
            f"{error}.",
            "Free some space, or set TMPDIR to another directory.",
        ) from error
    finally:
        database.close()


def _load_manifest(database: sqlite3.Connection, job: JobStatus, s3: S3Client) -> bool:
    """Load the manifest; return False if S3 generated it."""
    described = job.details.get("Manifest")
    if not described or described["Spec"]["Format"] != FORMAT:
        return False
    bucket, _, key = described["Location"]["ObjectArn"].partition(":::")[2].partition("/")
    with _downloaded(s3, bucket, key) as text:
        entries = read_entries(text, described["Spec"]["Fields"])
        database.executemany(
            "INSERT INTO objects VALUES (?, ?, ?, ?)",
            ((each.key, each.version_id, each.size, each.etag) for each in entries),
        )
    return True


def _load_tasks(database: sqlite3.Connection, job: JobStatus, s3: S3Client) -> None:
    described = job.details.get("Report") or {}
    bucket = str(described.get("Bucket", "")).partition(":::")[2]
    if not described.get("Enabled") or not bucket:
        raise UsageError(f"The job {in_quotes(job.id)} was created without a report.")
    prefix = f"{described['Prefix'].rstrip('/')}/" if described.get("Prefix") else ""
    manifest = f"{prefix}job-{job.id}/manifest.json"
    try:
        response = s3.get_object(Bucket=bucket, Key=manifest)
        parts = json.loads(response["Body"].read())["Results"]
        keys = [str(part["Key"]) for part in parts]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"} and not job.succeeded:
            # S3 writes a report only if it invoked the function for at least one object.
            return
        raise _unreadable(bucket, manifest, error) from error
    except (BotoCoreError, OSError) as error:
        raise _unreadable(bucket, manifest, error) from error
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise RunError(f"s3://{bucket}/{manifest} is not the manifest of a report.") from error
    for key in keys:
        with _downloaded(s3, bucket, key) as text:
            database.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?)", _tasks(text, key))


def _tasks(text: IO[str], name: str) -> Iterator[tuple[str, ...]]:
    for row in read_rows(text, f"the report {name!a}"):
        if len(row) <= _MESSAGE:
            raise RunError(f"A line of the report {name!a} has an unknown format.")
        # A message with an unquoted comma.
        message = ",".join(row[_MESSAGE:])
        yield row[_KEY], row[_VERSION], row[_STATUS].lower(), message


@contextmanager
def _downloaded(s3: S3Client, bucket: str, key: str) -> Iterator[IO[str]]:
    """Download an object to a temporary file, and open it as text."""
    with tempfile.TemporaryFile() as file:
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)
        except (ClientError, BotoCoreError) as error:
            raise _unreadable(bucket, key, error) from error
        file.seek(0)
        with io.TextIOWrapper(file, "utf-8", "replace", newline="") as text:
            yield text


def _unreadable(bucket: str, key: str, error: Exception) -> UnreachableError:
    described = describe(failed("GetObject", error), "Nothing was changed")
    return UnreachableError(f"s3://{bucket}/{key} cannot be read: {described}.")


def failed_objects(report: JobReport) -> Iterator[S3Object]:
    """Yield the objects whose tasks failed, in the order of the manifest."""
    for each in report.results():
        if each.outcome is Outcome.FAILED:
            yield S3Object(each.key, each.size, each.etag, NO_TIME, version_id=each.version_id)
