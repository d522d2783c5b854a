"""The operator's face of frogmove: parse, call, show, exit.

Commands import what they need when they run, so that ``--help`` and completion stay quick.
"""

import click

from frogmove import __version__
from frogmove.cli import signals
from frogmove.cli.demo import demo
from frogmove.cli.history import report, resume, runs, undo
from frogmove.cli.lambda_package import function
from frogmove.cli.local import local
from frogmove.cli.ls import ls
from frogmove.cli.move import move
from frogmove.cli.sync import sync
from frogmove.errors import FrogmoveError


class Cli(click.Group):
    """The group of all commands; turns expected errors into a sentence and an exit code."""

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
main.add_command(sync)
main.add_command(runs)
main.add_command(report)
main.add_command(resume)
main.add_command(undo)
main.add_command(function)
main.add_command(local)
main.add_command(demo)
