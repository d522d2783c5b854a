"""What a cold start costs: ``python -m tests.benchmarks.coldstart``.

The packaged function in the real runtime, beside the least that a function on S3 can be: a boto3
client on the same layer, and a bare copy and delete for each upload. All take turns.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import pytest

from frogmove.packaging.function_zip import HANDLER
from tests import servers
from tests.aws_events import batch, message, notification
from tests.buckets import Buckets
from tests.runtime.emulator import environment_of, make_kit, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runtime.emulator import Kit

# A start may take this much longer than that of the least function, at most.
TARGET = 1.15

WARM = 5

_EMPTY = """
def handler(event, context):
    return {}
"""

_LEAST = """
import json, os
import boto3
s3 = boto3.client("s3", endpoint_url=os.environ["FROGMOVE_ENDPOINT_URL"])
source, destination = (
    os.environ[name].removeprefix("s3://") for name in ("FROGMOVE_SOURCE", "FROGMOVE_DESTINATION")
)

def handler(event, context):
    for message in event["Records"]:
        for record in json.loads(message["body"])["Records"]:
            key = record["s3"]["object"]["key"]
            place = {"Bucket": source, "Key": key}
            s3.copy_object(Bucket=destination, Key=key, CopySource=place)
            s3.delete_object(**place)
    return {}
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A function that is measured."""

    name: str
    kit: Kit
    handler: str
    touches_s3: bool = True


@dataclass(frozen=True, slots=True)
class Start:
    """One execution environment, from its start to its last invocation.

    Attributes:
        init: milliseconds until the function could be invoked.
        first: milliseconds of the first invocation, which moves one object.
        warm: milliseconds of a later one, the median.
        memory: the most bytes that were resident.
    """

    init: float
    first: float
    warm: float
    memory: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A function's figures: the medians of its starts."""

    name: str
    starts: list[Start]

    def median(self, figure: str) -> float:
        """Return the median of one attribute of the starts."""
        return float(median(getattr(start, figure) for start in self.starts))


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(min=1), default=9, show_default=True)
@click.option("--json", "json_file", type=_FILE, help="Write all figures to this file.")
@click.option("--markdown", "markdown_file", type=_FILE, help="Write the table to this file.")
def main(rounds: int, json_file: Path | None, markdown_file: Path | None) -> None:
    """Measure the cold start of the packaged function, and of the least one beside it."""
    try:
        with TemporaryDirectory(prefix="frogmove-coldstart-") as folder, servers.ministack() as s3:
            subjects = list(_subjects(make_kit(Path(folder)), Path(folder)))
            measured = _measure(subjects, Buckets.make(s3), rounds)
    except pytest.skip.Exception as reason:
        raise click.ClickException(str(reason)) from reason
    page = _markdown(measured)
    click.echo(page)
    if json_file:
        json_file.write_text(json.dumps(_record(measured), indent=1) + "\n", "utf-8")
    if markdown_file:
        markdown_file.write_text(page, "utf-8")


def _subjects(kit: Kit, folder: Path) -> Iterator[Subject]:
    own = folder / "own"
    own.mkdir()
    (own / "empty.py").write_text(_EMPTY)
    (own / "least.py").write_text(_LEAST)
    uncompiled = replace(kit, task=_without_bytecode(kit.task), layer=_without_bytecode(kit.layer))
    yield Subject("an empty handler", replace(kit, task=own), "empty.handler", touches_s3=False)
    yield Subject("boto3, copy and delete", replace(kit, task=own), "least.handler")
    yield Subject("frogmove", kit, HANDLER)
    yield Subject("boto3, without bytecode", replace(uncompiled, task=own), "least.handler")
    yield Subject("frogmove, without bytecode", uncompiled, HANDLER)


def _without_bytecode(folder: Path) -> Path:
    bare = folder.with_name(folder.name + "-without-bytecode")
    shutil.copytree(folder, bare, ignore=shutil.ignore_patterns("__pycache__"))
    return bare


def _measure(subjects: list[Subject], buckets: Buckets, rounds: int) -> list[Measured]:
    starts: dict[str, list[Start]] = {subject.name: [] for subject in subjects}
    # The first round brings files into the page cache and is not counted.
    for turn in range(rounds + 1):
        for subject in subjects:
            start = _start(subject, buckets)
            if turn:
                starts[subject.name].append(start)
    return [Measured(name, each) for name, each in starts.items()]


def _start(subject: Subject, buckets: Buckets) -> Start:
    with running(subject.kit, environment_of(buckets), handler=subject.handler) as runtime:
        for number in range(1 + WARM):
            key = f"upload-{number}"
            buckets.put(key)
            answer = runtime.invoke(batch(message("1", notification(buckets.source, key))))
            if answer.status != 200 or answer.value.get("batchItemFailures"):
                raise click.ClickException(f"{subject.name}: {answer.text}")
        if subject.touches_s3 and buckets.here():
            raise click.ClickException(f"{subject.name} did not move its objects")
        (init,) = runtime.starts
        first, *warm = runtime.durations
        return Start(init, first, median(warm), runtime.memory)


def _markdown(measured: list[Measured]) -> str:
    least = next(each for each in measured if each.name == "boto3, copy and delete")
    lines = [
        "| function | start | against boto3 | first invocation | later ones | memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in measured:
        ratio = each.median("init") / least.median("init")
        lines.append(
            f"| {each.name} | {each.median('init'):.0f} ms | {ratio:.2f} "
            f"| {each.median('first'):.0f} ms | {each.median('warm'):.1f} ms "
            f"| {each.median('memory') / 1e6:.0f} MB |"
        )
    ours = next(each for each in measured if each.name == "frogmove")
    reached = ours.median("init") / least.median("init")
    verdict = "met" if reached <= TARGET else "MISSED"
    lines += [
        "",
        (
            "Each invocation moves one object on a local server. frogmove's first finds out which "
            "conditions that server honours; AWS is known to."
        ),
        (
            f"Medians of {len(least.starts)} starts. Target: a start within {TARGET} of boto3's; "
            f"measured {reached:.2f}: {verdict}."
        ),
    ]
    return "\n".join(lines) + "\n"


def _record(measured: list[Measured]) -> dict[str, object]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} CPUs, {platform.system()}",
        "functions": [asdict(each) for each in measured],
    }


if __name__ == "__main__":
    main()
