"""Jobs of S3 Batch Operations on the stand-in: each object of a manifest is accounted for."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.cli import batch_submit
from frogmove.local_aws import batch_operations as local_batch_operations
from frogmove.local_aws.batch_operations import batch_operations
from frogmove.local_aws.stack import Stack, StackConfig, build_stack
from frogmove.ops import batch_manifest, batch_submission
from frogmove.packaging.function_zip import build_package
from tests.canned_server import canned_server, error
from tests.cli.cli_runner import run
from tests.keys import KEYS
from tests.ops.job_fixture import JobFixture, job_fixture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server

# Where powertools prints metrics.
EMF = "aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch"


@pytest.fixture(scope="session")
def shared_stack(clients: Clients) -> Stack:
    """A stack of which each test has a folder."""
    unique = uuid.uuid4().hex[:12]
    config = StackConfig(f"external-{unique}", f"internal-{unique}", f"frogmove-{unique}")
    return build_stack(clients, build_package(), config)


@pytest.fixture
def jobs(
    server: Server, clients: Clients, shared_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> Iterator[JobFixture]:
    """Jobs of a folder."""
    made = job_fixture(server, clients, shared_stack, f"{uuid.uuid4().hex[:12]}/")
    yield from with_stand_in(made, server, monkeypatch)


@pytest.fixture
def own_jobs(
    server: Server, clients: Clients, stack_config: StackConfig, monkeypatch: pytest.MonkeyPatch
) -> Iterator[JobFixture]:
    """Jobs of two whole buckets."""
    made = job_fixture(server, clients, build_stack(clients, build_package(), stack_config), "")
    yield from with_stand_in(made, server, monkeypatch)


def with_stand_in(
    made: JobFixture, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[JobFixture]:
    monkeypatch.setattr("frogmove.cli.batch_jobs.FIRST_POLL_SECONDS", 0.02)
    monkeypatch.setattr("frogmove.cli.batch_jobs.MAX_POLL_SECONDS", 0.1)
    # The handler's lines would be among those of a command that runs at the same time.
    monkeypatch.setattr("frogmove.function.telemetry._Output.emit", lambda *_: None)
    monkeypatch.setattr(f"{EMF}.print", lambda *_: None, raising=False)
    for name, value in server.client_environment().items():
        monkeypatch.setenv(name, value)
    with batch_operations(made.clients.s3, made.invoke, concurrency=1) as url:
        made.environment["AWS_ENDPOINT_URL_S3_CONTROL"] = url
        yield made
        made.held.set()


def accounted(jobs: JobFixture, count: int) -> None:
    """Run a job of many objects, of which some fail; its report tells the truth of each."""
    plain = [f"reports/{number:05}.csv" for number in range(count)]
    hostile = [key for key in KEYS.values() if not key.startswith("/")]
    jobs.put(*plain, *hostile)
    conflicts, broken, shaky = plain[::50], plain[1::50], plain[2::50]
    jobs.put(*conflicts, bucket=jobs.destination, body=b"something else")
    jobs.broken, jobs.shaky = set(broken), set(shaky)
    job = jobs.finished("--all", "--yes")

    shown = jobs.report(job)
    assert shown.code == 1
    expected = dict.fromkeys([*plain, *hostile], "moved")
    expected |= dict.fromkeys(conflicts, "conflict") | dict.fromkeys(broken, "failed")
    assert shown.outcomes == expected
    reasons = {record["key"]: record["reason"] for record in shown.of("result")}
    assert "the destination holds" in reasons[conflicts[0]].lower()
    assert "Task timed out after 3.00 seconds" in reasons[broken[0]]
    assert "`frogmove trace`" in reasons[broken[0]]
    (end,) = shown.of("end")
    assert end["counts"]["moved"] == len(expected) - len(conflicts) - len(broken)
    moved = [key for key, outcome in expected.items() if outcome == "moved"]
    assert end["bytes"] == sum(len(key.encode()) for key in moved)
    # As the report says: no byte is lost, and what is in doubt was moved after all.
    assert jobs.keys(jobs.source) == set(conflicts)
    assert jobs.keys(jobs.destination) == set(expected)

    jobs.broken = set()
    again = jobs.finished("--retry-failed", job)
    repeated = jobs.report(again)
    assert (repeated.code, repeated.outcomes) == (0, dict.fromkeys(broken, "gone"))
    nothing = jobs("submit", "--retry-failed", again)
    assert (nothing.code, nothing.out, "failed: nothing" in nothing.err) == (0, "", True)


def test_report_accounts_for_each_of_200_objects(own_jobs: JobFixture) -> None:
    accounted(own_jobs, 200)


@pytest.mark.long
def test_report_accounts_for_each_of_5000_objects(own_jobs: JobFixture) -> None:
    accounted(own_jobs, 5000)


def one_job(jobs: JobFixture, *arguments: str) -> dict[str, Any]:
    """Return the request that a dry run shows, and check that nothing was done."""
    shown = jobs("submit", *arguments, "--dry-run", "-o", "json")
    assert shown.code == 0, shown.err
    assert (jobs.written(), jobs("status").out) == ([], "")
    (request,) = shown.records
    return dict(request)


def test_dry_run_prints_the_job_and_submits_nothing(jobs: JobFixture) -> None:
    jobs.put("a", "b")
    request = one_job(jobs, "--all")
    name, account = jobs.stack.config.name, jobs.stack.function_arn.split(":")[4]
    assert request["Operation"]["LambdaInvoke"]["FunctionArn"] == jobs.stack.function_arn
    assert request["RoleArn"] == f"arn:aws:iam::{account}:role/{name}-us-east-1-batch"
    manifest = request["Manifest"]
    assert manifest["Spec"]["Fields"] == ["Bucket", "Key", "Ignore", "Ignore"]
    assert manifest["Location"]["ObjectArn"].startswith(
        f"arn:aws:s3:::{jobs.destination}/frogmove-batch/{jobs.prefix}"
    )
    assert request["Report"]["ReportScope"] == "AllTasks"
    assert jobs.keys(jobs.source) == {"a", "b"}


def test_job_moves_exactly_the_current_version(own_jobs: JobFixture) -> None:
    own_jobs.clients.s3.put_bucket_versioning(
        Bucket=own_jobs.source, VersioningConfiguration={"Status": "Enabled"}
    )
    versions = [
        own_jobs.clients.s3.put_object(Bucket=own_jobs.source, Key="a b+", Body=body)["VersionId"]
        for body in (b"first", b"second")
    ]
    job = own_jobs.finished("a b+", "--versions")
    assert [row[1:3] for row in own_jobs.manifest()] == [["a%20b%2B", versions[1]]]
    shown = own_jobs.report(job)
    (result,) = shown.of("result")
    assert (result["key"], result["version_id"]) == ("a b+", versions[1])
    assert (shown.code, result["outcome"]) == (0, "moved"), result
    there = own_jobs.clients.s3.get_object(Bucket=own_jobs.destination, Key="a b+")["Body"].read()
    left = own_jobs.clients.s3.list_object_versions(Bucket=own_jobs.source)["Versions"]
    assert (there, [each["VersionId"] for each in left]) == (b"second", versions[:1])

    refused = own_jobs("submit", "--all", "--generate")
    assert (refused.code, "every version" in refused.err) == (2, True)


def test_bucket_without_versions_has_none_to_name(jobs: JobFixture) -> None:
    jobs.put("a")
    refused = jobs("submit", "--all", "--versions")
    assert (refused.code, "has no version" in refused.err, jobs.written()) == (2, True, [])


def test_report_is_inert_in_every_format(jobs: JobFixture) -> None:
    jobs.put("=a\x1b[31m'b\n$(id).csv", "<script>")
    job = jobs.finished("--all")
    for output in ("text", "csv", "html"):
        shown = jobs("report", job, "-o", output)
        assert (shown.code, "\x1b" in shown.out, '<script>"' in shown.out) == (0, False, False)
        assert shown.out.count("moved") >= 2
    assert jobs("report", job, "--outcome", "failed").out.count("moved  ") == 0


def test_job_takes_the_oldest_objects_first(jobs: JobFixture) -> None:
    for key in ("z", "m", "a"):
        jobs.put(key)
    jobs.finished("--all")
    assert [row[1].removeprefix(jobs.prefix) for row in jobs.manifest()] == ["z", "m", "a"]


def test_plan_is_moved_as_it_was_reviewed(jobs: JobFixture, tmp_path: Path) -> None:
    jobs.put("in/a", "in/b", "other")
    plan = str(tmp_path / "a.plan")
    made = run("move", "--prefix", "in", "--plan", plan, environment=jobs.environment)
    assert made.code == 0
    job = jobs.finished("--from-plan", plan)
    assert jobs.outcomes(job) == {"in/a": "moved", "in/b": "moved"}
    assert jobs.keys(jobs.source) == {"other"}


def test_plan_with_other_keys_is_refused(jobs: JobFixture, tmp_path: Path) -> None:
    jobs.put("a")
    plan = str(tmp_path / "a.plan")
    run("move", "a", "--to-prefix", "2026", "--plan", plan, environment=jobs.environment)
    refused = jobs("submit", "--from-plan", plan)
    assert (refused.code, refused.out) == (2, "")
    assert "the function keeps them" in refused.err.replace("\n", " ")


def test_manifest_is_generated_by_s3_if_the_selection_allows_it(jobs: JobFixture) -> None:
    arguments = ("--prefix", "in/", "--min-size", "10", "--max-size", "20", "--generate")
    request = one_job(jobs, *arguments, "--newer-than", "2026-01-01", "--storage-class", "STANDARD")
    generator = request["ManifestGenerator"]["S3JobManifestGenerator"]
    assert "Manifest" not in request
    assert generator["SourceBucket"] == f"arn:aws:s3:::{jobs.source}"
    assert generator["Filter"] == {
        "KeyNameConstraint": {"MatchAnyPrefix": [f"{jobs.prefix}in/"]},
        "CreatedAfter": "2025-12-31 23:59:59.999000+00:00",
        "ObjectSizeGreaterThanBytes": 9,
        "ObjectSizeLessThanBytes": 21,
        "MatchAnyStorageClass": ["STANDARD"],
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--prefix", "in", "--generate"], "also selects the key of that name"),
        (["--include", "*.csv", "--generate"], "it has patterns"),
        (["a", "--generate"], "it selects keys"),
        (["--all", "--generate", "--versions"], "cannot be combined"),
        (["--all", "--storage-class", "SLOW", "--generate"], "is 'SLOW', not one of STANDARD"),
        (["--all", "--role-arn", "somebody"], "S3 would refuse the job: RoleArn 'somebody'"),
        (["--all", "--batch-location", "s3://SOURCEjobs"], "objects of the source are moved"),
        (["--all", "--destination", "s3://other"], "not from"),
        (["--all", "--function", "not-there"], "There is no function"),
        (["--all", "--retry-failed", "12345"], "Give only one of"),
        (["--retry-failed", "/"], "is not the id of a job"),
        (["--retry-failed", "not-there"], "There is no job"),
        ([], "Nothing is selected"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_submit_refuses_what_s3_or_the_function_would_refuse(
    jobs: JobFixture, arguments: list[str], words: str
) -> None:
    jobs.put("a")
    given = [each.replace("SOURCE", f"{jobs.source}/{jobs.prefix}") for each in arguments]
    refused = jobs("submit", *given)
    assert (refused.code, refused.out) == (2, "")
    assert words in " ".join(refused.err.split())
    assert jobs.written() == []


def test_keys_that_do_not_exist_are_named_and_the_others_submitted(
    jobs: JobFixture, tmp_path: Path
) -> None:
    jobs.put("a")
    (tmp_path / "keys").write_text("a\nnot there\n")
    submitted = jobs("submit", "--from-file", str(tmp_path / "keys"))
    assert submitted.code == 1
    assert f"'{jobs.prefix}not there': the key does not exist at the source" in submitted.err
    job = submitted.out.strip()
    jobs("status", job, "--follow")
    assert jobs.outcomes(job) == {"a": "moved"}


def test_job_that_is_cancelled_says_what_it_did_not_do(jobs: JobFixture) -> None:
    jobs.put("a", "b", "c")
    jobs.held.clear()
    job = jobs("submit", "--all").out.strip()
    assert jobs.called.wait(30)
    assert "Active" in jobs("status", job).out
    refused = jobs("report", job)
    assert (refused.code, "has not ended" in refused.err) == (2, True)
    assert jobs("cancel", job).code == 0
    jobs.held.set()
    assert jobs("status", job, "--follow").code == 1
    shown = jobs.report(job)
    assert shown.code == 1
    outcomes = jobs.outcomes(job)
    assert set(outcomes) == {"a", "b", "c"}
    # The oldest is first, and the fixture puts all at once.
    left = {key for key in outcomes if outcomes[key] == "failed"}
    assert left
    assert jobs.keys(jobs.source) == left
    reasons = {each["key"]: each["reason"] for each in shown.of("result")}
    assert all("not in the job's report" in reasons[jobs.prefix + key] for key in left)
    again = jobs("cancel", job)
    assert (again.code, "has ended" in again.err) == (2, True)


def test_job_that_fails_says_why_and_what_it_did_not_do(
    jobs: JobFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 ends a job if more than half of its first thousand tasks fail."""
    monkeypatch.setattr(local_batch_operations, "_TASKS_BEFORE_FAILURE", 4)
    keys = [f"{number}" for number in range(6)]
    jobs.put(*keys)
    jobs.put(*keys, bucket=jobs.destination, body=b"something else")
    job = jobs.finished("--all")
    reported = jobs("status", job)
    assert (reported.code, "Failed" in reported.out, "failure threshold" in reported.out) == (
        1,
        True,
        True,
    )
    outcomes = list(jobs.outcomes(job).values())
    assert (outcomes.count("conflict"), outcomes.count("failed")) == (4, 2)
    assert jobs.keys(jobs.source) == set(keys)


