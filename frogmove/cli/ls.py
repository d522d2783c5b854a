"""``frogmove ls``: lists a route's source, its destination, or any prefix."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from operator import attrgetter
from typing import IO, TYPE_CHECKING

import click

from frogmove.cli import completion, exit_codes, options
from frogmove.cli.help_groups import GroupedCommand
from frogmove.cli.key_argument import key_argument
from frogmove.cli.listing_page import Page, PageFormat
from frogmove.cli.listing_view import ListingTotals, ListingView
from frogmove.cli.options import route_options
from frogmove.cli.parameter_types import KeyText
from frogmove.cli.run_description import ALLOW_EMPTY, selection_hints
from frogmove.cli.runner import connect, spare_task_workers
from frogmove.cli.selection_options import listing_options
from frogmove.cli.transfer_options import processes
from frogmove.core.advice import describe, explain_errors
from frogmove.core.filters import NO_FILTERS
from frogmove.core.required_tags import Tag, parse_tag
from frogmove.core.selection import (
    HEAD_CONCURRENCY,
    Selection,
    folder_inside,
    head_each,
    list_folders,
    matching,
    outermost,
)
from frogmove.core.selection_options import read_filters
from frogmove.core.tag_check import TagChecker, only_tagged
from frogmove.errors import RunError, UnreachableError, UsageError
from frogmove.processes.task_pool import TaskPool
from frogmove.s3.limits import Limits
from frogmove.s3.listing import LISTING_CONCURRENCY, Level, folder_pages
from frogmove.s3.models import S3Object
from frogmove.s3.uri import Location, check_key, parse_location, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from frogmove.cli.listing_format import ListingFormat
    from frogmove.cli.output import Console
    from frogmove.config import Config
    from frogmove.core.selection_options import SelectionOptions
    from frogmove.processes.spares import Spare
    from frogmove.s3.errors import S3Error
    from frogmove.s3.interface import S3


# -h means --human-readable here, as in other tools' ls.
@click.command(cls=GroupedCommand, context_settings={"help_option_names": ["--help"]})
@click.argument("where", required=False, type=KeyText(), shell_complete=completion.keys)
@click.option(
    "-d", "--directories", is_flag=True, help="One level: its folders first, then its keys."
)
@click.option("-h", "--human-readable", "human", is_flag=True, help="Sizes such as 1.2 MB.")
@click.option("--summarize", is_flag=True, help="Print the totals on stdout at the end.")
@click.option(
    "-0",
    "--null",
    is_flag=True,
    help="Only raw keys, each terminated by a NUL; in the list of --from-file, too.",
)
@click.option(
    "--side",
    "end",
    type=click.Choice(["source", "destination"]),
    default="source",
    show_default=True,
    help="Which end of the route to list.",
)
@options.tags
@processes
@listing_options
@route_options
@click.pass_context
def ls(
    ctx: click.Context,
    config: Config,
    console: Console,
    where: str | None,
    end: str,
    tags: tuple[str, ...],
    processes: int,
    keys: tuple[str, ...],
    chosen: SelectionOptions,
    allow_empty: bool,
    directories: bool,
    human: bool,
    summarize: bool,
    null: bool,
) -> None:
    """List keys with their size and time (UTC).

    WHERE is a folder of the route's source, or any s3://bucket/prefix; by default the whole source.
    Patterns match keys below it, or below each --prefix; --directories shows all folders.
    Keys are printed as arguments for `frogmove move`: relative to the source, and quoted or as URIs
    where necessary.

    \b
    Examples:
      frogmove ls
      frogmove ls reports
      frogmove ls -dh reports
      frogmove ls --tag GuardDutyMalwareScanStatus=THREATS_FOUND
      frogmove ls --side destination
      frogmove ls s3://another-bucket/logs -o json
    """
    view = ListingView(human=human, null=null, summarize=summarize)
    side, folder = _location(config, where, is_destination=end == "destination")
    selection = _selection(side, folder, where, chosen, directories=directories)
    source = chosen.get("from_file")
    required = tuple(map(parse_tag, tags))
    form = console.listing_format(side, view)
    is_by_page = form.is_plain and not (directories or required or source is not None)
    count = processes if is_by_page else 1
    with spare_task_workers(count) as spares, connect(config, Limits(), console) as client:
        lookups = None if source is None else _Lookups(client.s3, side, console, source, nul=null)
        listing = _Listing(client.s3, side, selection, required, lookups)
        totals = ListingTotals(folders=0 if directories else None)
        with _explained(side.bucket, totals):
            if is_by_page:
                listing.show_pages(console, form, totals, count, spares)
            else:
                listing.show_objects(console, form, totals)
    ctx.exit(_end(listing, totals, view, console, allow_empty=allow_empty))


@contextmanager
def _explained(bucket: str, totals: ListingTotals) -> Iterator[None]:
    """Turn S3 errors into messages; say that what was printed is not everything.

    Raises:
        UnreachableError: instead of S3Error, when nothing was printed.
        RunError: when something was.
    """
    try:
        with explain_errors(bucket):
            yield
    except UnreachableError as error:
        if not (totals.objects or totals.folders):
            raise
        raise RunError(f"The listing is incomplete. {error.message}", error.remedy) from error


def _end(
    listing: _Listing,
    totals: ListingTotals,
    view: ListingView,
    console: Console,
    *,
    allow_empty: bool,
) -> int:
    """Print the totals, warn of an empty selection, and return the exit code."""
    console.listing_totals(totals, view)
    is_empty = not (totals.objects or totals.folders or allow_empty)
    selection, side, lookups = listing.selection, listing.side, listing.lookups
    needs_attention = lookups is not None and lookups.failed
    if is_empty and (lookups is not None or not _is_everything(selection, side)):
        _warn_of_nothing(selection, side, console)
        needs_attention = True
    return exit_codes.ATTENTION if needs_attention else exit_codes.DONE


def _is_everything(selection: Selection, side: Location) -> bool:
    return selection.folders == (side.prefix,) and selection.filters == NO_FILTERS


def _warn_of_nothing(selection: Selection, side: Location, console: Console) -> None:
    sentences = [f"Nothing at {side} was selected.", *selection_hints(selection), ALLOW_EMPTY]
    console.warn(" ".join(sentences))


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is listed.

    Attributes:
        s3: the client.
        side: the location that keys are relative to.
        selection: the folders to list and the filters.
        required: tags that objects must have.
        lookups: the keys of a list, instead of folders.
    """

    s3: S3
    side: Location
    selection: Selection
    required: tuple[Tag, ...]
    lookups: _Lookups | None

    def show_pages(
        self,
        console: Console,
        form: ListingFormat,
        totals: ListingTotals,
        processes: int,
        spares: list[Spare],
    ) -> None:
        """Print all objects of the selected folders, and count them."""
        pages = (
            Page(folder, objects)
            for folder in self.selection.folders
            for objects in folder_pages(self.s3, self.side.bucket, folder)
        )
        work = PageFormat(form, self.selection)
        with TaskPool(work, processes, attrgetter("is_unparsed"), spares) as pool:
            for part in pool.results(pages):
                console.write(part.text)
                totals.add_all(part.totals)

    def show_objects(self, console: Console, form: ListingFormat, totals: ListingTotals) -> None:
        """Print everything, folders first if they are counted, and count it."""
        if totals.folders is not None:
            listed = self._level(console, form, totals)
        elif self.lookups is None:
            listed = list_folders(self.selection, self.s3, self.side.bucket, LISTING_CONCURRENCY)
        else:
            listed = matching(self.lookups.objects(), self.selection.matcher())
        if self.required:
            checker = TagChecker(self.s3, self.side.bucket, self.required)
            listed = only_tagged(listed, checker, HEAD_CONCURRENCY)
        for item in listed:
            console.listed(item, form)
            totals.add(item)

    def _level(
        self, console: Console, form: ListingFormat, totals: ListingTotals
    ) -> Iterable[S3Object]:
        """Print the folders of one level; return its objects."""
        folders = self.selection.folders
        levels = [Level(self.s3, self.side.bucket, each) for each in folders]
        for prefix in chain.from_iterable(level.folders() for level in levels):
            console.listed(prefix, form)
            totals.folders = (totals.folders or 0) + 1
        return chain.from_iterable(
            matching(level.objects(), self.selection.matcher(folder))
            for level, folder in zip(levels, folders, strict=True)
        )


