"""The rows of the benchmarks: which work, of how many objects, on which server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.benchmarks.tools import AWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.tools import Verb

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

# The row that tells how long a run takes to start.
START_OF_RUN = "move-1"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        name: as ``--only`` takes it.
        title: for people.
        verb: the work.
        objects: how many.
        size: bytes of each.
        server: ``memory``, or ``seaweedfs``.
        latency: seconds that every response is held back.
        cores: how many the programs may use; 0 for all.
        without: programs that are left out, as they take too long.
        rounds: how often each program runs, at most.
        family: rows of one family show how cost grows.
        seconds: how long one command may take.
    """

    name: str
    title: str
    verb: Verb
    objects: int
    size: int = KIB
    server: Literal["memory", "seaweedfs"] = "memory"
    latency: float = 0.0
    cores: int = 0
    without: tuple[str, ...] = ()
    rounds: int = 3
    family: str = ""
    seconds: float = 300.0

    @property
    def is_start(self) -> bool:
        """Whether the program is only started."""
        return self.verb in {"--help", "--version"}

    @property
    def is_in_parts(self) -> bool:
        """Whether the object is to be copied in parts, by programs that can."""
        return self.objects == 1 and self.size > MIB

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
        large: bytes of the one large object.
        listed: how many keys are listed.
        compared: how many keys a sync compares on each side.
        growth: the numbers of keys that growth is measured at.
    """

    small: int = 10_000
    medium: int = 200
    large: int = 5 * GIB
    listed: int = 100_000
    compared: int = 1_000_000
    growth: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)


FULL = Sizes()
QUICK = Sizes(300, 4, 64 * MIB, 3_000, 5_000, (100, 1_000))


def rows(sizes: Sizes, *, growth: bool) -> list[Row]:
    """Return all rows, in the order in which they are run."""
    listed, compared = f"{sizes.listed:,} keys", f"{sizes.compared:,} keys"
    large = f"{sizes.large / GIB:.3g} GiB"
    found = [
        Row("start-help", "start: --help", "--help", 1, without=(AWS,)),
        Row("start-version", "start: --version", "--version", 1),
        Row(
            START_OF_RUN, "move 1 × 1 KiB: the start of a run", "move", 1, without=(AWS,), rounds=5
        ),
        *_small(sizes),
        Row("list", f"list {listed}", "list", sizes.listed),
        Row(
            "sync",
            f"sync {compared} a side, nothing to do",
            "sync",
            sizes.compared,
            without=(AWS,),
            rounds=1,
        ),
        Row(
            "move-8mib",
            f"move {sizes.medium} × 8 MiB",
            "move",
            sizes.medium,
            8 * MIB,
            "seaweedfs",
            without=(AWS,),
        ),
        Row("copy-large", f"copy 1 × {large}, in parts", "copy", 1, sizes.large, "seaweedfs"),
    ]
    verbs: tuple[Verb, ...] = ("move", "sync")
    for verb in verbs if growth else ():
        found += [
            Row(f"growth-{verb}-{n}", f"{verb} {n:,}", verb, n, family="growth", seconds=1800)
            for n in sizes.growth
        ]
    return found


def _small(sizes: Sizes) -> Iterator[Row]:
    """Yield the rows of small objects: near and far away, on all cores and on one."""
    verbs: tuple[Verb, ...] = ("move", "copy")
    for latency in (0.0, 0.03):
        for cores in (0, 1):
            for verb in verbs:
                more = "-30ms" * bool(latency) + "-1-core" * bool(cores)
                words = ", 30 ms latency" * bool(latency) + ", one core" * bool(cores)
                is_plain = not (latency or cores)
                yield Row(
                    f"{verb}{more}",
                    f"{verb} {sizes.small:,} × 1 KiB{words}",
                    verb,
                    sizes.small,
                    latency=latency,
                    cores=cores,
                    without=() if is_plain else (AWS,),
                    rounds=2 if cores else 3,
                )
