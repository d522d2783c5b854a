"""The programs that are measured: frogmove and its peers.

Each gets the options that make it fastest at the work, as far as its manual says.
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from frogmove import __version__
from frogmove.s3.models import MAX_OBJECT_SIZE
from tests.benchmarks.requests import REGION

if TYPE_CHECKING:
    from tests.benchmarks.servers import Server

ROOT = Path(__file__).parents[2]

# The names of the programs here.
FROGMOVE = "frogmove"
S5CMD = "s5cmd"
RCLONE = "rclone"
AWS = "aws v1"
RCLONE_CHECK = "rclone, then check"

Verb = Literal["move", "copy", "list", "sync", "--help", "--version"]


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and a prefix, which ends in a slash."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True)
class Tool:
    """A program.

    Attributes:
        name: as people know it.
        program: the words that start it.
        version: its version.
        is_slow: whether it gets one round only, and a fifth of the small objects.
    """

    name: str
    program: tuple[str, ...]
    version: str
    is_slow: bool = False

    def command(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        """Return the command for some work.

        Args:
            verb: what to do. ``copy`` is to an empty place, ``sync`` to one that has it all.
            server: where.
            source: where from.
            destination: where to.
        """
        if verb in {"--help", "--version"}:
            return [*self.program, verb]
        return [*self.program, *self._words(verb, server, source, destination)]

    def environment(self, server: Server, folder: Path) -> dict[str, str]:
        """Return the variables that lead it to the server, and whatever it writes to a folder."""
        return {
            "AWS_ACCESS_KEY_ID": server.access_key,
            "AWS_SECRET_ACCESS_KEY": server.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def in_parts_above(self, size: int) -> Tool:
        """Return it as it copies objects of more bytes in parts, where it can be told so."""
        del size
        return self

    def _words(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        raise NotImplementedError


class Interpreter(Tool):
    """Python, doing nothing: what a program in Python cannot start quicker than."""

    def command(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        """See :class:`Tool`."""
        del verb, server, source, destination
        return [*self.program, "-c", ""]


@dataclass(frozen=True)
class Frogmove(Tool):
    """frogmove, from this checkout.

    Attributes:
        options: more of its options.
    """

    options: tuple[str, ...] = field(default=())

    def environment(self, server: Server, folder: Path) -> dict[str, str]:
        """See :class:`Tool`."""
        return {
            **super().environment(server, folder),
            "PYTHONPATH": str(ROOT),
            "FROGMOVE_ENDPOINT_URL": server.endpoint_url,
            "FROGMOVE_STATE": str(folder / "state"),
            "FROGMOVE_CONFIG": os.devnull,
        }

    def in_parts_above(self, size: int) -> Tool:
        """See :class:`Tool`."""
        # Nothing else proves a copy in parts on SeaweedFS than to read it.
        options = ("--multipart-threshold", str(size), "--max-compare-size", str(MAX_OBJECT_SIZE))
        return replace(self, options=options)

    def _words(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        if verb == "list":
            return ["ls", str(source)]
        what = ["move", "--all"] if verb == "move" else ["sync"]
        ends = ["--source", str(source), "--destination", str(destination)]
        return [*what, "--quiet", *ends, *self.options]


def _at_once(server: Server) -> str:
    """Return how many requests at once make s5cmd fastest, of 256, 384 and 512.

    rclone gets as many.
    """
    return "384" if server.latency else "256"


class S5cmd(Tool):
    """s5cmd, with as many workers as make it fastest."""

    def command(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        """See :class:`Tool`."""
        command = super().command(verb, server, source, destination)
        return [*self.program, "version"] if verb == "--version" else command

    def _words(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        words = ["--endpoint-url", server.endpoint_url, "--numworkers", _at_once(server)]
        if verb == "list":
            return [*words, "ls", f"{source}*"]
        name = {"move": "mv", "copy": "cp"}.get(verb, verb)
        return [*words, "--log", "error", name, f"{source}*", str(destination)]


class Rclone(Tool):
    """rclone, with as many transfers and checkers at once as s5cmd has workers."""

    def environment(self, server: Server, folder: Path) -> dict[str, str]:
        """See :class:`Tool`."""
        return {
            **super().environment(server, folder),
            "RCLONE_CONFIG": os.devnull,
            "RCLONE_S3_PROVIDER": "Other",
            "RCLONE_S3_ENV_AUTH": "true",
            "RCLONE_S3_ENDPOINT": server.endpoint_url,
            "RCLONE_S3_NO_CHECK_BUCKET": "true",
        }

    def _words(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        start, end = (f":s3:{place.bucket}/{place.prefix}" for place in (source, destination))
        if verb == "list":
            return ["ls", "--fast-list", start]
        # --checksum: neither reads nor writes times, which are a HEAD each.
        at_once = ["--transfers", _at_once(server), "--checkers", _at_once(server)]
        many = [*at_once, "--fast-list", "--checksum"]
        return ["move" if verb == "move" else "copy", *many, start, end]


class CheckedRclone(Rclone):
    """rclone as it copies, and then reads both sides and compares them."""

    def command(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        """See :class:`Tool`."""
        copy = super().command(verb, server, source, destination)
        check = [*self.program, "check", "--download", *copy[-2:]]
        return ["sh", "-c", f"{shlex.join(copy)} && {shlex.join(check)}"]


class Aws(Tool):
    """The AWS CLI, with more requests at once than its default of 10."""

    def environment(self, server: Server, folder: Path) -> dict[str, str]:
        """See :class:`Tool`."""
        config = "[default]\ns3 =\n  max_concurrent_requests = 50\n  max_queue_size = 10000\n"
        (folder / "config").write_text(config)
        return {**super().environment(server, folder), "AWS_ENDPOINT_URL": server.endpoint_url}

    def _words(self, verb: Verb, server: Server, source: Place, destination: Place) -> list[str]:
        if verb == "list":
            return ["s3", "ls", "--recursive", str(source)]
        words = {"move": ["mv", "--recursive"], "copy": ["cp", "--recursive"], "sync": ["sync"]}
        return ["s3", *words[verb], "--only-show-errors", str(source), str(destination)]


def interpreter() -> Tool:
    """Return the interpreter that frogmove runs on."""
    return Interpreter("python -c ''", (sys.executable,), platform.python_version())


def frogmove() -> Tool:
    """Return frogmove with its defaults."""
    return Frogmove(FROGMOVE, (sys.executable, "-m", "frogmove"), __version__)
