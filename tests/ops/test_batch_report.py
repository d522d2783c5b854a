"""Completion reports of S3 Batch Operations, in every form in which they may come."""

from __future__ import annotations

import csv
import io
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from frogmove.core.models import Outcome
from frogmove.errors import RunError, UnreachableError, UsageError
from frogmove.ops import batch_manifest
from frogmove.ops.batch_jobs import DESTINATION, SOURCE, JobStatus, read_status
from frogmove.ops.batch_manifest import Manifest
from frogmove.ops.batch_report import JobReport, job_route, open_report, read_message
from frogmove.ops.batch_submission import JobObjects, Submission
from frogmove.s3.models import S3Object
from tests.keys import KEYS

if TYPE_CHECKING:
    from tests.buckets import Buckets


# The rows of AWS's own example, whose columns are not in the order that it names.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
TIMED_OUT = (
    'Lambda returned function error: {"errorMessage":"2019-04-05T17:35:21.155Z '
    '2845ca0d-38d9-4c4b-abcf-379dc749c452 Task timed out after 3.00 seconds"}'
)


@dataclass
class ReportFixture:
    """A bucket with the manifest and the report of a job."""

    buckets: Buckets
    name: str = "12345678-job"

    def put(self, key: str, body: bytes) -> None:
        self.buckets.client.put_object(Bucket=self.buckets.destination, Key=key, Body=body)

    def manifest(self, *lines: str, fields: tuple[str, ...] = ("Bucket", "Key")) -> dict[str, Any]:
        self.put("batch/manifest.csv", "".join(f"{line}\n" for line in lines).encode())
        arn = f"arn:aws:s3:::{self.buckets.destination}/batch/manifest.csv"
        spec = {"Format": "S3BatchOperations_CSV_20180820", "Fields": list(fields)}
        return {"Manifest": {"Spec": spec, "Location": {"ObjectArn": arn, "ETag": "e"}}}

    def report(self, *rows: tuple[str, ...]) -> None:
        """Write a report; of each row the key, the version, the status and the message."""
        text = io.StringIO()
        for key, version, status, message in rows:
            codes = ("200", "" if status == "succeeded" else "PermanentFailure")
            csv.writer(text).writerow(["external", key, version, status, *codes, message])
        self.put("batch/results.csv", text.getvalue().encode())
        part = {"TaskExecutionStatus": "failed", "Bucket": "any", "Key": "batch/results.csv"}
        manifest = json.dumps({"Format": "Report_CSV_20180820", "Results": [part]})
        self.put(f"batch/job-{self.name}/manifest.json", manifest.encode())

    def job(self, **more: Any) -> JobStatus:
        ends = {SOURCE: "s3://external/in/", DESTINATION: "s3://internal/out/"}
        return read_status(
            {
                "JobId": self.name,
                "Status": "Complete",
                "CreationTime": datetime(2026, 11, 28, tzinfo=UTC),
                "TerminationDate": datetime(2026, 11, 28, 0, 1, tzinfo=UTC),
                "ProgressSummary": {"NumberOfTasksSucceeded": 1},
                "Operation": {"LambdaInvoke": {"UserArguments": ends}},
                "Report": {
                    "Bucket": f"arn:aws:s3:::{self.buckets.destination}",
                    "Enabled": True,
                    "Prefix": "batch",
                },
                **more,
            }
        )

    def outcomes(self, **more: Any) -> dict[str, Outcome]:
        with open_report(self.job(**more), self.buckets.client) as report:
            return {each.key: each.outcome for each in report.results()}


@pytest.fixture
def reports(ministack_buckets: Buckets) -> ReportFixture:
    return ReportFixture(ministack_buckets, f"{uuid.uuid4().hex[:8]}-job")


