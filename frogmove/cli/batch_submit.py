"""``frogmove batch submit``: lets S3 Batch Operations call the function for many objects."""

from __future__ import annotations

import functools
import json
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frogmove.boto_session import make_boto_client
from frogmove.cli import crash_handler, exit_codes
from frogmove.cli.confirmation import (
    MAX_UNCONFIRMED,
    ask_to_continue,
    can_ask,
    moves_everything,
)
from frogmove.cli.function_options import DEFAULT
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import dry_run, route_options
from frogmove.cli.parameter_types import Count, NonEmptyText
from frogmove.cli.progress import LINE_SECONDS
from frogmove.cli.quantities import objects, size
from frogmove.cli.review_options import yes_option
from frogmove.cli.run_description import nothing_selected
from frogmove.cli.runner import connect, key_list_of
from frogmove.cli.selection_options import batch_selection_options
from frogmove.cli.signals import interruptible
from frogmove.core.run_spec import Command
from frogmove.core.selection_options import read_filters
from frogmove.errors import UsageError
from frogmove.ops.batch_function import find_function
from frogmove.ops.batch_jobs import BatchOperations, check_job_id
from frogmove.ops.batch_manifest import open_manifest
from frogmove.ops.batch_request import JobPlan
from frogmove.ops.batch_submission import JobObjects, StoppedError, Submission
from frogmove.ops.clients import Services
from frogmove.ops.deployment import Deployment
from frogmove.run_config import new_spec, select_for
from frogmove.s3.uri import Location, parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from frogmove.cli.output import Console
    from frogmove.config import Config
    from frogmove.core.models import Route
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.ops.batch_manifest import Manifest
    from frogmove.s3.models import S3Object

# As in the Terraform module.
_FOLDER = "frogmove-batch/"

# Objects after which the clock is read.
_CHECKED = 1000

# How many keys that do not exist are named.
_MAX_NAMED = 3


@dataclass(frozen=True)
class JobOptions:
    """How a job is submitted.

    Attributes:
        from_plan: the plan whose objects are moved instead of a selection.
        retry_failed: the job whose failed tasks are repeated instead of a selection.
        versions: whether exactly the current version of each object is moved.
        generate: whether S3 lists the objects.
        dry_run: whether the job is only shown.
        yes: whether it begins without a question.
        function: the function, if given.
        role_arn: the role of the job, if given.
        batch_location: where the manifest and the report are, if given.
        priority: its priority.
    """

    from_plan: Path | None
    retry_failed: str | None
    versions: bool
    generate: bool
    dry_run: bool
    yes: bool
    function: str | None
    role_arn: str | None
    batch_location: str | None
    priority: int

    def objects(
        self, config: Config, keys: tuple[str, ...], chosen: SelectionOptions
    ) -> JobObjects:
        """Return which objects are moved.

        Raises:
            UsageError: when the options contradict each other, or nothing is selected.
        """
        # The function checks its own tags.
        spec = replace(new_spec(Command.MOVE, config), require_tag=None)
        if self.from_plan is None and self.retry_failed is None:
            spec = select_for(spec, keys, chosen)
            if self.generate and self.versions:
                raise UsageError("--generate cannot be combined with --versions.")
            return JobObjects(spec, versions=self.versions)
        named = [chosen.get(name) for name in ("prefix", "everything", "from_file", "version_id")]
        filters = read_filters(chosen, datetime.fromisoformat(spec.started)).record()
        others = (keys, filters, self.versions, self.generate)
        if (self.from_plan and self.retry_failed) or any(named) or any(others):
            raise UsageError("Give only one of a selection, --from-plan and --retry-failed.")
        failed_of = None if self.retry_failed is None else check_job_id(self.retry_failed)
        return JobObjects(spec, self.from_plan, failed_of)


_OPTIONS = [
    click.option(
        "--from-plan",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The objects that a plan of `frogmove move --plan` moves.",
    ),
    click.option("--retry-failed", metavar="JOB", help="The objects that failed in this job."),
    click.option(
        "--versions",
        is_flag=True,
        help="Move exactly the version of each object that is current now.",
    ),
    click.option(
        "--generate",
        is_flag=True,
        help="Let S3 itself list the objects, by folder, time and size.",
    ),
    dry_run,
    yes_option("a job for everything, for over 1,000 objects, or with --generate"),
    click.option("--function", type=NonEmptyText(), help="The function's name or ARN."),
    click.option(
        "--role-arn",
        envvar="FROGMOVE_BATCH_ROLE",
        type=NonEmptyText(),
        metavar="ARN",
        help="The role of the job; by default the Terraform module's.",
    ),
    click.option(
        "--batch-location",
        envvar="FROGMOVE_BATCH_LOCATION",
        type=NonEmptyText(),
        metavar="URI",
        help="For manifest and report; by default frogmove-batch/ in the destination bucket.",
    ),
    click.option(
        "--priority",
        type=Count(0, 2**31 - 1),
        default=10,
        show_default=True,
        help="Jobs with a higher number run first.",
    ),
]


