"""``frogmove demo``: the main features on a private AWS, with each step checked in the buckets."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from frogmove.cli import crash_handler
from frogmove.cli.output import Console
from frogmove.errors import RunError
from frogmove.local_aws.clients import translate_errors
from frogmove.local_aws.environment import EmbeddedAws, embedded_aws
from frogmove.local_aws.stack import connect

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Objects = dict[str, bytes]

_FROGMOVE = (sys.executable, "-m", "frogmove")
_REPORT = "reports/2026 été+1%.csv"
_LATE_KEY = "uploads/late arrival 🐸.csv"
_SECONDS_FOR_LAMBDA = 20.0
_POLL_SECONDS = 0.05
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Step:
    """One command of the demo and its expected effect.

    Attributes:
        title: a heading that says what the command does.
        arguments: what follows ``frogmove`` on the command line.
        moves: the keys that must be moved to the destination.
        copies_all: whether everything in the source must then also be in the destination.
    """

    title: str
    arguments: tuple[str, ...]
    moves: tuple[str, ...] = ()
    copies_all: bool = False


STEPS = (
    Step("List what was uploaded", ("ls",)),
    Step("Preview a move", ("move", "--prefix", "reports", "--dry-run")),
    Step("Move one file", ("move", _REPORT), moves=(_REPORT,)),
    Step("Preview a sync", ("sync", "--dry-run")),
    Step("Copy everything else", ("sync",), copies_all=True),
)


@click.command()
def demo() -> None:
    """Show listing, moving, syncing and the Lambda on a private AWS.

    Uploads a dozen files, moves and syncs them with commands, lets the Lambda move one more, and
    checks the buckets after every step. It uses no network outside this machine and leaves no
    files.
    """
    console = Console()
    crash_handler.begin("The demo")
    started = time.monotonic()
    console.say("Starting a private AWS: two buckets, a queue and the Lambda.")
    with translate_errors("running the demo"), embedded_aws() as aws:
        demo_run = DemoRun(console, aws)
        demo_run.upload(sample_files())
        for step in STEPS:
            demo_run.run_step(step)
        demo_run.automatic_move()
        demo_run.summary(time.monotonic() - started)


def sample_files() -> Objects:
    """Return the files that are uploaded first, as content by key; some keys are unusual."""
    return {
        _REPORT: "Étang;Grenouilles\nSharara;4\n".encode(),
        "reports/2026-06.csv": b"pond;frogs\nSharara;3\n",
        "reports2/not in reports.csv": b"pond;frogs\n",
        "invoices/0001.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "invoices/\x1b[31mred.pdf": b"%PDF-1.7\n%red\n",
        "photos/🐸 frog.jpg": b"\xff\xd8\xff\xe0 frog \xff\xd9",
        "logs//app.log": b"2026-06-01 ribbit\n",
        "/leading slash.txt": b"the slash is part of the key\n",
        "notes/trailing space ": b"so is the space\n",
        "a&b=c?.txt": b"and so are these\n",
        "[bold]x[/bold].txt": b"not bold\n",
        "flags/empty": b"",
        "backups/sharara.bin": bytes(range(256)) * (3 * _MIB // 256),
    }


class DemoRun:
    """A running demo, with the expected content of each bucket.

    Args:
        console: the output.
        aws: the embedded AWS.
    """

    def __init__(self, console: "Console", aws: EmbeddedAws) -> None:
        self._console = console
        self._aws = aws
        self._environment = _subprocess_environment(aws)
        self._source: Objects = {}
        self._destination: Objects = {}

    def upload(self, files: Mapping[str, bytes]) -> None:
        """Upload files to the source, as FrogTech's partners do.

        Args:
            files: the content of each key.

        Raises:
            RunError: when the source does not hold them afterwards.
        """
        self._put(files)
        self._title(f"{len(files)} files were uploaded to {self._aws.stack.source}")
        self._check("the upload")

    def run_step(self, step: Step) -> None:
        """Run one command and check its effect.

        Args:
            step: the command.

        Raises:
            RunError: when it failed or did not have the expected effect.
        """
        self._title(step.title)
        shown = shlex.join(["frogmove", *step.arguments])
        self._console.say(f"$ {shown}")
        # The subprocess writes to the same terminal or file, but not through our buffer.
        self._console.flush()
        code = subprocess.run(
            [*_FROGMOVE, *step.arguments], env=self._environment, check=False
        ).returncode
        if code != 0:
            raise RunError(f"The demo's step `{shown}` failed with exit code {code}.")
        for key in step.moves:
            self._destination[key] = self._source.pop(key)
        if step.copies_all:
            self._destination |= self._source
        self._check(f"`{shown}`")

    def automatic_move(self) -> None:
        """Connect the Lambda, upload one more file, and wait until the Lambda has moved it.

        Raises:
            RunError: when it did not arrive in time, or with other content.
        """
        connect(self._aws.clients, self._aws.stack)
        self._title("Let the Lambda move new uploads")
        self._console.say(f"Uploading to {self._aws.stack.source}: {_LATE_KEY}")
        self._console.flush()
        uploaded = time.monotonic()
        self._put({_LATE_KEY: b"pond;frogs\nSharara;5\n"})
        self._destination[_LATE_KEY] = self._source.pop(_LATE_KEY)
        self._wait_for_keys()
        seconds = time.monotonic() - uploaded
        self._check("the move by the Lambda", self._aws.server.log_tail())
        self._console.say(f"The Lambda moved it within {seconds:.1f} s of the upload.")

    def summary(self, seconds: float) -> None:
        """Print the final content of both buckets.

        Args:
            seconds: how long the demo took.
        """
        moved = self._destination.keys() - self._source.keys()
        total = len(self._destination)
        self._title("Result")
        say = self._console.say
        say(f"{self._aws.stack.source}: {len(self._source)} files, each also copied by sync")
        say(f"{self._aws.stack.destination}: {total} files, {len(moved)} of them moved")
        say(f"All {total} files were verified byte for byte, in {seconds:.1f} s.")
        say("To try it yourself: frogmove local")

    def _title(self, text: str) -> None:
        self._console.say("")
        self._console.say(f"== {text}")

    def _put(self, files: Mapping[str, bytes]) -> None:
        for key, body in files.items():
            self._aws.clients.s3.put_object(
                Bucket=self._aws.stack.config.source_bucket, Key=key, Body=body
            )
        self._source |= files

    def _check(self, step: str, remedy: str = "") -> None:
        """Compare the content of both buckets with the expected content, byte for byte."""
        stack_config = self._aws.stack.config
        for bucket, expected in (
            (stack_config.source_bucket, self._source),
            (stack_config.destination_bucket, self._destination),
        ):
            difference = _difference(expected, read_bucket(self._aws.clients.s3, bucket))
            if difference:
                raise RunError(
                    f"The demo's step {step} did not have the expected effect: s3://{bucket} "
                    f"{difference}.",
                    remedy,
                )
        self._console.say(
            f"(checked: {len(self._source)} files in the source, "
            f"{len(self._destination)} in the destination, every byte as uploaded)"
        )

    def _wait_for_keys(self) -> None:
        """Wait until the buckets hold the expected keys, or until the time is up."""
        stack_config = self._aws.stack.config
        s3 = self._aws.clients.s3
        deadline = time.monotonic() + _SECONDS_FOR_LAMBDA
        while time.monotonic() < deadline:
            if (
                list_keys(s3, stack_config.source_bucket) == self._source.keys()
                and list_keys(s3, stack_config.destination_bucket) == self._destination.keys()
            ):
                return
            time.sleep(_POLL_SECONDS)


def list_keys(s3: "S3Client", bucket: str) -> set[str]:
    """Return all keys of a small bucket.

    Args:
        s3: the client.
        bucket: its name.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"] for page in pages for entry in page.get("Contents", ())}


def read_bucket(s3: "S3Client", bucket: str) -> Objects:
    """Return the content of a small bucket, by key.

    Args:
        s3: the client.
        bucket: its name.
    """
    return {
        key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in list_keys(s3, bucket)
    }


def _difference(expected: Objects, found: Objects) -> str:
    """Describe the difference; empty if there is none."""
    wrong = {
        "lacks": expected.keys() - found.keys(),
        "still or wrongly holds": found.keys() - expected.keys(),
        "holds other bytes in": {
            key for key in expected.keys() & found.keys() if expected[key] != found[key]
        },
    }
    return "; it ".join(
        f"{what} {', '.join(repr(key) for key in sorted(keys))}"
        for what, keys in wrong.items()
        if keys
    )


def _subprocess_environment(aws: EmbeddedAws) -> dict[str, str]:
    """Return the environment without the user's own AWS and frogmove settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "FROGMOVE_"))
    }
    return (
        kept
        | aws.environment()
        | {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
    )
