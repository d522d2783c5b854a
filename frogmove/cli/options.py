"""Options that several commands share: route, connection to S3, and transfer settings."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frogmove.cli import completion
from frogmove.cli.output import Console, ProgressMode
from frogmove.config import Config, config_file, resolve
from frogmove.core.attributes import parse_attributes
from frogmove.core.options import MAX_COMPARE_SIZE, SMALLEST_PART, OnConflict
from frogmove.core.required_tags import parse_tag
from frogmove.core.run_spec import CONCURRENCY, MOST_PROCESSES
from frogmove.core.units import parse_size
from frogmove.core.verify import Verify
from frogmove.engine import Engine
from frogmove.errors import UsageError
from frogmove.s3.limits import MOST_CONCURRENCY
from frogmove.s3.models import LARGEST_COPY, LARGEST_OBJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from frogmove.core.run_spec import RunSpec


class Size(click.ParamType[int]):
    """A number of bytes between two limits."""

    name = "size"

    def __init__(self, smallest: int, largest: int) -> None:
        self._smallest = smallest
        self._largest = largest

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a size; see :meth:`click.ParamType.convert`."""
        try:
            size = parse_size(str(value))
        except UsageError as error:
            self.fail(f"{error.message} {error.remedy}", param, ctx)
        if not self._smallest <= size <= self._largest:
            self.fail(
                f"{value} is not between {self._smallest:,} and {self._largest:,} bytes.",
                param,
                ctx,
            )
        return size


class Count(click.IntRange):
    """A whole number between two others."""

    # Click calls it an "integer range", in its help and when a text is none.
    name = "integer"


class Rate(click.FloatRange):
    """A number of times a second."""

    name = "number"

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a rate; see :meth:`click.ParamType.convert`."""
        rate = super().convert(value, param, ctx)
        if not isfinite(rate):
            self.fail(f"{value!r} is not a rate. Leave the option out for no limit.", param, ctx)
        return rate


class KeyText(click.ParamType[str]):
    """A key, folder or URI. They are UTF-8 in S3, even if the terminal has another encoding."""

    name = "text"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Decode the argument as UTF-8; see :meth:`click.ParamType.convert`."""
        text = str(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            return os.fsencode(text).decode("utf-8", "surrogateescape")
        return text


def choice(values: type[StrEnum]) -> click.Choice[str]:
    """Return a choice of an enumeration's values; Click itself would take their names."""
    return click.Choice([each.value for each in values])


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


profile = click.option("--profile", help="A profile of the AWS configuration.")
region = click.option("--region", help="The AWS Region.")
function = click.option(
    "--function",
    "name",
    envvar="FROGMOVE_FUNCTION",
    default="frogmove",
    show_default=True,
    help="The function's name or ARN.",
)
output = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text or JSON lines.",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print only what needs attention.")
dry_run = click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would be done, without changing anything."
)

_ENDS = [
    click.option(
        "--route",
        help="The name of a route in the configuration file.",
        shell_complete=completion.routes,
    ),
    click.option("--source", metavar="URI", help="The source of the keys: s3://bucket/prefix."),
    click.option(
        "--destination", metavar="URI", help="The destination of the keys: s3://bucket/prefix."
    ),
]


_CONNECTION = [
    profile,
    region,
    click.option("--endpoint-url", metavar="URL", help="An S3-compatible server instead of AWS."),
    click.option(
        "--expected-bucket-owner",
        metavar="ACCOUNT",
        help="Refuse buckets that belong to another AWS account.",
    ),
    click.option("--kms-key-id", metavar="ID", help="Encrypt copies with this KMS key."),
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
        help="Leave what lacks the tag that the route requires, and refuse a route that requires "
        "none; or move it all the same.  [default: as the route says]",
    ),
    click.option(
        "--tag",
        "tags",
        metavar="KEY=VALUE",
        multiple=True,
        help="Only objects that carry this tag; may be given several times.",
    ),
]


def scan_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of tags; with a ``config``, it gets ``tags`` besides."""

    @functools.wraps(command)
    def wrapper(
        *, require_scan: bool | None, tags: tuple[str, ...], config: Config, **own: object
    ) -> None:
        for tag in tags:
            parse_tag(tag)
        if require_scan and not config.require_tag:
            raise UsageError(
                "The route requires no tag, so that nothing tells what has been scanned.",
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
    """Have a command's console show how far a run is, when that is wanted."""

    @click.option(
        "--progress",
        type=choice(ProgressMode),
        default=ProgressMode.AUTO.value,
        show_default=True,
        help="A bar on a terminal, elsewhere a line every 10 s; auto shows none with --quiet.",
    )
    @functools.wraps(command)
    def wrapper(*, progress: str, console: Console, **own: object) -> None:
        console.progress = ProgressMode(progress)
        command(console=console, **own)

    return wrapper


def _on_conflict(default: OnConflict) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--on-conflict",
        type=choice(OnConflict),
        default=default.value,
        show_default=True,
        help="What to do if the destination key holds something else.",
    )


max_compare_size = click.option(
    "--max-compare-size",
    type=Size(0, LARGEST_OBJECT),
    default="1GiB",
    show_default=True,
    help=(
        "Where ETags and checksums are inconclusive, larger objects are not read to compare them."
    ),
)

_OPTIONS = [
    click.option(
        "--verify",
        type=choice(Verify),
        default=Verify.AUTO.value,
        show_default=True,
        help="With strict, keep the source if the copy lacks anything, such as tags.",
    ),
    click.option(
        "--require-conditional",
        is_flag=True,
        help=(
            "Refuse a server that ignores conditional requests, instead of a HEAD before each "
            "delete."
        ),
    ),
    click.option("--max-rate", type=Rate(min=0.01), help="Maximum objects started per second."),
    click.option(
        "--concurrency",
        type=Count(1, MOST_CONCURRENCY),
        default=CONCURRENCY,
        show_default=True,
        help="Maximum concurrent requests.",
    ),
    click.option(
        "--processes",
        type=Count(1, MOST_PROCESSES),
        default=usable_cores,
        show_default="as many as cores",
        help="Maximum processes; a small run uses one.",
    ),
    click.option(
        "--max-errors",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop once N objects have failed; conflicts do not count.",
    ),
    click.option(
        "--multipart-threshold",
        type=Size(SMALLEST_PART, LARGEST_COPY),
        default="5GB",
        show_default=True,
        help="Larger objects are copied in parts.",
    ),
    max_compare_size,
    click.option(
        "--carry",
        metavar="LIST",
        callback=lambda _ctx, _param, text: _carried(text),
        help=(
            "Also copy attributes that S3 does not: a list of redirect, retention, legal-hold, acl."
        ),
    ),
    click.option(
        "--journal",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The file for the run's journal; by default in the state directory.",
    ),
]


@dataclass(frozen=True, slots=True)
class TransferFlags:
    """The values of the transfer options; see their help texts."""

    on_conflict: str = OnConflict.FAIL.value
    verify: str = Verify.AUTO.value
    require_conditional: bool = False
    max_rate: float | None = None
    concurrency: int = CONCURRENCY
    processes: int = field(default_factory=usable_cores)
    max_errors: int | None = None
    multipart_threshold: int = LARGEST_COPY
    max_compare_size: int = MAX_COMPARE_SIZE
    carry: tuple[str, ...] = ()
    journal: Path | None = None

    def on(self, spec: RunSpec) -> RunSpec:
        """Return a run with these settings."""
        given = {name: getattr(self, name) for name in self.__slots__ if name != "journal"}
        return replace(spec, **given | {"carry": list(self.carry)})


def _carried(text: str | None) -> tuple[str, ...]:
    return tuple(sorted(parse_attributes(text or "")))


def transfer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the transfer options to a command, which gets them as ``flags``."""
    return _with_transfer_options(command, OnConflict.FAIL)


def sync_transfer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the transfer options to a sync, whose default is to overwrite."""
    return _with_transfer_options(command, OnConflict.OVERWRITE)


def _with_transfer_options(
    command: Callable[..., None], default: OnConflict
) -> Callable[..., None]:

    @functools.wraps(command)
    def wrapper(
        *,
        on_conflict: str,
        verify: str,
        require_conditional: bool,
        max_rate: float | None,
        concurrency: int,
        processes: int,
        max_errors: int | None,
        multipart_threshold: int,
        max_compare_size: int,
        carry: tuple[str, ...],
        journal: Path | None,
        **own: object,
    ) -> None:
        flags = TransferFlags(
            on_conflict,
            verify,
            require_conditional,
            max_rate,
            concurrency,
            processes,
            max_errors,
            multipart_threshold,
            max_compare_size,
            carry,
            journal,
        )
        command(flags=flags, **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return _on_conflict(default)(wrapper)
