"""``frogmove local``: an AWS of one's own, on this machine, until Ctrl-C."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import suppress

import click

from frogmove.cli import last_resort
from frogmove.cli.options import Count
from frogmove.cli.output import Console
from frogmove.local_aws.environment import EmbeddedAws, embedded_aws
from frogmove.local_aws.stack import connect

_EXAMPLE_KEY = "reports/2026 été+1%.csv"


@click.command()
@click.option(
    "--port", type=Count(1, 65535), help="The port to listen on; a free one if not given."
)
@click.option(
    "--no-trigger",
    is_flag=True,
    help="Do not connect uploads to the Lambda; move them with frogmove move.",
)
def local(port: int | None, no_trigger: bool) -> None:
    """Run a private AWS with both buckets and the Lambda until Ctrl-C.

    Nothing outside this machine is asked, and nothing is left behind.
    """
    console = Console()
    last_resort.begin("What the private AWS was for")
    with suppress(KeyboardInterrupt), embedded_aws(port) as aws:
        if not no_trigger:
            connect(aws.clients, aws.stack)
        for line in _how_to_use(aws, no_trigger):
            console.say(line)
        console.flush()
        aws.server.wait()
    console.note("Stopped; nothing is left behind.")


def _how_to_use(aws: EmbeddedAws, no_trigger: bool) -> Iterator[str]:
    """Tell how another terminal uses this; every line may be pasted into a shell as it is."""
    yield f"# A private AWS is running at {aws.server.endpoint_url}; Ctrl-C stops it."
    yield "# In another terminal:"
    # A profile or a session token of the user's would be mixed with the key below.
    yield "unset AWS_PROFILE AWS_SESSION_TOKEN"
    for name, value in aws.environment().items():
        yield f"export {name}={shlex.quote(value)}"
    yield "# Then, for a start:"
    yield f"#   {_upload_command(aws.stack.config.source_bucket)}"
    if no_trigger:
        yield "#   frogmove ls"
        yield f"#   frogmove move --dry-run {shlex.quote(_EXAMPLE_KEY)}"
        yield f"#   frogmove move {shlex.quote(_EXAMPLE_KEY)}"
    else:
        yield "# The Lambda moves it at once:"
    yield "#   frogmove ls --side destination"


def _upload_command(bucket: str) -> str:
    # JSON's quotes are double ones, so that the shell's single ones need no escapes inside.
    target, key = json.dumps(bucket), json.dumps(_EXAMPLE_KEY, ensure_ascii=False)
    upload = (
        f'import boto3; boto3.client("s3").put_object(Bucket={target}, Key={key}, Body=b"frogs;4")'
    )
    # Not with the aws tool: it may not be installed; boto3 is, wherever frogmove is.
    return shlex.join([sys.executable, "-c", upload])
