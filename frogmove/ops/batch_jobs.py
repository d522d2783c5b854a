"""Creates, describes, lists and cancels jobs of S3 Batch Operations.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from frogmove.errors import RunError, UsageError
from frogmove.ops.aws_request import AwsRequestError, Cause, repeated_page, send
from frogmove.quoting import in_quotes
from frogmove.s3.aws_hosts import is_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from botocore.awsrequest import AWSRequest

    from frogmove.ops.clients import Services

# Of these, S3 starts no further task.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
ENDED = frozenset({"Complete", "Failed", "Cancelled"})

# What a job's description begins with; the list of jobs shows only these.
DESCRIPTION = "frogmove: "

# The name of a job's argument that holds an end of its route.
SOURCE, DESTINATION = "frogmove-source", "frogmove-destination"

_AWS_DOMAIN = re.compile(r"\.(amazonaws|api\.aws|api\.amazonwebservices)\b")
_ACCOUNT = re.compile(r"[0-9]{12}")
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{5,36}")


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job, as S3 describes it.

    Attributes:
        id: its id.
        status: its status, as named by AWS.
        total: the number of its tasks; 0 while it is not known.
        succeeded: how many tasks have succeeded.
        failed: how many have failed.
        reason: why it has this status or failed; may be empty.
        description: its description.
        created: when it was created.
        ended: when it ended; None before that.
        details: everything that S3 says about it; only of one job, not of a list.
    """

    id: str
    status: str
    total: int
    succeeded: int
    failed: int
    reason: str
    description: str
    created: datetime | None
    ended: datetime | None
    details: Mapping[str, Any]

    @property
    def has_ended(self) -> bool:
        """Whether no further task is started, and the report is written."""
        return self.status in ENDED

    @property
    def needs_attention(self) -> bool:
        """Whether a task failed, or the job ended early or waits for somebody."""
        return self.failed > 0 or self.status in {
            # S3 did not say it.
            "",
            "Failed",
            "Failing",
            "Cancelled",
            "Cancelling",
            "Suspended",
            "Paused",
        }

    def record(self) -> dict[str, Any]:
        """Return its JSON record."""
        return {
            "type": "job",
            "id": self.id,
            "status": self.status,
            "tasks": self.total,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "reason": self.reason,
            "description": self.description,
            "created": self.created and self.created.isoformat(),
            "ended": self.ended and self.ended.isoformat(),
        }


def read_status(response: Mapping[str, Any]) -> JobStatus:
    """Read what DescribeJob or ListJobs says about a job."""
    progress = response.get("ProgressSummary") or {}
    failures = [str(each.get("FailureReason", "")) for each in response.get("FailureReasons") or ()]
    reasons = [*failures, response.get("StatusUpdateReason"), response.get("SuspendedCause")]
    return JobStatus(
        str(response.get("JobId", "")),
        str(response.get("Status", "")),
        int(progress.get("TotalNumberOfTasks") or 0),
        int(progress.get("NumberOfTasksSucceeded") or 0),
        int(progress.get("NumberOfTasksFailed") or 0),
        "; ".join(str(each) for each in reasons if each),
        str(response.get("Description") or ""),
        response.get("CreationTime"),
        response.get("TerminationDate"),
        response,
    )


def check_job_id(text: str) -> str:
    """Return a job's id.

    Raises:
        UsageError: when it cannot be one.
    """
    if not _JOB_ID.fullmatch(text):
        raise UsageError(
            f"{text!a} is not the id of a job.", "`frogmove batch status` lists the jobs."
        )
    return text


class BatchOperations:
    """The jobs of an account in a Region.

    Args:
        services: clients for AWS.
        s3_endpoint: the S3 server of the route.

    Raises:
        UsageError: when the AWS settings cannot be used, or the server has no such jobs.
        UnreachableError: when there are no credentials.
    """

    def __init__(self, services: Services, s3_endpoint: str) -> None:
        self.client = services.client("s3control")
        self._services = services
        host = urlsplit(self.client.meta.endpoint_url).hostname or ""
        is_of_aws = _AWS_DOMAIN.search(host) is not None
        if is_of_aws and not is_aws(s3_endpoint):
            raise UsageError(
                f"The server {s3_endpoint} has no S3 Batch Operations.",
                "`frogmove local` prints AWS_ENDPOINT_URL_S3_CONTROL for its own; on another "
                "server, use `frogmove move`.",
            )
        if not is_of_aws:
            self.client.meta.events.register("before-sign.s3-control", _without_account)

    @cached_property
    def account(self) -> str:
        """The account of the credentials.

        Raises:
            AwsRequestError: when it cannot be determined.
        """
        sts = self._services.client("sts")
        return str(send("sts:GetCallerIdentity", sts.get_caller_identity)["Account"])

    def create(self, request: Mapping[str, Any]) -> str:
        """Create a job, and return its id.

        Args:
            request: the parameters of CreateJob without the account.

        Raises:
            AwsRequestError: when it was refused; no job exists.
            RunError: when it is not known whether it was created.
        """
        account = self.account
        try:
            made: str = send(
                "s3:CreateJob",
                lambda: self.client.create_job(AccountId=account, **request)["JobId"],
            )
        except AwsRequestError as error:
            if error.may_have_been_done:
                raise RunError(
                    f"It is not known whether the job was created: {error.message}",
                    "`frogmove batch status` lists the jobs. It is safe to submit it again: "
                    "nothing is moved twice.",
                ) from error
            raise
        return made

    def describe(self, job: str) -> JobStatus:
        """Return a job.

        Raises:
            UsageError: when it does not exist.
            AwsRequestError: when it cannot be read.
        """
        account = self.account
        try:
            response: dict[str, Any] = send(
                "s3:DescribeJob",
                lambda: self.client.describe_job(AccountId=account, JobId=job)["Job"],
            )
        except AwsRequestError as error:
            if error.cause is Cause.MISSING:
                raise UsageError(
                    f"There is no job {in_quotes(job)} in the account {account}.",
                    "`frogmove batch status` lists the jobs of this Region.",
                ) from error
            raise
        return read_status(response)

    def jobs(self) -> Iterator[JobStatus]:
        """Yield frogmove's jobs, newest first.

        Raises:
            AwsRequestError: when they cannot be listed.
        """
        more: dict[str, str] = {}
        while True:
            page = send(
                "s3:ListJobs",
                lambda more=more: self.client.list_jobs(  # type: ignore[misc]
                    AccountId=self.account, **more
                ),
            )
            found = map(read_status, page.get("Jobs", []))
            yield from (each for each in found if each.description.startswith(DESCRIPTION))
            token = page.get("NextToken")
            if not token:
                return
            if token == more.get("NextToken"):
                raise repeated_page("s3:ListJobs")
            more = {"NextToken": token}

    def cancel(self, job: str) -> None:
        """Cancel a job; tasks that have started are finished.

        Raises:
            AwsRequestError: when it was refused.
            RunError: when it is not known whether it was cancelled.
        """
        account = self.account
        try:
            send(
                "s3:UpdateJobStatus",
                lambda: self.client.update_job_status(
                    AccountId=account, JobId=job, RequestedJobStatus="Cancelled"
                ),
            )
        except AwsRequestError as error:
            if error.may_have_been_done:
                raise RunError(
                    f"It is not known whether the job was cancelled: {error.message}",
                    f"frogmove batch status {job}",
                ) from error
            raise


def _without_account(request: AWSRequest, **_other: object) -> None:
    """Send a request to a server under its own name, without the account before it."""
    parts = urlsplit(str(request.url))
    account, _, host = parts.netloc.partition(".")
    if _ACCOUNT.fullmatch(account):
        request.url = urlunsplit(parts._replace(netloc=host))
