"""The command line: parse the arguments, call the library, show the results, exit.

This module lists the commands. Each is imported when it is called, so that ``--help`` and
completion start fast.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from frogmove import __version__
from frogmove.cli import crash_handler, exit_codes, signals
from frogmove.cli.lazy_group import LazyCommand, LazyGroup
from frogmove.errors import FrogmoveError
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each with its line in the help (the first sentence of its docstring) and its module.
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
        "Copy objects that are missing or different at a route's destination.",
        "frogmove.cli.sync:sync",
    ),
    LazyCommand(
        "plan",
        "Show a plan that --plan FILE wrote: totals, largest, oldest, conflicts.",
        "frogmove.cli.plan_file:plan",
    ),
    LazyCommand(
        "apply",
        "Do exactly what a plan that --plan FILE wrote says.",
        "frogmove.cli.plan_file:apply",
    ),
    LazyCommand(
        "verify", "Compare both sides of a route, or check a run.", "frogmove.cli.verify:verify"
    ),
    LazyCommand(
        "runs", "List the runs that have a journal, newest last.", "frogmove.cli.history:runs"
    ),
    LazyCommand(
        "report", "Show the result of a run for each object.", "frogmove.cli.history:report"
    ),
    LazyCommand(
        "resume", "Finish a run that was interrupted or failed.", "frogmove.cli.history:resume"
    ),
    LazyCommand(
        "undo",
        "Move the objects of a run back to the source.",
        "frogmove.cli.history:undo",
    ),
    LazyCommand(
        "status",
        "Show the state of a route and of the function that moves its uploads.",
        "frogmove.cli.status:status",
    ),
    LazyCommand(
        "doctor",
        "Examine everything that a route depends on, and say what to do for each fault.",
        "frogmove.cli.doctor:doctor",
    ),
    LazyCommand(
        "local",
        "Run a private AWS with both buckets and the Lambda until Ctrl-C.",
        "frogmove.cli.local:local",
    ),
    LazyCommand(
        "demo",
        "Show listing, moving, syncing and the Lambda on a private AWS.",
        "frogmove.cli.demo:demo",
    ),
    LazyCommand(
        "trace",
        "Tell what happened to a key, and where its bytes are now.",
        "frogmove.cli.trace:trace",
    ),
    LazyGroup(
        "dlq",
        help="List, redrive and drop the messages that failed too often.",
        commands=[
            LazyCommand(
                "ls",
                "List messages: why they failed, and where their objects are.",
                "frogmove.cli.dlq:ls",
            ),
            LazyCommand(
                "show",
                "Show one message: its text, its keys, and the log about them.",
                "frogmove.cli.dlq:show",
            ),
            LazyCommand(
                "redrive",
                "Send messages back to the queue, after their cause was fixed.",
                "frogmove.cli.dlq_redrive:redrive",
            ),
            LazyCommand(
                "drop",
                "Delete messages, after copying them to a file.",
                "frogmove.cli.dlq_redrive:drop",
            ),
        ],
    ),
    LazyGroup(
        "batch",
        help="Let S3 Batch Operations call the Lambda for many objects.",
        commands=[
            LazyCommand(
                "submit",
                "Let S3 Batch Operations call the deployed function for many objects.",
                "frogmove.cli.batch_submit:submit",
            ),
            LazyCommand(
                "status",
                "Show a job of S3 Batch Operations, or list the jobs.",
                "frogmove.cli.batch_jobs:status",
            ),
            LazyCommand(
                "report",
                "Show what became of each object of a job of S3 Batch Operations.",
                "frogmove.cli.batch_jobs:report",
            ),
            LazyCommand(
                "cancel", "Cancel a job of S3 Batch Operations.", "frogmove.cli.batch_jobs:cancel"
            ),
        ],
    ),
    LazyGroup(
        "lambda",
        help="Package, call, watch, pause and resume the Lambda.",
        commands=[
            LazyCommand(
                "package",
                "Build the zip files for deploying the Lambda.",
                "frogmove.cli.lambda_package:package",
            ),
            LazyCommand(
                "invoke", "Call the deployed function.", "frogmove.cli.lambda_invoke:invoke"
            ),
            LazyCommand(
                "info",
                "Show the deployed function: settings, triggers, queues, log, and published "
                "versions.",
                "frogmove.cli.lambda_info:info",
            ),
            LazyCommand(
                "logs",
                "Show the function's log, from all its log streams, in the order of time.",
                "frogmove.cli.lambda_logs:logs",
            ),
            LazyCommand("pause", "Pause the deployed function.", "frogmove.cli.lambda_pause:pause"),
            LazyCommand(
                "resume", "Resume the deployed function.", "frogmove.cli.lambda_pause:resume"
            ),
        ],
    ),
)


# Commands that other tools have; Click suggests those that are only misspelt.
_SUGGESTIONS = {
    "mv": "Use `frogmove move KEY` or `frogmove move --prefix FOLDER`; the buckets are set with "
    "--source and --destination.",
    "cp": "Use `frogmove copy KEY` or `frogmove copy --prefix FOLDER`; the buckets are set with "
    "--source and --destination.",
    **dict.fromkeys(
        ("rm", "delete", "remove"),
        "frogmove deletes only what it has moved and verified; to delete extra objects at the "
        "destination, use `frogmove sync --delete`.",
    ),
    **dict.fromkeys(
        ("abort", "cancel", "kill", "stop"),
        "Ctrl-C in its terminal, or SIGTERM, stops a run; `frogmove resume` finishes it.",
    ),
    **dict.fromkeys(
        ("continue", "restart", "retry"), "Use `frogmove resume`, or `frogmove resume RUN`."
    ),
    **dict.fromkeys(
        ("restore", "revert", "rollback"), "Use `frogmove undo RUN`, or `frogmove undo last`."
    ),
    **dict.fromkeys(("check", "compare", "diff"), "Use `frogmove verify`."),
    **dict.fromkeys(
        ("history", "log", "logs", "show"), "Use `frogmove runs`, or `frogmove report RUN`."
    ),
    "rename": "Use `frogmove move KEY --as NEWKEY`, or `--rename TEMPLATE`.",
    "help": "Use `frogmove --help`, or `frogmove COMMAND --help`.",
    "version": "Use `frogmove --version`.",
}


# Set by the shell's own script when it wants to complete a word.
_COMPLETE = "_FROGMOVE_COMPLETE"
_SHELLS = ("bash", "fish", "zsh")


def _register_completion(asked: str) -> None:
    # Lazy: only a shell that completes needs it.
    from frogmove.cli import bash_completion, zsh_completion

    bash_completion.register()
    zsh_completion.register()
    shell, _, instruction = asked.partition("_")
    if shell in _SHELLS and instruction in {"complete", "source"}:
        return
    from frogmove.cli.output import Console

    names = ", ".join(f"{each}_source" for each in _SHELLS)
    Console().error(f"{_COMPLETE} cannot be {in_quotes(asked)}.", f"It is one of {names}.")
    sys.exit(exit_codes.REFUSED)


class Cli(LazyGroup):
    """The group of all commands; turns errors into a message and an exit code."""

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
        if asked := os.environ.get(_COMPLETE):
            _register_completion(asked)
        crash_handler.install_hooks()
        sys.exit(crash_handler.exit_code(command))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one is meant; see :meth:`click.Group.resolve_command`."""
        if args[0] in _SUGGESTIONS:
            ctx.fail(f"No such command {in_quotes(args[0])}. {_SUGGESTIONS[args[0]]}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; see :meth:`click.Group.invoke`."""
        try:
            with signals.listening():
                return super().invoke(ctx)
        except FrogmoveError as error:
            # Lazy: --help does not need it.
            from frogmove.cli.output import Console

            Console().error(error.message, error.remedy)
            ctx.exit(exit_codes.of_error(error))
        except OSError as error:
            # Click ignores EPIPE silently, but it may come from a pipe other than stdout.
            ctx.exit(crash_handler.explain(error))
        except KeyboardInterrupt:
            ctx.exit(exit_codes.INTERRUPTED)


@click.group(
    cls=Cli,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="frogmove %(version)s")
def main() -> None:
    """Move keys between two S3 buckets without losing one.

    A route is a source and a destination, each s3://bucket/prefix. Give it with --source and
    --destination, with FROGMOVE_SOURCE and FROGMOVE_DESTINATION, or as a --route of the
    configuration file.

    \b
    Exit codes: 0 all done; 1 something failed, conflicted or differed;
    2 refused before anything was changed; 130 interrupted.
    """
