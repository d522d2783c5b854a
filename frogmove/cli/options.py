"""The options that every command on a route has."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from frogmove.cli import completion

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.settings import Settings

_ENDS = [
    click.option(
        "--route", help="A route of the configuration file.", shell_complete=completion.routes
    ),
    click.option("--source", metavar="URI", help="Where keys come from: s3://bucket/prefix."),
    click.option("--destination", metavar="URI", help="Where keys go: s3://bucket/prefix."),
]

_CONNECTION = [
    click.option("--profile", help="A profile of the AWS configuration."),
    click.option("--region", help="The AWS Region."),
    click.option("--endpoint-url", metavar="URL", help="An S3-compatible server instead of AWS."),
    click.option(
        "--expected-bucket-owner",
        metavar="ACCOUNT",
        help="Refuse buckets that belong to another AWS account.",
    ),
    click.option("--kms-key-id", metavar="ID", help="Encrypt copies with this KMS key."),
    click.option(
        "--engine",
        type=click.Choice(["auto", "boto3", "crt"]),
        envvar="FROGMOVE_ENGINE",
        help="What sends the requests; auto is crt, the faster, where it can be used.",
    ),
    click.option(
        "--no-sign-request",
        is_flag=True,
        help="Send requests unsigned: only to buckets that anybody may use.",
    ),
    click.option("--requester-pays", is_flag=True, help="Pay for requests to others' buckets."),
    click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Text for people, or JSON lines.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print only what needs attention."),
    click.option("-v", "--verbose", is_flag=True, help="Print how things were found out, too."),
]

dry_run = click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would be done; change nothing."
)


def route_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a route and a connection: it gets ``settings`` and ``console``."""

    @functools.wraps(command)
    def wrapper(
        *,
        route: str | None,
        source: str | None,
        destination: str | None,
        settings: Settings,
        **own: object,
    ) -> None:
        from frogmove.settings import config_file, resolve

        flags = replace(settings, source=source, destination=destination)
        resolved = resolve(flags, route, os.environ, config_file(os.environ))
        command(settings=resolved, **own)

    for option in reversed(_ENDS):
        wrapper = option(wrapper)
    return connection_options(wrapper)


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a connection but no route: it gets ``settings`` and ``console``."""

    @functools.wraps(command)
    def wrapper(
        *,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        expected_bucket_owner: str | None,
        requester_pays: bool,
        no_sign_request: bool,
        kms_key_id: str | None,
        engine: str | None,
        output: str,
        quiet: bool,
        verbose: bool,
        **own: object,
    ) -> None:
        from frogmove.cli.console import Console
        from frogmove.settings import Settings

        settings = Settings(
            profile=profile,
            region=region,
            endpoint_url=endpoint_url,
            expected_bucket_owner=expected_bucket_owner,
            requester_pays="yes" if requester_pays else None,
            no_sign_request="yes" if no_sign_request else None,
            kms_key_id=kms_key_id,
            engine=engine,
        )
        console = Console(json_lines=output == "json", quiet=quiet, verbose=verbose)
        command(settings=settings, console=console, **own)

    for option in reversed(_CONNECTION):
        wrapper = option(wrapper)
    return wrapper
