"""Somebody who types commands, and what came of them."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

import frogmove
from frogmove.cli import main
from frogmove.run_store import journals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.buckets import Buckets

# Where `python -m frogmove` finds the package that is tested.
ROOT = Path(frogmove.__file__).parents[1]
COMMAND = [sys.executable, "-m", "frogmove"]


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON lines it printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the JSON lines of one type."""
        return [record for record in self.records if record["type"] == kind]

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each key of a run in JSON lines."""
        return {record["key"]: record["outcome"] for record in self.of("result")}

    @property
    def summary(self) -> dict[str, Any]:
        """The one summary of a run in JSON lines, which comes last."""
        (summary,) = self.of("summary")
        assert self.records[-1] == summary
        return summary


@dataclass(frozen=True, slots=True)
class FrogmoveRunner:
    """Runs frogmove in this process, on one route.

    Attributes:
        buckets: the ends of the route.
        prefixes: of the two ends.
    """

    buckets: Buckets
    prefixes: tuple[str, str] = ("", "")

    def __call__(self, *arguments: str, **environment: str | None) -> Ran:
        """Run a command on the route.

        Args:
            arguments: the command and its arguments.
            environment: variables to be set otherwise, or None for not at all.
        """
        return run(*arguments, environment=self.environment() | environment)

    def environment(self) -> dict[str, str | None]:
        """Return the variables that name the route and the server."""
        source, destination = self.prefixes
        return {
            **self.buckets.server.environment(),
            "FROGMOVE_SOURCE": f"s3://{self.buckets.source}/{source}",
            "FROGMOVE_DESTINATION": f"s3://{self.buckets.destination}/{destination}",
        }

    def process(
        self, *arguments: str, within: Sequence[str] = (), **more: Any
    ) -> subprocess.Popen[bytes]:
        """Start a command as a process of its own, or within what another command makes."""
        environment = self.full_environment(**more.pop("env", {}))
        return subprocess.Popen([*within, *COMMAND, *arguments], cwd=ROOT, env=environment, **more)

    def full_environment(self, **other: str | None) -> dict[str, str]:
        """Return all variables of a process, some of them set otherwise."""
        environment = {**os.environ, **self.environment(), **other}
        return {name: value for name, value in environment.items() if value is not None}


def run(*arguments: str, environment: dict[str, str | None] | None = None) -> Ran:
    """Run a command in this process; no error may get past it."""
    thresholds = gc.get_threshold()
    try:
        result = CliRunner().invoke(main, arguments, env=environment, catch_exceptions=False)
    finally:
        # A command freezes what it has at its start, since its process is to end with it. Here it
        # would be kept for ever, with the connections of earlier commands.
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    return Ran(result.exit_code, result.stdout, result.stderr)


def last_id() -> str:
    """Return the id of the run whose journal was begun last."""
    return journals()[-1].stem


def arguments(verb: str, options: str) -> list[str]:
    """Return a command and its options, which are given as in a shell without quotes."""
    return [verb, *options.split()]