def test_job_that_is_refused_leaves_nothing(jobs: JobFixture) -> None:
    jobs.put("a")
    with canned_server(
        (403, error("AccessDenied", "not authorized to perform: iam:PassRole"))
    ) as s3:
        refused = jobs("submit", "--all", AWS_ENDPOINT_URL_S3_CONTROL=s3.endpoint_url)
    assert (refused.code, refused.out, jobs.written()) == (2, "", [])
    assert "iam:PassRole" in refused.err
    assert "s3:CreateJob" in refused.err


def test_job_that_may_exist_is_reported_and_keeps_its_manifest(jobs: JobFixture) -> None:
    jobs.put("a")
    with canned_server((500, error("InternalError"))) as s3:
        unclear = jobs("submit", "--all", AWS_ENDPOINT_URL_S3_CONTROL=s3.endpoint_url)
        # Each attempt is the same request to S3.
        assert len(s3.requests) > 1
    assert (unclear.code, unclear.out, len(jobs.written())) == (1, "", 1)
    assert "It is not known whether the job was created" in " ".join(unclear.err.split())


def test_job_for_everything_is_asked_for(
    jobs: JobFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobs.put("a", "b")
    monkeypatch.setattr(batch_submit, "can_ask", lambda: True)
    monkeypatch.setattr(batch_submit, "ask_to_continue", lambda: False)
    refused = jobs("submit", "--all")
    assert (refused.code, refused.out, jobs.written()) == (2, "", [])
    assert "Nothing was changed." in refused.err
    plan = str(tmp_path / "plan")
    assert run("move", "--all", "--plan", plan, environment=jobs.environment).code == 0
    for chosen in (["--all", "--yes"], ["--include", "a"], ["--from-plan", plan]):
        assert jobs("submit", *chosen).code == 0


def test_submission_that_is_stopped_creates_no_job(
    jobs: JobFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Ctrl-C while the manifest is written."""
    jobs.put("a")
    write = batch_manifest.upload

    def stopped(client: Any, bucket: str, key: str, lines: Any) -> str:
        etag = write(client, bucket, key, lines)
        submissions[0].stop.set()
        return etag

    submissions: list[Any] = []
    submit = batch_submission.Submission.submit

    def remembered(self: Any, manifest: Any) -> str:
        submissions.append(self)
        return submit(self, manifest)

    monkeypatch.setattr(batch_submission, "upload", stopped)
    monkeypatch.setattr(batch_submission.Submission, "submit", remembered)
    ran = jobs("submit", "--all")
    assert (ran.code, ran.out, jobs.written()) == (130, "", [])
    assert "no job was created" in ran.err
    assert jobs("status").out == ""


def test_server_without_jobs_is_reported(jobs: JobFixture) -> None:
    jobs.put("a")
    for command in (["submit", "--all"], ["status"], ["cancel", "12345678"]):
        refused = jobs(*command, AWS_ENDPOINT_URL_S3_CONTROL=None, AWS_ENDPOINT_URL=None)
        assert (refused.code, refused.out) == (2, "")
        assert "has no S3 Batch Operations" in refused.err
    # The embedded AWS itself has none.
    missing = jobs("status", AWS_ENDPOINT_URL_S3_CONTROL=None)
    assert (missing.code, missing.out) == (2, "")
    assert "s3:ListJobs" in missing.err