@pytest.mark.parametrize("is_encoded", [True, False])
def test_report_finds_each_key_however_it_is_written(
    reports: ReportFixture, *, is_encoded: bool
) -> None:
    keys = [f"in/{key}" for key in [*KEYS.values(), "a b", "a%20b", "a%2520b"]]
    manifest = reports.manifest(*(f"external,{quote(key)}" for key in keys))
    rows = [(quote(key) if is_encoded else key, "", "succeeded", "moved") for key in keys]
    # Of these three, one failed.
    failed = rows.pop()[0]
    reports.report(*rows, (failed, "", "failed", "failed: access denied"))
    expected = dict.fromkeys(keys, Outcome.MOVED) | {keys[-1]: Outcome.FAILED}
    assert reports.outcomes(**manifest) == expected


def test_object_without_a_task_has_failed(reports: ReportFixture) -> None:
    manifest = reports.manifest("external,in/a", "external,in/b")
    reports.report(("in/a", "", "succeeded", "gone: no longer at the source"))
    with open_report(reports.job(**manifest), reports.buckets.client) as report:
        one, other = report.results()
        end = report.end()
    assert (one.outcome, one.reason) == (Outcome.GONE, "no longer at the source")
    assert (other.outcome, "not in the job's report" in other.reason) == (Outcome.FAILED, True)
    assert (end["seconds"], end["interrupted"]) == (60.0, False)


def test_size_etag_and_version_come_from_our_manifest(reports: ReportFixture) -> None:
    fields = ("Bucket", "Key", "VersionId", "Ignore", "Ignore")
    manifest = reports.manifest("external,in/a,v1,5,abc", "external,in/a,v2,6,def", fields=fields)
    reports.report(
        ("in/a", "v1", "failed", "conflict: newer"), ("in/a", "v2", "succeeded", "moved")
    )
    with open_report(reports.job(**manifest), reports.buckets.client) as report:
        first, second = report.results()
        assert report.end()["bytes"] == 6
        (record, _) = report.of_type("result")
    assert (first.version_id, first.size, first.etag, first.outcome) == (
        *("v1", 5, "abc"),
        Outcome.CONFLICT,
    )
    assert (second.version_id, second.outcome) == ("v2", Outcome.MOVED)
    assert record["destination_key"] == "out/a"


def test_manifest_that_was_generated_is_not_needed(reports: ReportFixture) -> None:
    reports.report(("in/a%20b", "", "succeeded", "moved"), ("in/c", "", "failed", TIMED_OUT))
    assert reports.outcomes() == {"in/a b": Outcome.MOVED, "in/c": Outcome.FAILED}
    # Nothing but the number of tasks says that the report is not complete.
    job = reports.job(ProgressSummary={"TotalNumberOfTasks": 3, "NumberOfTasksSucceeded": 2})
    with open_report(job, reports.buckets.client) as report:
        assert report.unreported() == 1


@pytest.mark.parametrize(
    ("tasks", "status", "is_complete"),
    [(1, "Complete", True), (2, "Complete", False), (0, "Failed", False)],
)
def test_retry_says_that_a_report_does_not_name_all_objects(
    reports: ReportFixture, tasks: int, status: str, *, is_complete: bool
) -> None:
    if tasks:
        reports.report(("in/a", "", "failed", "failed: access denied"))
    job = reports.job(Status=status, ProgressSummary={"TotalNumberOfTasks": tasks})
    jobs: Any = SimpleNamespace(describe=lambda _name: job)
    plan: Any = SimpleNamespace(route=job_route(job))
    unused: Any = None
    wanted = JobObjects(unused, failed_of=job.id)
    submission = Submission(wanted, plan, unused, reports.buckets.client, jobs)
    with batch_manifest.open_manifest("external", has_versions=False) as manifest:
        submission.fill(manifest)
        assert manifest.count == min(tasks, 1)
    assert (submission.problems == []) is is_complete


