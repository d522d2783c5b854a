"""Submits a job of S3 Batch Operations: fills its manifest, writes it to S3, creates the job."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from frogmove.core.advice import describe
from frogmove.errors import FrogmoveError, RunError, UnreachableError, UsageError
from frogmove.ops.batch_generator import generator_filter
from frogmove.ops.batch_manifest import upload
from frogmove.ops.batch_objects import planned_objects, selected_objects, with_versions
from frogmove.ops.batch_report import failed_objects, job_route, open_report
from frogmove.ops.batch_request import check_request
from frogmove.quoting import in_quotes
from frogmove.s3.boto_errors import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from frogmove.core.run_spec import RunSpec
    from frogmove.ops.batch_jobs import BatchOperations
    from frogmove.ops.batch_manifest import Manifest
    from frogmove.ops.batch_request import JobPlan
    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object

# In the place of the manifest's ETag, which is not known before it is written.
NO_ETAG = "(of the manifest)"


@dataclass(frozen=True, slots=True)
class JobObjects:
    """Which objects a job moves: those of a selection, of a plan, or of failed tasks.

    Attributes:
        spec: the route and the selection.
        plan: the file of a plan.
        failed_of: the id of a job.
        versions: whether exactly the current version of each selected object is moved.
    """

    spec: RunSpec
    plan: Path | None = None
    failed_of: str | None = None
    versions: bool = False


class StoppedError(RunError):
    """The submission was stopped before the job was created."""


@dataclass
class Submission:
    """The submission of a job.

    Attributes:
        objects: which objects it moves.
        job: the job.
        s3: the client that lists the objects.
        client: a boto3 client for the manifest and for reports.
        jobs: where the job is created.
        stop: once set, nothing more is done.
        progress: passes on the objects that are found, and reports their number.
        problems: messages about keys that were not found or could not be read.
    """

    objects: JobObjects
    job: JobPlan
    s3: S3
    client: S3Client
    jobs: BatchOperations
    stop: Event = field(default_factory=Event)
    progress: Callable[[Iterable[S3Object]], Iterable[S3Object]] = iter
    problems: list[str] = field(default_factory=list)

    def generated(self) -> dict[str, Any]:
        """Return the filter by which S3 itself finds the objects.

        Raises:
            UsageError: when that is not possible.
            UnreachableError: when the bucket's versioning cannot be read.
        """
        described = generator_filter(self.objects.spec.selection)
        bucket = self.job.route.source.bucket
        try:
            versioning: Mapping[str, object] = self.client.get_bucket_versioning(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            raise UnreachableError(
                describe(failed("GetBucketVersioning", error), "Nothing was submitted") + "."
            ) from error
        if "Status" in versioning:
            raise UsageError(
                f"S3 would list every version in {bucket}, also old and deleted ones.",
                "Leave out --generate; then frogmove lists the current objects.",
            )
        return described

    def fill(self, manifest: Manifest) -> None:
        """Find the objects.

        Raises:
            FrogmoveError: when they cannot be found; nothing was changed.
        """
        wanted = self.objects
        bucket = self.job.route.source.bucket
        if wanted.plan is not None:
            manifest.add(self.progress(planned_objects(wanted.plan, self.job.route)))
        elif wanted.failed_of is not None:
            self._fill_from_report(manifest, wanted.failed_of)
        else:
            found = selected_objects(self.s3, wanted.spec, self.problems, self.stop)
            if wanted.versions:
                found = with_versions(found, self.s3, bucket)
            manifest.add(self.progress(found))

    def _fill_from_report(self, manifest: Manifest, name: str) -> None:
        earlier = self.jobs.describe(name)
        if job_route(earlier) != self.job.route:
            raise UsageError(
                f"The job {in_quotes(name)} is for {job_route(earlier).source} -> "
                f"{job_route(earlier).destination}, not for this route.",
                "Give the route of the job.",
            )
        with open_report(earlier, self.client) as report:
            items = failed_objects(report)
            first = next(items, None)
            if first is not None:
                manifest.has_versions = first.version_id is not None
                manifest.add([first])
                manifest.add(items)
            unreported = report.unreported()
        if unreported or (earlier.status != "Complete" and not earlier.total):
            self.problems.append(
                f"Not all objects of the job {in_quotes(name)} are in its report: it listed them "
                "itself and did not reach all. Submit its selection again for the others."
            )

    def request(self, manifest: Manifest | None, etag: str = NO_ETAG) -> dict[str, Any]:
        """Return the request that creates the job.

        Raises:
            UsageError: when S3 would refuse it.
        """
        described = self.job.request(manifest.fields if manifest else (), etag)
        model = self.jobs.client.meta.service_model.operation_model("CreateJob")
        check_request(model, {"AccountId": self.jobs.account, **described})
        return described

    def submit(self, manifest: Manifest | None) -> str:
        """Write the manifest, create the job, and return its id.

        Raises:
            StoppedError: when it was stopped; no job was created.
            UnreachableError: when something was refused; no job was created.
            RunError: when it is not known whether the job was created.
        """
        if manifest is None:
            return self.jobs.create(self.request(None))
        # Before anything is written.
        self.request(manifest)
        etag = self._write(manifest)
        try:
            if self.stop.is_set():
                raise StoppedError("Stopped: no job was created.")
            return self.jobs.create(self.request(manifest, etag))
        except FrogmoveError as error:
            # An unclear job may read it.
            if not isinstance(error, RunError) or isinstance(error, StoppedError):
                self._remove()
            raise

    def _write(self, manifest: Manifest) -> str:
        bucket, key = self.job.location.bucket, self.job.manifest_key
        try:
            return upload(self.client, bucket, key, self._until_stopped(manifest))
        except (ClientError, BotoCoreError, S3UploadFailedError, OSError) as error:
            described = describe(failed("PutObject", error), "No job was created")
            raise UnreachableError(
                f"The manifest s3://{bucket}/{key} cannot be written: {described}."
            ) from error

    def _until_stopped(self, manifest: Manifest) -> Iterator[bytes]:
        for line in manifest.lines():
            if self.stop.is_set():
                raise StoppedError("Stopped: no job was created.")
            yield line

    def _remove(self) -> None:
        # It is small, and its name says what it is.
        with suppress(ClientError, BotoCoreError):
            self.client.delete_object(Bucket=self.job.location.bucket, Key=self.job.manifest_key)
