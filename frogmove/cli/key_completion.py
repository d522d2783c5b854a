"""Shell completion of buckets, folders and keys, from one short listing of S3.

A keystroke waits for it, so it stops after less than a second, without a message. Outsiders choose
keys, so only keys without special characters are inserted into a command line.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from frogmove import boto_session
from frogmove.cli.key_argument import key_argument
from frogmove.cli.quantities import size
from frogmove.config import Config, config_file, resolve
from frogmove.s3.uri import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click
    from mypy_boto3_s3 import S3Client

# Maximum seconds, including imports; the variable overrides it.
_SECONDS = 0.8
_VARIABLE = "FROGMOVE_COMPLETION_SECONDS"

# Maximum keys and folders of the listing.
_MAX_ENTRIES = 100

_SCHEME = "s3://"

# The options of the command line that configure the connection.
_SETTINGS = ("source", "destination", "profile", "region", "endpoint_url")


def keys(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching folders and keys of the source."""
    return _search(ctx, incomplete, with_keys=True)


def folders(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching folders of the source."""
    return _search(ctx, incomplete, with_keys=False)


def ends(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching URIs of buckets and folders, for an end of a route."""
    if _SCHEME.startswith(incomplete):
        incomplete = _SCHEME
    if not incomplete.startswith(_SCHEME):
        return []
    return _search(ctx, incomplete, with_keys=False)


def _search(ctx: click.Context, incomplete: str, *, with_keys: bool) -> list[CompletionItem]:
    found: list[CompletionItem] = []

    def search() -> None:
        # The command itself will report the error.
        with suppress(Exception):
            config = _config(ctx)
            client = boto_session.make_boto_client(config, 1, is_interactive=False)
            found.extend(_find(client, config, incomplete, with_keys=with_keys))

    with suppress(RuntimeError):
        thread = Thread(target=search, daemon=True)
        thread.start()
        thread.join(_seconds())
    return list(found)


def _seconds() -> float:
    with suppress(ValueError):
        return max(0.0, min(float(os.environ.get(_VARIABLE, _SECONDS)), 60.0))
    return _SECONDS


def _config(ctx: click.Context) -> Config:
    given = ctx.params
    flags = Config(
        **{name: given.get(name) for name in _SETTINGS},
        no_sign_request="yes" if given.get("no_sign_request") else None,
        requester_pays="yes" if given.get("requester_pays") else None,
    )
    return resolve(flags, given.get("route"), os.environ, config_file(os.environ))


def _find(
    client: S3Client, config: Config, incomplete: str, *, with_keys: bool
) -> Iterator[CompletionItem]:
    if not incomplete.startswith(_SCHEME):
        source = config.end("source")
        yield from _list(client, source, incomplete, "", with_keys=with_keys)
        return
    bucket, slash, name = incomplete.removeprefix(_SCHEME).partition("/")
    if slash:
        uri = f"{_SCHEME}{bucket}/"
        yield from _list(client, Location(bucket), name, uri, with_keys=with_keys)
        return
    for each in client.list_buckets()["Buckets"]:
        if each["Name"].startswith(bucket):
            yield CompletionItem(f"{_SCHEME}{each['Name']}/", help="bucket")


def _list(
    client: S3Client, side: Location, prefix: str, before: str, *, with_keys: bool
) -> Iterator[CompletionItem]:
    """List the matching names below a prefix.

    Args:
        client: the client.
        side: the location that names are relative to.
        prefix: the text to complete.
        before: the text before each name.
        with_keys: whether keys are listed as well as folders.
    """
    page = client.list_objects_v2(
        Bucket=side.bucket, Prefix=side.prefix + prefix, Delimiter="/", MaxKeys=_MAX_ENTRIES
    )
    entries = [(each["Prefix"], "folder") for each in page.get("CommonPrefixes", [])]
    if with_keys:
        entries += [
            (each["Key"], f"{size(each['Size'])}, {each['LastModified']:%Y-%m-%d %H:%M}")
            for each in page.get("Contents", [])
        ]
    for key, about in entries:
        name = key.removeprefix(side.prefix)
        if name and key_argument(key, side) == name:
            yield CompletionItem(before + name, help=about)
