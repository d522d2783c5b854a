"""The operator's face of frogmove: parse, call, show, exit.

This package names the commands; each is imported when it is called, so that ``--help`` and
completion stay quick.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import click

from frogmove import __version__
from frogmove.cli import exit_codes, last_resort, signals
from frogmove.cli.lazy_group import LazyCommand, LazyGroup
from frogmove.errors import FrogmoveError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each with its line in the help, the first sentence of its own, and where it is.
COMMANDS = (
    LazyCommand("ls", "List keys with their size and time (UTC).", "frogmove.cli.ls:ls"),
    LazyCommand("list", "List keys with their size and time (UTC).", "frogmove.cli.ls:ls"),
    LazyCommand(
        "move", "Move keys from a route's source to its destination.", "frogmove.cli.move:move"
    ),
    LazyCommand(
        "copy", "Copy keys from a route's source to its destination.", "frogmove.cli.move:copy"
    ),
    LazyCommand(
        "sync",
        "Copy to a route's destination what it lacks or holds differently.",
        "frogmove.cli.sync:sync",
    ),
    LazyCommand(
        "runs", "List the runs that left a journal, the newest last.", "frogmove.cli.history:runs"
    ),
    LazyCommand("report", "Show what a run did, object by object.", "frogmove.cli.history:report"),
    LazyCommand(
        "resume", "Finish a run that was interrupted or failed.", "frogmove.cli.history:resume"
    ),
    LazyCommand(
        "undo",
        "Move the objects of a run back to where they came from.",
        "frogmove.cli.history:undo",
    ),
    LazyCommand(
        "local",
        "Run a private AWS with both buckets and the Lambda, until Ctrl-C.",
        "frogmove.cli.local:local",
    ),
    LazyCommand(
        "demo",
        "Show the whole mission on a private AWS, in a few seconds.",
        "frogmove.cli.demo:demo",
    ),
    LazyGroup(
        "lambda",
        help="Package the Lambda, and call it.",
        commands=[
            LazyCommand(
                "package",
                "Build the zips that the Lambda is deployed from.",
                "frogmove.cli.lambda_package:package",
            ),
            LazyCommand(
                "invoke", "Call the deployed function.", "frogmove.cli.lambda_invoke:invoke"
            ),
        ],
    ),
)


class Cli(LazyGroup):
    """The group of all commands; turns errors into a sentence and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,  # noqa: ANN401 - Click's own signature
    ) -> Any:  # noqa: ANN401
        """Run a command line and exit; see :meth:`click.Command.main`."""
        command = functools.partial(
            super().main, args, prog_name, complete_var, standalone_mode=False, **extra
        )
        if not standalone_mode:
            return command()
        last_resort.take_over()
        sys.exit(last_resort.exit_code(command))

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; see :meth:`click.Group.invoke`."""
        try:
            with signals.listening():
                return super().invoke(ctx)
        except FrogmoveError as error:
            # Commands that fail have it already; --help does not need it.
            from frogmove.cli.output import Console

            Console().error(error.message, error.remedy)
            ctx.exit(exit_codes.of_error(error))
        except OSError as error:
            # Click takes EPIPE for a reader that has gone, and says nothing: it may be any pipe.
            ctx.exit(last_resort.explain(error))
        except KeyboardInterrupt:
            ctx.exit(exit_codes.INTERRUPTED)


@click.group(cls=Cli, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="frogmove %(version)s")
def main() -> None:
    """Move keys between two S3 buckets and never lose one.

    A route is a source and a destination, each s3://bucket/prefix. Give it with --source and
    --destination, with FROGMOVE_SOURCE and FROGMOVE_DESTINATION, or as a --route of the
    configuration file.

    \b
    Exit codes: 0 all done; 1 something failed, conflicted or differed;
    2 refused before anything was touched; 130 interrupted.
    """