@pytest.mark.parametrize(
    ("status", "message", "outcome", "reason"),
    [
        ("succeeded", "moved", Outcome.MOVED, ""),
        ("succeeded", "waiting", Outcome.WAITING, ""),
        ("failed", "failed: n\\x1bo, \\xe9\\u20ac", Outcome.FAILED, "n\x1bo, é€"),
        ("failed", "superseded: replaced", Outcome.SUPERSEDED, "replaced"),
        ("failed", "conflict: it\\'s other", Outcome.CONFLICT, "it's other"),
        # Cut in the middle of an escape.
        ("failed", "failed: no \\u20", Outcome.FAILED, "no \\u20"),
        ("failed", TIMED_OUT, Outcome.FAILED, "Task timed out after 3.00 seconds"),
        # What contradicts itself is not a success.
        ("failed", "moved", Outcome.FAILED, "the job's report says failed: moved"),
        ("succeeded", "failed: x", Outcome.FAILED, "the job's report says succeeded"),
        ("succeeded", "", Outcome.FAILED, "no reason given"),
    ],
)
def test_read_message_takes_the_words_of_the_function(
    status: str, message: str, outcome: Outcome, reason: str
) -> None:
    found, why = read_message(status, message)
    assert found is outcome
    assert reason in why if reason else why == ""


def test_report_that_is_missing_or_has_an_unknown_format_is_refused(reports: ReportFixture) -> None:
    manifest = reports.manifest("external,in/a")
    with pytest.raises(UnreachableError, match=r"manifest\.json cannot be read"):
        reports.outcomes(**manifest)
    # Without a single success, S3 may write none.
    nothing = {"ProgressSummary": {}, "Status": "Failed"}
    assert reports.outcomes(**manifest, **nothing) == {"in/a": Outcome.FAILED}
    reports.put(f"batch/job-{reports.name}/manifest.json", b"<html>")
    with pytest.raises(RunError, match="is not the manifest of a report"):
        reports.outcomes(**manifest)
    reports.report(("in/a", "", "succeeded", "moved"))
    reports.put("batch/results.csv", b"external,in/a\n")
    with pytest.raises(RunError, match="has an unknown format"):
        reports.outcomes(**manifest)
    reports.put("batch/results.csv", b"x" * 200_000)
    with pytest.raises(RunError, match="cannot be read: field larger"):
        reports.outcomes(**manifest)
    reports.put(f"batch/job-{reports.name}/manifest.json", b"[" * 100_000)
    with pytest.raises(RunError, match="is not the manifest of a report"):
        reports.outcomes(**manifest)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Operation": {}}, "was not submitted by frogmove"),
        ({"Status": "Active"}, "has not ended"),
        ({"Report": {"Enabled": False}}, "without a report"),
    ],
)
def test_jobs_without_a_report_are_refused(
    reports: ReportFixture, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        reports.outcomes(**more)


def test_report_is_read_twice_without_being_kept_in_memory(reports: ReportFixture) -> None:
    manifest = reports.manifest(*(f"external,in/{number}" for number in range(2000)))
    reports.report(*((f"in/{number}", "", "succeeded", "moved") for number in range(2000)))
    with open_report(reports.job(**manifest), reports.buckets.client) as report:
        assert isinstance(report, JobReport)
        assert report.end()["counts"]["moved"] == 2000
        assert sum(1 for _ in report.results()) == 2000


def test_manifest_is_written_in_parts(
    ministack_buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_manifest, "_PART_SIZE", 5 << 20)
    lines = (b"external,%07d,%s\n" % (number, b"x" * 1000) for number in range(12_000))
    etag = batch_manifest.upload(
        ministack_buckets.client, ministack_buckets.destination, "manifest", lines
    )
    head = ministack_buckets.client.head_object(
        Bucket=ministack_buckets.destination, Key="manifest"
    )
    assert (head["ETag"].strip('"'), head["ContentLength"]) == (etag, 12_000 * 1018)
    assert etag.endswith("-3")


def test_manifest_is_sorted_by_time_and_has_versions_for_all() -> None:
    manifest = Manifest("external")
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 2)]
    manifest.add(S3Object(f"k+ {t.day}", t.day, "e", t) for t in times)
    assert list(manifest.lines()) == [
        b"external,k%2B%201,1,e\n",
        b"external,k%2B%202,2,e\n",
        b"external,k%2B%203,3,e\n",
    ]
    assert (manifest.count, manifest.bytes) == (3, 6)
    named = Manifest("external", has_versions=True)
    with pytest.raises(UsageError, match="Only some"):
        named.add(
            [S3Object("a", 1, "e", times[0], version_id="v"), S3Object("b", 1, "e", times[0])]
        )
