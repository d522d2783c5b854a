"""``frogmove ls``: what is at a route's source, at its destination, or anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from frogmove.cli.options import route_options

if TYPE_CHECKING:
    from frogmove.cli.console import Console
    from frogmove.s3.uri import Location
    from frogmove.settings import Settings


@click.command()
@click.argument("where", required=False)
@click.option("--destination-side", is_flag=True, help="List the destination, not the source.")
@route_options
def ls(settings: Settings, console: Console, where: str | None, destination_side: bool) -> None:
    """List keys with their size and time (UTC).

    WHERE is a folder of the route's source, or any s3://bucket/prefix; by default all of the
    source. Keys are shown as `frogmove move` takes them: relative to the source.

    \b
    Examples:
      frogmove ls
      frogmove ls reports
      frogmove ls --destination-side
      frogmove ls s3://another-bucket/logs -o json
    """
    from frogmove.cli.session import connect, explained
    from frogmove.s3.listing import list_folder
    from frogmove.s3.pressure import Limits

    side, folder = _place(settings, where, destination_side=destination_side)
    objects = total = 0
    with connect(settings, Limits(), console) as connection, explained(side.bucket):
        console.detail(f"Engine: {connection.engine}.")
        for item in list_folder(connection.s3, side.bucket, folder):
            console.listed(item, item.key.removeprefix(side.prefix))
            objects += 1
            total += item.size
    console.totals(objects, total)


def _place(
    settings: Settings, where: str | None, *, destination_side: bool
) -> tuple[Location, str]:
    """Return the side that keys are shown relative to, and the folder to list."""
    from frogmove.errors import UsageError
    from frogmove.s3.uri import Location, check_key, parse_location, split

    if where is not None and where.startswith("s3://"):
        if destination_side:
            raise UsageError("Give a URI or --destination-side, not both.")
        bucket, folder = split(where)
        sides = [parse_location(uri) for uri in (settings.source, settings.destination) if uri]
        for side in sides:
            if side.bucket == bucket and folder.startswith(side.prefix):
                return side, folder
        return Location(bucket), folder
    side = settings.end("destination" if destination_side else "source")
    folder = side.prefix + (where or "")
    return side, check_key(folder) if folder else folder
