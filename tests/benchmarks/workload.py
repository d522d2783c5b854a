"""Does one row: fills the buckets, runs the programs in turn, and sees that each did its work."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from frogmove.s3.models import MAX_COPY_SIZE
from tests.benchmarks import load, servers
from tests.benchmarks.measurement import CommandError, Sample, measure
from tests.benchmarks.results import Entry, RowResult
from tests.benchmarks.tools import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.rows import Row
    from tests.benchmarks.servers import Server
    from tests.benchmarks.tools import Tool

# Of the small objects, a slow program gets one in so many.
SLOW_SHARE = 5
MANY = 1_000

ROUNDS_OF_START = 5

_SERVERS = {
    "memory": "tests/benchmarks/server, in memory",
    "seaweedfs": "SeaweedFS",
}

# With one core, the programs get the first one, and the server gets another.
_FIRST, *_OTHERS = sorted(os.sched_getaffinity(0))


def run(row: Row, tools: Sequence[Tool], rounds: int, say: Callable[[str], None]) -> RowResult:
    """Do a row.

    Args:
        row: the row.
        tools: the programs.
        rounds: how often each is run.
        say: told of progress.
    """
    held = f", responses held back {row.latency * 1000:.0f} ms" if row.latency else ""
    answered = "" if row.is_start else _SERVERS[row.server] + held
    result = RowResult(row.name, row.title, answered, row.objects, row.size, row.family)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frogmove-bench-")))
        try:
            _check_disk(row, folder)
            cpus = _OTHERS if row.cores else ()
            in_memory = servers.in_memory(row.latency, cpus)
            chosen = in_memory if row.server == "memory" else servers.seaweedfs()
            bench = Bench(row, stack.enter_context(chosen), folder)
            bench.do(result, tools, rounds, say)
        except (servers.UnavailableError, load.LoadError, OSError) as reason:
            result.skipped = str(reason)
            say(f"{row.name}: {reason}")
    return result


class Bench:
    """One row at work.

    Args:
        row: the row.
        server: with both buckets, empty.
        folder: for what the programs write.
    """

    def __init__(self, row: Row, server: Server, folder: Path) -> None:
        self._row = row
        self._server = server
        self._folder = folder
        self._places = 0
        self._full: dict[int, list[Place]] = {}

    def do(
        self, result: RowResult, tools: Sequence[Tool], rounds: int, say: Callable[[str], None]
    ) -> None:
        """Run all programs, each once a round."""
        row = self._row
        if row.is_start:
            rounds = ROUNDS_OF_START
        result.entries = [Entry(tool.name, tool.version) for tool in tools]
        for number in range(rounds):
            # The first of one round is the last of the next.
            turns = list(zip(tools, result.entries, strict=True))[:: -1 if number % 2 else 1]
            for tool, entry in turns:
                if entry.problem or (number and tool.is_slow):
                    continue
                self._turn(tool, entry, number)
                words = entry.problem or f"{entry.samples[-1].wall:.2f} s"
                say(f"{row.name}: {tool.name}, round {number + 1}: {words}")

    def _turn(self, tool: Tool, entry: Entry, number: int) -> None:
        """Run a program for one round; in the first one, its requests are counted as well."""
        row = self._row
        many = row.is_transfer and row.objects >= MANY
        entry.objects = row.objects // SLOW_SHARE if tool.is_slow and many else row.objects
        try:
            if number == 0 and not row.is_start:
                counts: Counter[str] = Counter()
                with self._server.watched(counts) as watched:
                    sample = self._once(tool, entry, watched)
                entry.requests = dict(counts.most_common())
                if self._server.counts_itself:
                    entry.samples.append(sample)
                    return
            entry.samples.append(self._once(tool, entry, self._server))
        except CommandError as problem:
            entry.problem = str(problem)

    def _once(self, tool: Tool, entry: Entry, server: Server) -> Sample:
        """Run a program once.

        Raises:
            CommandError: when it fails, or says that it did what it did not.
        """
        verb, objects = self._row.verb, entry.objects
        source, destination = self._prepare(objects)
        if self._row.is_in_parts:
            tool = tool.in_parts_above(min(self._row.size // 2, MAX_COPY_SIZE))
        command = tool.command(verb, server, source, destination)
        entry.command = shlex.join(command)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        cpus = [_FIRST] if self._row.cores else []
        before = server.cpu()
        try:
            environment = tool.environment(server, folder)
            sample = measure(command, environment, folder, self._row.seconds, cpus)
            sample = replace(sample, server_cpu=server.cpu() - before)
            self._check(objects, source, destination, folder / "out")
        except CommandError:
            self._start_over()
            raise
        finally:
            shutil.rmtree(folder)
        if verb == "move":
            self._full = {objects: [destination]}
            self._server.free_disk(source.bucket)
        elif verb == "copy":
            self._server.empty(destination.bucket, destination.prefix)
            self._server.free_disk(destination.bucket)
        return sample

    def _prepare(self, objects: int) -> tuple[Place, Place]:
        """Return a place that holds so many objects, and where they are to go."""
        if objects not in self._full:
            self._start_over()
            self._full[objects] = [self._filled(objects, servers.BUCKETS[0])]
            if self._row.verb == "sync":
                self._full[objects].append(self._filled(objects, servers.BUCKETS[1]))
        places = self._full[objects]
        return places[0], places[1] if len(places) > 1 else self._new_place(places[0].bucket)

    def _start_over(self) -> None:
        for places in self._full.values():
            for place in places:
                self._server.empty(place.bucket, place.prefix)
        self._full.clear()

    def _filled(self, objects: int, beside: str) -> Place:
        place = self._new_place(beside)
        if not self._row.is_start:
            self._server.fill(place.bucket, place.prefix, objects, self._row.size)
        return place

    def _new_place(self, beside: str) -> Place:
        """Return an empty place, in the other bucket than this one."""
        self._places += 1
        bucket = servers.BUCKETS[servers.BUCKETS[0] == beside]
        return Place(bucket, f"place-{self._places:03d}/")

    def _check(self, objects: int, source: Place, destination: Place, out: Path) -> None:
        verb = self._row.verb
        if verb == "list":
            with out.open("rb") as file:
                listed = sum(1 for _ in file)
            if listed < objects:
                raise CommandError(f"listed {listed:,} of {objects:,} keys")
        elif verb in {"move", "copy"}:
            there = self._server.count(destination.bucket, destination.prefix)
            here = self._server.count(source.bucket, source.prefix)
            if there != objects or here != (0 if verb == "move" else objects):
                raise CommandError(f"left {here:,} objects, and {there:,} of {objects:,} are there")


def _check_disk(row: Row, folder: Path) -> None:
    """See that SeaweedFS has room: it makes no more files than would fit if all were full.

    Raises:
        UnavailableError: when there is not.
    """
    if row.server == "seaweedfs":
        needed = servers.VOLUMES * servers.VOLUME_BYTES
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise servers.UnavailableError(
                f"it needs {needed >> 30:,} GiB of disk, and {free >> 30:,} GiB are free"
            )
