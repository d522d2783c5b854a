"""``frogmove ls``: lists a route's source, its destination, or any prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli.options import KeyText, route_options
from frogmove.cli.runner import connect
from frogmove.core.advice import explained
from frogmove.core.required_tags import parse_tag
from frogmove.core.selection import HEAD_CONCURRENCY
from frogmove.core.tag_check import TagChecker, only_tagged
from frogmove.errors import UsageError
from frogmove.s3.limits import Limits
from frogmove.s3.listing import list_folder
from frogmove.s3.uri import Location, check_key, parse_location, split

if TYPE_CHECKING:
    from frogmove.cli.output import Console
    from frogmove.config import Config


@click.command()
@click.argument("where", required=False, type=KeyText())
@click.option(
    "--side",
    "end",
    type=click.Choice(["source", "destination"]),
    default="source",
    show_default=True,
    help="Which end of the route to list.",
)
@click.option(
    "--tag",
    "tags",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only objects that carry this tag; may be given several times.",
)
@route_options
def ls(
    config: Config, console: Console, where: str | None, end: str, tags: tuple[str, ...]
) -> None:
    """List keys with their size and time (UTC).

    WHERE is a folder of the route's source, or any s3://bucket/prefix; by default the whole source.
    Keys are printed as arguments for `frogmove move`: relative to the source, and quoted or as URIs
    where necessary.

    \b
    Examples:
      frogmove ls
      frogmove ls reports
      frogmove ls --tag GuardDutyMalwareScanStatus=THREATS_FOUND
      frogmove ls --side destination
      frogmove ls s3://another-bucket/logs -o json
    """
    side, folder = _place(config, where, is_destination=end == "destination")
    required = tuple(map(parse_tag, tags))
    objects = total = 0
    with connect(config, Limits(), console) as client, explained(side.bucket):
        console.detail(f"Engine: {client.engine}.")
        listed = list_folder(client.s3, side.bucket, folder)
        if required:
            checker = TagChecker(client.s3, side.bucket, required)
            listed = only_tagged(listed, checker, HEAD_CONCURRENCY)
        for item in listed:
            console.listed(item, side)
            objects += 1
            total += item.size
    console.totals(objects, total)


def _place(config: Config, where: str | None, *, is_destination: bool) -> tuple[Location, str]:
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