def _selection(
    side: Location,
    folder: str,
    where: str | None,
    chosen: SelectionOptions,
    *,
    directories: bool,
) -> Selection:
    """Return the folders to list and the filters."""
    prefixes = chosen.get("prefix") or ()
    kinds = [where is not None, bool(prefixes), chosen.get("from_file") is not None]
    if kinds.count(True) > 1:
        raise UsageError("Give only one of WHERE, --prefix and --from-file.")
    if directories and chosen.get("from_file") is not None:
        raise UsageError("--directories and --from-file cannot be combined.")
    folders = outermost(folder_inside(side, each) for each in prefixes) or (folder,)
    filters = read_filters(chosen, datetime.now(UTC))
    return Selection(base=side.prefix, folders=folders, filters=filters)


class _Lookups:
    """Looks up the keys of a list, and reports failures.

    Args:
        s3: the client.
        side: the location that keys are relative to.
        console: the output.
        source: the list.
        nul: whether the list has raw keys, each terminated by a NUL.

    Attributes:
        failed: whether a key does not exist or could not be looked up.
    """

    def __init__(
        self,
        s3: S3,
        side: Location,
        console: Console,
        source: str | Path | IO[bytes],
        *,
        nul: bool,
    ) -> None:
        self._s3 = s3
        self._side = side
        self._console = console
        self._source = source
        self._nul = nul
        self.failed = False

    def objects(self) -> Iterator[S3Object]:
        """Yield the objects of a list of keys, in its order."""
        # Lazy: it imports sqlite3, which other listings do not need.
        from frogmove.core.key_list import read_keys

        keys = read_keys(self._source, self._side, nul=self._nul)
        for key, seen in head_each(keys, self._s3, self._side.bucket, HEAD_CONCURRENCY):
            if isinstance(seen, S3Object):
                yield seen
            else:
                self._warn(key, seen)

    def _warn(self, key: str, error: S3Error | None) -> None:
        if error is not None and error.ends_the_run:
            raise error
        self.failed = True
        name = key_argument(key, self._side)
        reason = "not found" if error is None else describe(error, "It could not be looked up")
        self._console.warn(f"{name}: {reason}.")


def _location(config: Config, where: str | None, *, is_destination: bool) -> tuple[Location, str]:
    """Return the location that keys are relative to, and the folder to list."""
    if where is not None and where.startswith("s3://"):
        if is_destination:
            raise UsageError("Give either a URI or --side.")
        bucket, folder = split(where)
        sides = [parse_location(uri) for uri in (config.source, config.destination) if uri]
        for side in sides:
            if side.bucket == bucket and folder.startswith(side.prefix):
                return side, folder
        return Location(bucket), folder
    side = config.end("destination" if is_destination else "source")
    folder = side.prefix + (where or "")
    return side, check_key(folder) if folder else folder
