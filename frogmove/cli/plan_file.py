"""``frogmove plan`` and ``frogmove apply``: plans that ``--plan FILE`` wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frogmove.cli import options
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.options import dry_run, progress_option, route_options
from frogmove.cli.output import Console
from frogmove.cli.plan_text import example_lines, summary_lines
from frogmove.cli.review_options import Review
from frogmove.cli.run_description import selection_words
from frogmove.cli.runner import execute
from frogmove.core.plan_file import read_header, read_plan
from frogmove.core.plan_summary import PlanSummary
from frogmove.run_config import applied_spec

if TYPE_CHECKING:
    from frogmove.config import Config

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@_FILE
@options.output
def plan(file: Path, output: str) -> None:
    """Show a plan that --plan FILE wrote: totals, largest, oldest, conflicts.

    S3 is not asked.

    \b
    Examples:
      frogmove move --prefix reports --plan reports.plan
      frogmove plan reports.plan
      frogmove apply reports.plan
    """
    console = Console(json_lines=output == "json")
    header = read_header(file)
    spec = header.spec
    summary = PlanSummary(spec)
    for action in read_plan(file):
        summary.add(action)
    if console.json_lines:
        console.record({**header.record(), "summary": summary.record(), **summary.examples()})
        return
    console.source, console.destination = spec.route().source, spec.route().destination
    console.say(
        f"Plan of {spec.started}: {spec.command} {spec.source} -> {spec.destination}; "
        f"{selection_words(spec)}"
    )
    if spec.endpoint_url is not None:
        console.say(f"Server: {spec.endpoint_url}")
    for line in (*summary_lines(summary), *example_lines(summary, console.key)):
        console.say(line)


@click.command(cls=GroupedCommand)
@_FILE
@dry_run
@options.journal
@click.option(
    "--no-require-scan",
    is_flag=True,
    help="Ignore the route's tag, for a plan that was made with this option.",
)
@route_options
@progress_option
@click.pass_context
def apply(
    ctx: click.Context,
    config: Config,
    console: Console,
    file: Path,
    dry_run: bool,
    journal: Path | None,
    no_require_scan: bool,
) -> None:
    """Do exactly what a plan that --plan FILE wrote says.

    Its settings are the plan's. An object that has changed at the source since the plan was made
    is left (superseded), and so is one whose place at the destination has changed (conflict); the
    exit code is then 1. A plan that was edited, or is for another route, server or account, is
    refused.

    \b
    Examples:
      frogmove apply reports.plan --dry-run
      frogmove apply reports.plan
    """
    if no_require_scan:
        config = replace(config, require_tag=None)
    spec = applied_spec(file, config)
    ctx.exit(execute(spec, console, Review(dry_run), journal=journal))
