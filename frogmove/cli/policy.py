"""The options that say how a run moves, for every command that changes anything."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frogmove.cli.sizes import Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from frogmove.core.terms import Terms
    from frogmove.s3.conditions import Conditions
    from frogmove.s3.pressure import Limits

_OPTIONS = [
    click.option(
        "--on-conflict",
        type=click.Choice(["fail", "overwrite", "skip", "keep-both"]),
        default="fail",
        show_default=True,
        help="When the destination holds something else under the same key.",
    ),
    click.option(
        "--verify",
        type=click.Choice(["auto", "strict"]),
        default="auto",
        show_default=True,
        help="Strict also keeps sources of which a copy lacks anything.",
    ),
    click.option(
        "--require-conditional",
        is_flag=True,
        help="Refuse a server that ignores conditions, rather than look before each delete.",
    ),
    click.option("--max-rate", type=click.FloatRange(min=0.01), help="Objects begun a second."),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 1024),
        default=256,
        show_default=True,
        help="Requests under way at once.",
    ),
    click.option(
        "--multipart-threshold",
        type=Size(smallest=5 * 1024 * 1024, largest=5_000_000_000),
        default="5GB",
        show_default=True,
        help="Larger objects are copied in parts.",
    ),
    click.option(
        "--max-compare-size",
        type=Size(smallest=0, largest=50_000_000_000_000),
        default="1GiB",
        show_default=True,
        help="Larger objects are not read to compare them where ETags and checksums do not tell.",
    ),
    click.option(
        "--carry",
        metavar="LIST",
        callback=lambda _ctx, _param, text: _carried(text),
        help="Carry what copies do not: redirect,retention,legal-hold,acl, or some of these.",
    ),
    click.option(
        "--journal",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Where to write the run's journal; by default the state directory.",
    ),
]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run moves, as its options say; see their help texts."""

    on_conflict: str = "fail"
    verify: str = "auto"
    require_conditional: bool = False
    max_rate: float | None = None
    concurrency: int = 256
    multipart_threshold: int = 5_000_000_000
    max_compare_size: int = 1024**3
    carry: tuple[str, ...] = ()
    journal: Path | None = None

    def limits(self) -> Limits:
        """Return how much of S3 is asked."""
        from frogmove.s3.pressure import Limits

        return Limits(self.concurrency, self.max_rate)

    def terms(self, conditions: Conditions) -> Terms:
        """Return the terms, on a server with these conditions."""
        from frogmove.core.attributes import Attribute
        from frogmove.core.terms import SMALLEST_PART, Multipart, OnConflict, Terms
        from frogmove.core.verify import Verify

        default = Multipart()
        threshold = self.multipart_threshold
        part_size = max(SMALLEST_PART, min(default.part_size, threshold))
        return Terms(
            conditions,
            OnConflict(self.on_conflict),
            Verify(self.verify),
            Multipart(threshold, part_size),
            self.concurrency,
            max_compare_size=self.max_compare_size,
            carry=frozenset(map(Attribute, self.carry)),
        )


def _carried(text: str | None) -> tuple[str, ...]:
    from frogmove.core.attributes import parse_attributes

    return tuple(sorted(parse_attributes(text or "")))


def policy_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and it gets a ``policy`` instead of them."""

    @functools.wraps(command)
    def wrapper(
        *,
        on_conflict: str,
        verify: str,
        require_conditional: bool,
        max_rate: float | None,
        concurrency: int,
        multipart_threshold: int,
        max_compare_size: int,
        carry: tuple[str, ...],
        journal: Path | None,
        **own: object,
    ) -> None:
        policy = Policy(
            on_conflict,
            verify,
            require_conditional,
            max_rate,
            concurrency,
            multipart_threshold,
            max_compare_size,
            carry,
            journal,
        )
        command(policy=policy, **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper
