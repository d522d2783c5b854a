"""The transfer options, the same for every command that moves objects."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from frogmove.cli import options
from frogmove.cli.parameter_types import Count, Rate, Size, choice
from frogmove.core.attributes import parse_attributes
from frogmove.core.options import MAX_COMPARE_SIZE, MIN_PART_SIZE, OnConflict
from frogmove.core.run_spec import CONCURRENCY, MAX_PROCESSES
from frogmove.core.verify import Verify
from frogmove.s3.limits import MAX_CONCURRENCY
from frogmove.s3.models import MAX_COPY_SIZE, MAX_OBJECT_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.core.run_spec import RunSpec

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def default_processes() -> int:
    """Return how many cores this process may use, but no more than the option takes."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, _cpu_limit(), MAX_PROCESSES)


def _cpu_limit() -> int:
    """Return how many cores' time the control group of a container may use.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    try:
        quota, period = CPU_MAX.read_text().split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        # There is no limit, or no such file.
        return MAX_PROCESSES


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
    type=Size(0, MAX_OBJECT_SIZE),
    default="1GiB",
    show_default=True,
    help=(
        "Where ETags and checksums are inconclusive, larger objects are not read to compare them."
    ),
)

processes = click.option(
    "--processes",
    type=Count(1, MAX_PROCESSES),
    default=default_processes,
    show_default="as many as cores",
    help="Maximum processes; one if there is little to do.",
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
        type=Count(1, MAX_CONCURRENCY),
        default=CONCURRENCY,
        show_default=True,
        help="Maximum concurrent requests.",
    ),
    processes,
    click.option(
        "--max-errors",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop after N failed objects; conflicts do not count.",
    ),
    click.option(
        "--multipart-threshold",
        type=Size(MIN_PART_SIZE, MAX_COPY_SIZE),
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
    options.journal,
]


@dataclass(frozen=True, slots=True)
class TransferFlags:
    """The values of the transfer options; see their help texts."""

    on_conflict: str = OnConflict.FAIL.value
    verify: str = Verify.AUTO.value
    require_conditional: bool = False
    max_rate: float | None = None
    concurrency: int = CONCURRENCY
    processes: int = field(default_factory=default_processes)
    max_errors: int | None = None
    multipart_threshold: int = MAX_COPY_SIZE
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
    def wrapper(**given: Any) -> None:  # noqa: ANN401 - what Click has read
        flags = TransferFlags(**{name: given.pop(name) for name in TransferFlags.__slots__})
        command(flags=flags, **given)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return _on_conflict(default)(wrapper)
