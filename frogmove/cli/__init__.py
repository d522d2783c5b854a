"""The operator's face of frogmove: parse, call, show, exit.

Commands import what they need when they run, so that ``--help`` and completion stay quick.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import click

from frogmove import __version__
from frogmove.cli import last_resort, signals
from frogmove.cli.demo import demo
from frogmove.cli.history import report, resume, runs, undo
from frogmove.cli.lambda_package import function
from frogmove.cli.local import local
from frogmove.cli.ls import ls
from frogmove.cli.move import copy, move
from frogmove.cli.sync import sync
from frogmove.errors import FrogmoveError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cli(click.Group):
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
            from frogmove.cli import exit_codes
            from frogmove.cli.output import Console

            Console().error(error.message, error.remedy)
            ctx.exit(exit_codes.of_error(error))
        except OSError as error:
            # Click takes EPIPE for a reader that has gone, and says nothing: it may be any pipe.
            ctx.exit(last_resort.explain(error))
        except KeyboardInterrupt:
            from frogmove.cli import exit_codes

            ctx.exit(exit_codes.INTERRUPTED)


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
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


main.add_command(ls)
main.add_command(ls, "list")
main.add_command(move)
main.add_command(copy)
main.add_command(sync)
main.add_command(runs)
main.add_command(report)
main.add_command(resume)
main.add_command(undo)
main.add_command(function)
main.add_command(local)
main.add_command(demo)
