"""A stand-in for S3 Batch Operations, for the embedded AWS and for tests.

It speaks the part of the S3 Control API that ``frogmove batch`` uses, reads the manifest from S3,
invokes the function with the events that S3 sends, one task each, and writes the report to S3. It
checks neither signatures nor permissions, and generates no manifests.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit
from xml.etree import ElementTree

from botocore.exceptions import BotoCoreError, ClientError

from frogmove.ops.batch_manifest import read_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from frogmove.ops.batch_manifest import Entry

# Invokes the function with an event, and returns its response.
Invoke: TypeAlias = Callable[[str, dict[str, Any]], Any]

_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/"
_JOBS = re.compile(r"/v20180820/jobs(?:/(?P<id>[A-Za-z0-9_-]+)(?P<status>/status)?)?/?")

_CONCURRENCY = 4
# How often a task is tried that failed temporarily; AWS does not document its number.
_TRIES = 3
# A job with more failures than this, of so many tasks, fails.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
_TASKS_BEFORE_FAILURE = 1000
_MAX_FAILURE_FRACTION = 0.5

# The elements of a request that DescribeJob returns as they are.
_ECHOED = ("Description", "Manifest", "Operation", "Priority", "Report", "RoleArn")
_ENDED = {"Complete", "Failed", "Cancelled"}


@dataclass
class _Job:
    """A job.

    Attributes:
        request: its CreateJob request.
        id: its id.
        status: its status.
        created: when it was created.
        ended: when it ended.
        total: the number of its tasks.
        results: of each finished task its entry, whether it succeeded, its code and its message.
        reason: why it failed.
        is_cancelled: whether no further task is to be started.
    """

    request: ElementTree.Element
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "New"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    total: int = 0
    results: list[tuple[Entry, bool, str, str]] = field(default_factory=list)
    reason: str = ""
    is_cancelled: bool = False

    @property
    def failures(self) -> int:
        """The number of failed tasks."""
        return sum(not succeeded for _, succeeded, _, _ in self.results)

    def text(self, path: str) -> str:
        """Return the text of an element of its request; empty if there is none."""
        found = self.request.find(path)
        return "" if found is None or found.text is None else found.text


class BatchOperations:
    """The jobs of the embedded AWS.

    Args:
        s3: a boto3 client for S3.
        invoke: invokes the function of an ARN with an event, and returns its response.
        concurrency: how many tasks run concurrently.
    """

    def __init__(self, s3: Any, invoke: Invoke, concurrency: int = _CONCURRENCY) -> None:  # noqa: ANN401
        self._s3 = s3
        self._invoke = invoke
        self._concurrency = concurrency
        self._jobs: dict[str, _Job] = {}
        self._by_token: dict[str, str] = {}
        self._lock = threading.Lock()

    def create(self, body: bytes) -> ElementTree.Element:
        """Create a job and start it; a request with the token of an earlier one returns its job."""
        request = _parse(body)
        token = request.findtext("ClientRequestToken") or ""
        with self._lock:
            job = self._jobs.get(self._by_token.get(token, "")) or _Job(request)
            is_new = job.id not in self._jobs
            self._jobs[job.id] = job
            self._by_token[token] = job.id
        if is_new:
            threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return _element("CreateJobResult", _element("JobId", job.id))

    def describe(self, job_id: str) -> ElementTree.Element:
        """Describe a job.

        Raises:
            KeyError: when there is none with this id.
        """
        job = self._jobs[job_id]
        echoed = [each for each in job.request if each.tag in _ECHOED]
        failures = [_element("member", _element("FailureReason", job.reason))] if job.reason else []
        return _element(
            "DescribeJobResult",
            _element(
                "Job", *_progress_elements(job), *echoed, _element("FailureReasons", *failures)
            ),
        )

    def list_all(self) -> ElementTree.Element:
        """List all jobs, newest first."""
        newest = sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)
        jobs = [
            _element(
                "member", *_progress_elements(job), _element("Description", job.text("Description"))
            )
            for job in newest
        ]
        return _element("ListJobsResult", _element("Jobs", *jobs))

    def cancel(self, job_id: str) -> ElementTree.Element:
        """Cancel a job.

        Raises:
            KeyError: when there is none with this id.
        """
        job = self._jobs[job_id]
        job.is_cancelled = True
        if job.status not in _ENDED:
            job.status = "Cancelling"
        return _element(
            "UpdateJobStatusResult", _element("JobId", job.id), _element("Status", job.status)
        )

    def _run(self, job: _Job) -> None:
        status = "Failed"
        try:
            job.status = "Preparing"
            entries = self._read_manifest(job)
            job.total = len(entries)
            if not job.is_cancelled:
                job.status = "Active"
            with ThreadPoolExecutor(self._concurrency) as pool:
                for _ in pool.map(lambda entry: self._do(job, entry), entries):
                    pass
            if job.is_cancelled:
                status = "Cancelled"
            elif not job.reason:
                status = "Complete"
            self._write_report(job)
        except (ClientError, BotoCoreError, ValueError) as error:
            job.reason = f"{type(error).__name__}: {error}"
            status = "Failed"
        job.ended = datetime.now(UTC)
        job.status = status

    def _read_manifest(self, job: _Job) -> list[Entry]:
        arn = job.text("Manifest/Location/ObjectArn")
        if not arn:
            raise ValueError("this stand-in generates no manifests")
        bucket, _, key = arn.partition(":::")[2].partition("/")
        response = self._s3.get_object(Bucket=bucket, Key=key)
        etag = job.text("Manifest/Location/ETag")
        if response["ETag"].strip('"') != etag.strip('"'):
            raise ValueError("the manifest has another ETag than the job")
        fields = [each.text or "" for each in job.request.iterfind("Manifest/Spec/Fields/member")]
        return list(read_entries(io.StringIO(response["Body"].read().decode(), newline=""), fields))

    def _do(self, job: _Job, entry: Entry) -> None:
        if job.is_cancelled or job.reason:
            return
        code = words = ""
        for _ in range(_TRIES):
            code, words = self._try(job, entry)
            if code != "TemporaryFailure":
                break
        with self._lock:
            job.results.append((entry, code == "Succeeded", code, words))
            done, failures = len(job.results), job.failures
            if done >= _TASKS_BEFORE_FAILURE and failures > done * _MAX_FAILURE_FRACTION:
                job.reason = "Job failure threshold exceeded: more than 50 % of the tasks failed"

    def _try(self, job: _Job, entry: Entry) -> tuple[str, str]:
        task_id = str(uuid.uuid4())
        arguments = {
            each.findtext("key") or "": each.findtext("value") or ""
            for each in job.request.iterfind("Operation/LambdaInvoke/UserArguments/entry")
        }
        event = {
            "invocationSchemaVersion": "2.0",
            "invocationId": str(uuid.uuid4()),
            "job": {"id": job.id, "userArguments": arguments},
            "tasks": [
                {
                    "taskId": task_id,
                    "s3Key": entry.key,
                    "s3VersionId": entry.version_id or None,
                    "s3Bucket": entry.bucket,
                }
            ],
        }
        function = job.text("Operation/LambdaInvoke/FunctionArn")
        try:
            response = self._invoke(function, event)
            (result,) = [each for each in response["results"] if each["taskId"] == task_id]
            return str(result["resultCode"]), str(result["resultString"])
        except Exception as error:
            # As S3 words it, whatever went wrong in the function.
            elements = json.dumps({"errorMessage": str(error)})
            return "PermanentFailure", f"Lambda returned function error: {elements}"

    def _write_report(self, job: _Job) -> None:
        bucket = job.text("Report/Bucket").partition(":::")[2]
        if job.text("Report/Enabled").lower() != "true" or not job.results:
            return
        prefix = job.text("Report/Prefix").rstrip("/")
        folder = f"{prefix}/job-{job.id}" if prefix else f"job-{job.id}"
        parts = []
        for status in ("succeeded", "failed"):
            rows = [each for each in job.results if each[1] is (status == "succeeded")]
            if not rows:
                continue
            key = f"{folder}/results/{uuid.uuid4().hex}.csv"
            self._s3.put_object(Bucket=bucket, Key=key, Body=_report(rows, status))
            parts.append({"TaskExecutionStatus": status, "Bucket": bucket, "Key": key})
        manifest = {
            "Format": "Report_CSV_20180820",
            "ReportCreationDate": datetime.now(UTC).isoformat(),
            "Results": parts,
            "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, "
            "ResultMessage",
        }
        body = json.dumps(manifest).encode()
        self._s3.put_object(Bucket=bucket, Key=f"{folder}/manifest.json", Body=body)


def _report(rows: Sequence[tuple[Entry, bool, str, str]], status: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for entry, _, code, words in rows:
        # In AWS's own example, the HTTP status comes first.
        failure = "" if status == "succeeded" else code
        writer.writerow([entry.bucket, entry.key, entry.version_id, status, "200", failure, words])
    return text.getvalue().encode()


def _progress_elements(job: _Job) -> list[ElementTree.Element]:
    failed = job.failures
    elements = [
        _element("JobId", job.id),
        _element("Status", job.status),
        _element("CreationTime", job.created.isoformat()),
        _element(
            "ProgressSummary",
            _element("TotalNumberOfTasks", str(job.total)),
            _element("NumberOfTasksSucceeded", str(len(job.results) - failed)),
            _element("NumberOfTasksFailed", str(failed)),
        ),
    ]
    if job.ended is not None:
        elements.append(_element("TerminationDate", job.ended.isoformat()))
    return elements


def _element(name: str, *content: ElementTree.Element | str) -> ElementTree.Element:
    made = ElementTree.Element(name)
    for each in content:
        if isinstance(each, str):
            made.text = each
        else:
            made.append(each)
    return made


def _parse(body: bytes) -> ElementTree.Element:
    """Parse a request, without its namespace."""
    root = ElementTree.fromstring(body)  # noqa: S314 - from this machine's own client
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    return root


class _Handler(BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    protocol_version = "HTTP/1.1"
    jobs: BatchOperations

    def do_GET(self) -> None:
        """Handle DescribeJob and ListJobs."""
        self._respond(b"")

    def do_POST(self) -> None:
        """Handle CreateJob and UpdateJobStatus."""
        self._respond(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _respond(self, body: bytes) -> None:
        found = _JOBS.fullmatch(urlsplit(self.path).path)
        job_id = found["id"] if found else ""
        try:
            if found and found["status"]:
                response = self.jobs.cancel(job_id)
            elif job_id is not None:
                response = self.jobs.describe(job_id)
            else:
                response = (
                    self.jobs.create(body) if self.command == "POST" else self.jobs.list_all()
                )
        except KeyError:
            error = _element("Error", _element("Code", "NoSuchJob"), _element("Message", "No job"))
            self._send(404, _element("ErrorResponse", error))
        except ElementTree.ParseError:
            error = _element("Error", _element("Code", "InvalidRequest"))
            self._send(400, _element("ErrorResponse", error))
        else:
            self._send(200, response)

    def _send(self, status: int, response: ElementTree.Element) -> None:
        response.set("xmlns", _NAMESPACE)
        body = ElementTree.tostring(response)
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def batch_operations(s3: Any, invoke: Invoke, concurrency: int = _CONCURRENCY) -> Iterator[str]:  # noqa: ANN401
    """Run the stand-in during the context.

    Args:
        s3: a boto3 client for S3.
        invoke: see :class:`BatchOperations`.
        concurrency: see :class:`BatchOperations`.

    Yields:
        its URL, for ``AWS_ENDPOINT_URL_S3_CONTROL``.
    """
    jobs = BatchOperations(s3, invoke, concurrency)
    handler = type("Handler", (_Handler,), {"jobs": jobs})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def invoke_by(functions: Any) -> Invoke:  # noqa: ANN401 - botocore makes it of data
    """Return what invokes a function by a Lambda client."""

    def invoke(function: str, event: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        response = functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise RuntimeError(payload.get("errorMessage", payload))
        return payload

    return invoke
