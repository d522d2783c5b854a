"""Options that several commands share: the route, tags, the connection to S3, and output."""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from frogmove.cli import completion
from frogmove.cli.output import Console, ProgressMode
from frogmove.cli.parameter_types import NewFile, NonEmptyText, choice
from frogmove.config import Config, config_file, resolve
from frogmove.core.required_tags import parse_tag
from frogmove.engine import Engine
from frogmove.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any] | click.Command")

profile = click.option("--profile", type=NonEmptyText(), help="A profile of the AWS configuration.")
region = click.option("--region", type=NonEmptyText(), help="The AWS Region.")
output = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text or JSON lines.",
)


def endpoint_url(kind: str) -> Callable[[_Command], _Command]:
    """Return the option for a server other than AWS, which is compatible with ``kind``."""
    return click.option(
        "--endpoint-url",
        type=NonEmptyText(),
        metavar="URL",
        help=f"An {kind}-compatible server instead of AWS.",
    )


route = click.option(
    "--route",
    type=NonEmptyText(),
    help="The name of a route in the configuration file.",
    shell_complete=completion.routes,
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print only what needs attention.")
dry_run = click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would be done, without changing anything."
)

tags = click.option(
    "--tag",
    "tags",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only objects with this tag; repeatable.",
)
journal = click.option(
    "--journal",
    type=NewFile(),
    help="The file for the run's journal; by default in the state directory.",
)

_ENDS = [
    route,
    click.option(
        "--source",
        type=NonEmptyText(),
        metavar="URI",
        help="The source of the keys: s3://bucket/prefix.",
        shell_complete=completion.ends,
    ),
    click.option(
        "--destination",
        type=NonEmptyText(),
        metavar="URI",
        help="The destination of the keys: s3://bucket/prefix.",
        shell_complete=completion.ends,
    ),
]


_CONNECTION = [
    profile,
    region,
    endpoint_url("S3"),
    click.option(
        "--expected-bucket-owner",
        type=NonEmptyText(),
        metavar="ACCOUNT",
        help="Refuse buckets that belong to another AWS account.",
    ),
    click.option(
        "--kms-key-id", type=NonEmptyText(), metavar="ID", help="Encrypt copies with this KMS key."
    ),
    click.option(
        "--engine",
        type=choice(Engine),
        envvar="FROGMOVE_ENGINE",
        help="The HTTP engine; auto is crt, the faster one, where it can be used.",
    ),
    click.option(
        "--no-sign-request",
        is_flag=True,
        help="Send unsigned requests, for public buckets.",
    ),
    click.option(
        "--requester-pays", is_flag=True, help="Pay for requests to requester-pays buckets."
    ),
    output,
    quiet,
    click.option("-v", "--verbose", is_flag=True, help="Print diagnostic details."),
]


_SCAN = [
    click.option(
        "--require-scan/--no-require-scan",
        default=None,
        help=(
            "Require the route's tag, and refuse a route without one; or ignore it.  [default: "
            "the route's setting]"
        ),
    ),
    tags,
]


def scan_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for tags; the command gets ``tags`` in addition to ``config``."""

    @functools.wraps(command)
    def wrapper(
        *, require_scan: bool | None, tags: tuple[str, ...], config: Config, **own: object
    ) -> None:
        for tag in tags:
            parse_tag(tag)
        if require_scan and not config.require_tag:
            raise UsageError(
                "The route requires no tag.",
                'Give it a require_tag = "KEY=VALUE" in the configuration file, set '
                "FROGMOVE_REQUIRE_TAG, or name the tag with --tag.",
            )
        if require_scan is False:
            config = replace(config, require_tag=None)
        command(config=config, tags=list(tags), **own)

    for option in reversed(_SCAN):
        wrapper = option(wrapper)
    return wrapper


def route_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for a route and a connection; the command gets ``config`` and ``console``."""

    @functools.wraps(command)
    def wrapper(
        *,
        route: str | None,
        source: str | None,
        destination: str | None,
        config: Config,
        **own: object,
    ) -> None:
        flags = replace(config, source=source, destination=destination)
        resolved = resolve(flags, route, os.environ, config_file(os.environ))
        command(config=resolved, **own)

    for option in reversed(_ENDS):
        wrapper = option(wrapper)
    return connection_options(wrapper)


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for a connection; the command gets ``config`` and ``console``."""

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
        config = Config(
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
        command(config=config, console=console, **own)

    for option in reversed(_CONNECTION):
        wrapper = option(wrapper)
    return wrapper


def progress_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option for progress; it configures the console."""

    @click.option(
        "--progress",
        type=choice(ProgressMode),
        default=ProgressMode.AUTO.value,
        show_default=True,
        help="A bar on a terminal, otherwise a line every 10 s; auto shows none with --quiet.",
    )
    @functools.wraps(command)
    def wrapper(*, progress: str, console: Console, **own: object) -> None:
        console.progress = ProgressMode(progress)
        command(console=console, **own)

    return wrapper