def _job_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a submission; the command gets them as ``options``."""

    @functools.wraps(command)
    def wrapper(**given: object) -> None:
        own = {name: given.pop(name) for name in JobOptions.__dataclass_fields__}
        command(options=JobOptions(**own), **given)  # type: ignore[arg-type]

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


@click.command(cls=GroupedCommand)
@batch_selection_options
@_job_options
@route_options
@click.pass_context
def submit(
    ctx: click.Context,
    config: Config,
    console: Console,
    keys: tuple[str, ...],
    chosen: SelectionOptions,
    allow_empty: bool,
    options: JobOptions,
) -> None:
    """Let S3 Batch Operations call the deployed function for many objects.

    The objects are listed, or read from a plan, and written to a manifest, oldest first. S3 then
    calls the function for each, many at once. The function moves an object as it is at that moment,
    with the function's own settings. A job costs $0.25, and $1.00 per million objects.

    \b
    Examples:
      frogmove batch submit --prefix reports --dry-run
      frogmove batch submit --all --older-than 1d
      frogmove batch submit --from-plan reports.plan
      frogmove batch submit --retry-failed 3fa85f64-5717-4562-b3fc-2c963f66afa6
    """
    wanted = options.objects(config, keys, chosen)
    services = Services(config.profile, config.region)
    spec, route = wanted.spec, wanted.spec.route()
    with key_list_of(spec), connect(config, spec.limits(), console) as client:
        jobs = BatchOperations(services, client.endpoint_url)
        target = find_function(Deployment(options.function or config.function or DEFAULT, services))
        target.check_route(route)
        role = options.role_arn or target.role_arn()
        location = _location(options.batch_location, route)
        job = JobPlan(
            spec.id, route, target.arn, role, location, target.partition, options.priority
        )
        s3 = make_boto_client(config, 4)
        submission = Submission(wanted, job, client.s3, s3, jobs)
        has_versions = options.versions or spec.selection.version_id is not None
        if options.generate:
            submission.job = replace(job, generator=submission.generated())
            ctx.exit(_submit(submission, None, options, console))
        with open_manifest(route.source.bucket, has_versions=has_versions) as manifest:
            submission.progress = functools.partial(_counted, console=console)
            submission.fill(manifest)
            code = _warn_of_missing(submission, console)
            if not manifest.count:
                console.warn(_nothing(wanted) if not code else "Nothing was submitted.")
                is_fine = allow_empty or wanted.failed_of is not None
                ctx.exit(code or (exit_codes.DONE if is_fine else exit_codes.ATTENTION))
            ctx.exit(_submit(submission, manifest, options, console) or code)


def _location(uri: str | None, route: Route) -> Location:
    """Return where the manifest and the report are.

    Raises:
        UsageError: when it is not valid, or inside the source, whose objects are moved.
    """
    found = parse_location(uri or f"s3://{route.destination.bucket}/{_FOLDER}")
    if found.overlaps(route.source):
        raise UsageError(
            f"The manifest cannot be at {found}: objects of the source are moved.",
            "Choose another --batch-location.",
        )
    return found


def _counted(found: Iterable[S3Object], console: Console) -> Iterator[S3Object]:
    """Pass on the objects, and print their number from time to time."""
    due = time.monotonic() + LINE_SECONDS
    for count, each in enumerate(found, start=1):
        if count % _CHECKED == 0 and time.monotonic() > due:
            due = time.monotonic() + LINE_SECONDS
            console.note(f"{objects(count)} found so far ...")
        yield each


def _nothing(wanted: JobObjects) -> str:
    """Say that there is nothing to submit."""
    if wanted.failed_of is not None:
        return f"No object of the job {wanted.failed_of} failed: nothing was submitted."
    if wanted.plan is not None:
        return "The plan moves nothing: nothing was submitted."
    return nothing_selected(wanted.spec)


def _warn_of_missing(submission: Submission, console: Console) -> int:
    """Warn of keys that are not in the manifest; return the exit code."""
    problems = submission.problems
    for problem in problems[:_MAX_NAMED]:
        console.warn(problem)
    if len(problems) > _MAX_NAMED:
        console.warn(f"The same applies to {objects(len(problems) - _MAX_NAMED)} more.")
    return exit_codes.ATTENTION if problems else exit_codes.DONE


def _is_large(wanted: JobObjects, manifest: Manifest | None) -> bool:
    """Tell whether a job is one to ask for, as for a run of ``frogmove move``."""
    if manifest is None or manifest.count > MAX_UNCONFIRMED:
        return True
    return wanted.plan is None and wanted.failed_of is None and moves_everything(wanted.spec)


def _submit(
    submission: Submission, manifest: Manifest | None, options: JobOptions, console: Console
) -> int:
    """Show or create the job, and return the exit code."""
    job = submission.job
    what = "The objects that S3 finds"
    if manifest is not None:
        what = f"{objects(manifest.count)} ({size(manifest.bytes)})"
    console.note(
        f"{what}: {job.route.source} -> {job.route.destination} by {job.function_arn}, "
        f"in account {submission.jobs.account}"
    )
    if options.dry_run:
        indent = None if console.json_lines else 2
        shown = json.dumps(submission.request(manifest), indent=indent, default=str)
        for line in shown.splitlines():
            console.say(line)
        return exit_codes.DONE
    must_ask = not options.yes and can_ask() and _is_large(submission.objects, manifest)
    if must_ask and not ask_to_continue():
        console.warn("Nothing was changed.")
        return exit_codes.REFUSED
    crash_handler.begin("The submission")
    with interruptible(console) as stop:
        stop.stop_message = "Stopping: if the job is created already, its id is printed."
        stop.end_message = (
            f"Stopped immediately. A manifest may be left at {job.location}, and `frogmove batch "
            "status` shows whether the job was created."
        )
        submission.stop = stop
        try:
            name = submission.submit(manifest)
        except StoppedError as stopped:
            console.warn(stopped.message)
            return exit_codes.INTERRUPTED
    if console.json_lines:
        count = None if manifest is None else manifest.count
        console.record({"type": "submitted", "job": name, "objects": count})
    else:
        console.say(name)
    console.note(f"To follow it: frogmove batch status {name} --follow")
    return exit_codes.DONE
