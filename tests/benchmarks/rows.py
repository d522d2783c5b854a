"""The rows of the benchmarks: which work, of how many objects, on which server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.benchmarks.tools import Verb

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: as ``--only`` takes it.
        title: for people.
        verb: the work.
        objects: how many.
        size: bytes of each.
        server: ``quick``, or ``seaweedfs``.
        latency: seconds that every answer is held back.
        family: rows of one family show how cost grows.
        seconds: how long one command may take.
    """

    name: str
    title: str
    verb: Verb
    objects: int
    size: int = KIB
    server: Literal["quick", "seaweedfs"] = "quick"
    latency: float = 0.0
    family: str = ""
    seconds: float = 300.0

    @property
    def is_start(self) -> bool:
        """Whether the program is only started."""
        return self.verb in {"--help", "--version"}

    @property
    def is_in_parts(self) -> bool:
        """Whether the object is to be copied in parts, by programs that can."""
        return self.objects == 1 and not self.is_start

    @property
    def is_transfer(self) -> bool:
        """Whether objects are written."""
        return self.verb in {"move", "copy"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the work is.

    Attributes:
        small: how many small objects are transferred.
        medium: how many of 8 MiB.
        checked: how many small ones on SeaweedFS.
        large: bytes of the one large object.
        keys: how many keys are listed and compared.
        growth: the numbers of keys that growth is measured at.
    """

    small: int = 10_000
    medium: int = 200
    checked: int = 2_000
    large: int = 5 * GIB
    keys: int = 100_000
    growth: tuple[int, ...] = (1_000, 10_000, 100_000)


FULL = Sizes()
QUICK = Sizes(300, 4, 100, 64 * MIB, 3_000, (100, 1_000))


def rows(sizes: Sizes, *, million: bool) -> list[Row]:
    """Return all rows, in the order in which they are run."""
    n, keys = f"{sizes.small:,} × 1 KiB", f"{sizes.keys:,} keys"
    found = [
        Row("start-help", "start: --help", "--help", 1),
        Row("start-version", "start: --version", "--version", 1),
        Row("move", f"move {n}", "move", sizes.small),
        Row("copy", f"copy {n}", "copy", sizes.small),
        Row("move-30ms", f"move {n}, 30 ms away", "move", sizes.small, latency=0.03),
        Row("copy-30ms", f"copy {n}, 30 ms away", "copy", sizes.small, latency=0.03),
        Row("list", f"list {keys}", "list", sizes.keys),
        Row("sync", f"sync {keys} a side, nothing to do", "sync", sizes.keys),
    ]
    if million:
        title = "sync 1,000,000 keys a side, nothing to do"
        found.append(Row("sync-million", title, "sync", 1_000_000, seconds=1800))
    weed: Literal["seaweedfs"] = "seaweedfs"
    large = f"{sizes.large / GIB:.3g} GiB"
    found += [
        Row("move-weed", f"move {sizes.checked:,} × 1 KiB", "move", sizes.checked, server=weed),
        Row("move-8mib", f"move {sizes.medium} × 8 MiB", "move", sizes.medium, 8 * MIB, weed),
        Row("copy-large", f"copy 1 × {large}, in parts", "copy", 1, sizes.large, weed),
    ]
    counts = [*sizes.growth, *([1_000_000] if million else [])]
    verbs: tuple[Verb, ...] = ("move", "sync")
    found += [
        Row(
            f"growth-{verb}-{count}",
            f"{verb} {count:,}",
            verb,
            count,
            family="growth",
            seconds=1800,
        )
        for verb in verbs
        for count in counts
    ]
    return found
