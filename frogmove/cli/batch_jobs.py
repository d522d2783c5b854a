"""``frogmove batch status``, ``report`` and ``cancel``: jobs of S3 Batch Operations."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING

import click

from frogmove.boto_session import make_boto_client
from frogmove.cli import crash_handler, exit_codes, options, report_options, streams
from frogmove.cli.confirmation import ask_to_continue, can_ask
from frogmove.cli.output import Console
from frogmove.cli.quantities import objects
from frogmove.cli.report_formats import RENDERERS
from frogmove.cli.report_rows import ALL, ATTENTION, Report
from frogmove.cli.review_options import yes_option
from frogmove.cli.signals import interruptible
from frogmove.config import Config, config_file, resolve
from frogmove.core.models import Outcome
from frogmove.errors import RunError, UnreachableError, UsageError
from frogmove.ops.batch_jobs import BatchOperations, check_job_id
from frogmove.ops.batch_report import open_report
from frogmove.ops.clients import Services
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from frogmove.cli.signals import Stop
    from frogmove.ops.batch_jobs import JobStatus

# Seconds between two requests for a job's status: first, and at most.
FIRST_POLL_SECONDS = 0.5
MAX_POLL_SECONDS = 10.0

_OPTIONS = [
    options.route,
    options.profile,
    options.region,
    options.endpoint_url("S3"),
]


def _jobs_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for a connection; the command gets ``jobs`` and ``s3``."""

    @functools.wraps(command)
    def wrapper(
        *,
        route: str | None,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        **own: object,
    ) -> None:
        flags = Config(profile=profile, region=region, endpoint_url=endpoint_url)
        config = resolve(flags, route, os.environ, config_file(os.environ))
        s3 = make_boto_client(config, 2)
        jobs = BatchOperations(Services(config.profile, config.region), s3.meta.endpoint_url)
        command(jobs=jobs, s3=s3, **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


@click.command()
@click.argument("job", required=False)
@click.option("--follow", is_flag=True, help="Print changes until the job has ended.")
@_jobs_options
@options.output
@click.pass_context
def status(
    ctx: click.Context,
    jobs: BatchOperations,
    s3: S3Client,
    job: str | None,
    follow: bool,
    output: str,
) -> None:
    """Show a job of S3 Batch Operations, or list the jobs.

    The exit code is 1 if a task failed, or if the job failed, was cancelled or is suspended. Ctrl-C
    ends only the display, not the job.

    \b
    Examples:
      frogmove batch status
      frogmove batch status 3fa85f64-5717-4562-b3fc-2c963f66afa6 --follow
    """
    console = Console(json_lines=output == "json")
    if job is None:
        if follow:
            raise UsageError("--follow needs a JOB.")
        found = 0
        for each in jobs.jobs():
            _show(each, console)
            found += 1
        if not found:
            console.note("frogmove has submitted no jobs in this account and Region.")
        return
    name = check_job_id(job)
    with interruptible(console) as stop:
        stop.stop_message = (
            f"Stopped; the job continues. To cancel it: frogmove batch cancel {name}"
        )
        described = _follow(jobs, name, console, stop) if follow else jobs.describe(name)
        if not follow:
            _show(described, console)
        if stop.is_set():
            ctx.exit(exit_codes.INTERRUPTED)
    if described.has_ended:
        console.note(f"For the result of each object: frogmove batch report {name}")
    ctx.exit(exit_codes.ATTENTION if described.needs_attention else exit_codes.DONE)


def _follow(jobs: BatchOperations, name: str, console: Console, stop: Stop) -> JobStatus:
    """Print each change of a job until it has ended or the command was stopped."""
    seconds = FIRST_POLL_SECONDS
    described = jobs.describe(name)
    _show(described, console)
    while not (described.has_ended or stop.wait(seconds)):
        seconds = min(seconds * 1.5, MAX_POLL_SECONDS)
        now = jobs.describe(name)
        if (now.status, now.succeeded, now.failed) != (
            described.status,
            described.succeeded,
            described.failed,
        ):
            _show(now, console)
            console.flush()
        described = now
    return described


def _show(job: JobStatus, console: Console) -> None:
    if console.json_lines:
        console.record(job.record())
        return
    done = job.succeeded + job.failed
    share = f", {done / job.total:.0%}" if job.total else ""
    failed = f", {job.failed:,} failed" if job.failed else ""
    reason = f" ({job.reason})" if job.reason else ""
    created = f"{job.created:%Y-%m-%d %H:%M:%S}  " if job.created else ""
    tasks = f"{done:,} of {objects(job.total)}{share}{failed}"
    console.say(f"{job.id}  {created}{job.status:<10}  {tasks}{reason}  {job.description}")


class _JobReport(Report):
    """A report of a job instead of a run."""

    def command(self) -> str:
        """Return the command that prints it."""
        return f"frogmove batch report {self.reader.spec.id}"

    def next_commands(self) -> list[tuple[str, str]]:
        """Return the possible next commands with their purposes."""
        if not self.counts()[Outcome.FAILED]:
            return []
        again = f"frogmove batch submit --retry-failed {self.reader.spec.id}"
        return [("To retry the failures", again)]


@click.command()
@click.argument("job")
@report_options.report_format
@report_options.outcomes
@_jobs_options
@click.pass_context
def report(
    ctx: click.Context,
    jobs: BatchOperations,
    s3: S3Client,
    job: str,
    output: str,
    outcomes: tuple[str, ...],
) -> None:
    """Show what became of each object of a job of S3 Batch Operations.

    The job's own report is compared with its manifest: an object that is not in the report has
    failed. The exit code is 1 if anything failed or conflicted.

    \b
    Examples:
      frogmove batch report 3fa85f64-5717-4562-b3fc-2c963f66afa6 --outcome failed
    """
    described = jobs.describe(check_job_id(job))
    with open_report(described, s3) as found:
        shown = _JobReport(found, frozenset(outcomes) or ALL)
        for text in RENDERERS[output](shown):
            streams.check()
            sys.stdout.write(text)
        counts = shown.counts()
        unreported = found.unreported()
    if unreported:
        Console().warn(
            f"The results of {objects(unreported)} are not in the job's report. `frogmove batch "
            "submit` with the job's selection moves those that are still at the source."
        )
    needs_attention = any(counts[each] for each in ATTENTION) or described.needs_attention
    needs_attention = needs_attention or unreported > 0 or described.status != "Complete"
    ctx.exit(exit_codes.ATTENTION if needs_attention else exit_codes.DONE)


@click.command()
@click.argument("job")
@yes_option("the job is cancelled")
@_jobs_options
@options.output
@click.pass_context
def cancel(
    ctx: click.Context,
    jobs: BatchOperations,
    s3: S3Client,
    job: str,
    yes: bool,
    output: str,
) -> None:
    """Cancel a job of S3 Batch Operations.

    Tasks that have started are finished, and what was moved stays moved.

    \b
    Examples:
      frogmove batch cancel 3fa85f64-5717-4562-b3fc-2c963f66afa6
    """
    console = Console(json_lines=output == "json")
    described = jobs.describe(check_job_id(job))
    if described.has_ended:
        raise UsageError(
            f"The job {in_quotes(described.id)} has ended: it is {described.status}.",
            f"For the result of each object: frogmove batch report {described.id}",
        )
    if not yes and can_ask():
        _show(described, console)
        if not ask_to_continue():
            console.warn("Nothing was changed.")
            ctx.exit(exit_codes.REFUSED)
    crash_handler.begin("The cancellation")
    jobs.cancel(described.id)
    try:
        now = jobs.describe(described.id)
    except UnreachableError as error:
        raise RunError(
            f"The job was cancelled, but its status cannot be read: {error.message}", error.remedy
        ) from error
    _show(now, console)
