"""``frogmove local``: a private AWS on this machine, until Ctrl-C."""

import json
import shlex
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from frogmove.cli import crash_handler
from frogmove.cli.output import Console
from frogmove.cli.parameter_types import Count
from frogmove.local_aws.environment import EmbeddedAws, embedded_aws
from frogmove.local_aws.scanner import TEST_THREAT, Scanner
from frogmove.local_aws.stack import connect

_EXAMPLE_KEY = "reports/2026 été+1%.csv"
_QUARANTINE = "frogtech-sharara-quarantine"


@click.command()
@click.option("--port", type=Count(1, 65535), help="The port to listen on; by default a free one.")
@click.option(
    "--no-trigger",
    is_flag=True,
    help="Do not let uploads trigger the Lambda; move them with frogmove move.",
)
@click.option(
    "--scan",
    is_flag=True,
    help="Move only uploads that a scan finds clean, as with GuardDuty, and infected ones to a "
    "quarantine.",
)
def local(port: int | None, no_trigger: bool, scan: bool) -> None:
    """Run a private AWS with both buckets and the Lambda until Ctrl-C.

    It uses no network outside this machine and leaves no files.
    """
    quarantine = _QUARANTINE if scan else None
    console = Console()
    crash_handler.begin("The private AWS")
    with suppress(KeyboardInterrupt), embedded_aws(port, quarantine_bucket=quarantine) as aws:
        if not no_trigger:
            connect(aws.clients, aws.stack)
        if scan:
            Scanner(aws.clients, aws.stack, reports=not no_trigger).start()
        for line in _how_to_use(aws, no_trigger):
            console.say(line)
        console.flush()
        aws.server.wait(aws.interrupted)
    console.note("Stopped. All its data was removed.")


def _how_to_use(aws: EmbeddedAws, no_trigger: bool) -> Iterator[str]:
    """Return instructions for another terminal; each line can be pasted into a shell."""
    yield f"# A private AWS is running at {aws.server.endpoint_url}; Ctrl-C stops it."
    yield "# In another terminal:"
    # The user's own profile or session token would be combined with the key below.
    yield "unset AWS_PROFILE AWS_SESSION_TOKEN"
    scripts = sysconfig.get_path("scripts")
    if Path(scripts, "frogmove").exists():
        yield f'export PATH={shlex.quote(scripts)}:"$PATH"'
    for name, value in aws.environment().items():
        yield f"export {name}={shlex.quote(value)}"
    if not no_trigger:
        yield f"export FROGMOVE_FUNCTION={shlex.quote(aws.stack.config.name)}"
    yield "# Then try:"
    yield f"#   {_upload_command(aws.stack.config.source_bucket)}"
    if aws.stack.scan_queue_url:
        yield f"# A file that contains {TEST_THREAT.decode()} is found infected:"
        yield f"#   frogmove ls s3://{_QUARANTINE}"
    if no_trigger:
        yield "#   frogmove ls"
        yield f"#   frogmove move --dry-run {shlex.quote(_EXAMPLE_KEY)}"
        yield f"#   frogmove move {shlex.quote(_EXAMPLE_KEY)}"
    else:
        yield "# The Lambda moves it immediately (start with --no-trigger to move it yourself):"
    yield "#   frogmove ls --side destination"


def _upload_command(bucket: str) -> str:
    # JSON uses double quotes, so the shell's single quotes need no escapes.
    target, key = json.dumps(bucket), json.dumps(_EXAMPLE_KEY, ensure_ascii=False)
    upload = (
        f'import boto3; boto3.client("s3").put_object(Bucket={target}, Key={key}, Body=b"frogs;4")'
    )
    # With boto3, which is always installed with frogmove; the AWS CLI may not be.
    return shlex.join([sys.executable, "-c", upload])
