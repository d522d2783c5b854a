"""``frogmove verify``: compares both sides of a route, or checks a run; nothing is changed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from frogmove.cli import completion, exit_codes
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.history import open_journal, read_history
from frogmove.cli.options import progress_option, route_options
from frogmove.cli.progress import ProgressDisplay, VerifyFigures
from frogmove.cli.run_description import identity_words, nothing_selected, selection_words
from frogmove.cli.runner import connect, key_list_of, spare_task_workers
from frogmove.cli.selection_options import verify_selection_options
from frogmove.cli.signals import end_message
from frogmove.cli.transfer_options import max_compare_size, processes
from frogmove.config import Config
from frogmove.core.run_spec import Command
from frogmove.core.section_comparison import SectionComparison
from frogmove.core.verify import CompareBy
from frogmove.errors import UsageError
from frogmove.processes.task_pool import TaskPool
from frogmove.run_config import config_of, new_spec, select_for
from frogmove.run_store import find_journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frogmove.cli.output import Console
    from frogmove.client import Client
    from frogmove.core.run_spec import RunSpec
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.core.verify_results import Verification


@click.command(cls=GroupedCommand)
@click.argument("run", required=False, shell_complete=completion.run_ids)
@verify_selection_options
@click.option(
    "--compare",
    type=click.Choice([CompareBy.AUTO.value, CompareBy.SIZE.value, CompareBy.CONTENT.value]),
    default=CompareBy.AUTO.value,
    show_default=True,
    help="How to compare objects of equal size; auto compares ETags and checksums.",
)
@max_compare_size
@processes
@route_options
@progress_option
@click.pass_context
def verify(
    ctx: click.Context,
    config: Config,
    console: Console,
    run: str | None,
    keys: tuple[str, ...],
    chosen: SelectionOptions,
    allow_empty: bool,
    compare: str,
    max_compare_size: int,
    processes: int,
) -> None:
    """Compare both sides of a route, or check a run. Nothing is changed.

    Each key is the same, different, missing at the destination, or extra: only there. Objects are
    the same if their sizes and their MD5 ETags, SHA-256 or SHA-1 are equal; with --compare content
    all bytes are read. If none of these is conclusive, the result is not-compared. The exit code is
    0 only if everything was compared and is the same. Metadata and tags are not compared.

    With RUN, a run's id or the path of its journal, the copies of the run and its resumes are
    checked instead: they must still be at the destination, and moved objects must be gone from the
    source.

    \b
    Examples:
      frogmove verify
      frogmove verify --prefix reports --compare content
      frogmove verify 20261123-073012-ab12
    """
    if run is not None:
        _refuse_other_options(ctx)
        ctx.exit(_verify_run(run, ctx, console))
    spec = select_for(new_spec(Command.SYNC, config), keys, chosen)
    spec = replace(spec, compare=CompareBy(compare), max_compare_size=max_compare_size)
    comparison = SectionComparison(spec, counts_same=not console.shows_unchanged)
    # Otherwise named keys are looked up, or this process prints a line for each object.
    count = processes if spec.selection.is_of_folders and not console.shows_unchanged else 1
    with (
        key_list_of(spec),
        spare_task_workers(count) as spares,
        _connected(spec, console) as client,
        TaskPool(comparison, count, attrgetter("is_unparsed"), spares) as pool,
    ):
        _print_heading(f"Verify {selection_words(spec)}", spec, client, console)
        verification = client.prepare_verification(spec, pool.results)
        code = _show(verification, client, console)
    if not verification.summary.done and not allow_empty:
        console.warn(nothing_selected(spec))
        code = exit_codes.ATTENTION
    ctx.exit(code)


def _verify_run(run: str, ctx: click.Context, console: Console) -> int:
    try:
        path = find_journal(run)
    except UsageError as error:
        raise UsageError(
            error.message, f"{error.remedy} To compare a folder, use --prefix."
        ) from error
    reader = open_journal(path)
    history = read_history(console)
    journals = history.with_resumes(reader)
    # Options for the connection are allowed, as for a resume.
    flags: dict[str, Any] = {
        name: "yes" if ctx.params[name] is True else ctx.params[name]
        for name in (field.name for field in fields(Config))
        if _is_given(ctx, name)
    }
    spec = replace(journals[0].spec, **flags)
    with _connected(spec, console) as client:
        together = ", ".join(each.spec.id for each in journals)
        _print_heading(f"Verify {spec.command} {together}", spec, client, console)
        for undo in history.undone_by(reader):
            console.note(f"It was undone by {undo.spec.id}.")
        return _show(client.verify_run(*journals), client, console)


@contextmanager
def _connected(spec: RunSpec, console: Console) -> Iterator[Client]:
    with connect(config_of(spec), spec.limits(), console) as client:
        console.source, console.destination = spec.route().source, spec.route().destination
        yield client


def _print_heading(what: str, spec: RunSpec, client: Client, console: Console) -> None:
    spec = replace(spec, endpoint_url=client.named_endpoint)
    identity = identity_words(spec, client.region, os.environ)
    console.note(f"{what}: {spec.source} -> {spec.destination} ({identity})")


def _show(verification: Verification, client: Client, console: Console) -> int:
    figures = VerifyFigures(verification, lambda: client.s3.activity)
    stopped = end_message("Stopped: not everything was compared.", has_bar=console.is_live)
    try:
        with stopped, ProgressDisplay(console, figures):
            for result in verification:
                console.verified(result)
    finally:
        console.verify_summary(verification.summary)
    return exit_codes.DONE if verification.summary.same else exit_codes.ATTENTION


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


# Options that can be combined with a RUN, besides those of the connection.
_WITH_RUN = frozenset({"run", "output", "quiet", "verbose", "progress"})
_ROUTE_SETTINGS = frozenset({"source", "destination", "kms_key_id", "require_tag"})


def _refuse_other_options(ctx: click.Context) -> None:
    allowed = _WITH_RUN | {field.name for field in fields(Config)} - _ROUTE_SETTINGS
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if _is_given(ctx, name) and name not in allowed:
            raise UsageError(
                f"{parameter.opts[0]} cannot be combined with a RUN.",
                "A run is checked with the settings in its journal.",
            )
