"""A day of an operator: every command on thousands of odd keys, and every byte counted after each.

The commands that are interrupted, piped or answered are processes of their own.
"""

from __future__ import annotations

import csv
import io
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.processes import pool
from frogmove.s3.boto_shapes import unquoted
from tests.blocking_proxy import blocking_proxy
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, Ran
from tests.cli.test_confirmation import on_terminal
from tests.cli.test_dry_run import assert_foretold
from tests.factories import md5
from tests.fault_proxy import SECONDS_TO_WAIT
from tests.keys import KEYS
from tests.processes.conftest import workers_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

FOLDERS = ("reports/2026/", "in box/", "été 🐸/", "x//[1]/", "--all/", "100%25/..", "a\nb/\u202e/")
CHARACTERS = "abcXYZ019 -_.+%&=?#;:,'\"`$\\<>[]{}()*!~@^|é\u0301🐸\u202e\u200b\n\t\x1b\x7f/"
ENDINGS = (".csv", ".tmp", ".pdf", "", "/")


def awkward_keys(count: int) -> list[str]:
    """Return so many keys: the hostile ones, at the top and in folders, and generated ones."""
    chance = random.Random(13)
    short = [key for key in KEYS.values() if len(key.encode()) < 1000]
    keys = dict.fromkeys([*KEYS.values(), *(f + key for f in FOLDERS[:3] for key in short)])
    for number in range(count):
        name = "".join(chance.choices(CHARACTERS, k=chance.randrange(1, 12)))
        ending = ENDINGS[number % len(ENDINGS)]
        keys[f"{FOLDERS[number % len(FOLDERS)]}{name}{number}{ending}"] = None
    return list(keys)[:count]


def under(objects: dict[str, bytes], *folders: str) -> dict[str, bytes]:
    return {key: body for key, body in objects.items() if key.startswith(folders)}


@dataclass
class Day:
    """What the operator has done so far.

    Attributes:
        buckets: the two that commands work on.
        attic: a third one, for backups.
        frogmove: runs commands.
        here: what the source must hold, by key.
        there: what the destination must hold.
        kept: what the attic must hold.
    """

    buckets: Buckets
    attic: str
    frogmove: FrogmoveRunner
    here: dict[str, bytes]
    there: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)

    def upload(self) -> None:
        """Write all that the buckets must hold at the beginning."""
        places = [(self.buckets.source, self.here), (self.buckets.destination, self.there)]
        objects = [(bucket, *each) for bucket, held in places for each in held.items()]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda each: self.write(*each), objects))

    def write(self, bucket: str, key: str, body: bytes) -> None:
        self.buckets.client.put_object(Bucket=bucket, Key=key, Body=body)

    def account(self) -> None:
        """Assert that each bucket holds exactly the bytes that it must, under their keys."""
        ends = (self.buckets.source, self.buckets.destination, self.attic)
        for bucket, held in zip(ends, (self.here, self.there, self.kept), strict=True):
            expected = {key: md5(body) for key, body in held.items()}
            listed = self.buckets._list(bucket)
            assert {entry["Key"]: unquoted(entry["ETag"]) for entry in listed} == expected

    def run(self, *arguments: str, code: int = 0) -> Ran:
        """Run a command with JSON output; it must end with a code and say so without fuss."""
        ran = self.frogmove(*arguments, "-o", "json")
        assert (ran.code, "Traceback" in ran.err) == (code, False), ran.err
        return ran

    def piped(self, standard_input: str, *arguments: str) -> Ran:
        """Run a command as a process that reads this."""
        process = self.frogmove.process(
            *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = process.communicate(standard_input.encode(), timeout=SECONDS_TO_WAIT)
        return Ran(process.returncode, out.decode(), err.decode())

    def interrupted(
        self, number: signal.Signals, copies: int, *arguments: str, workers: int = 0
    ) -> Ran:
        """Run a command as a process, and interrupt it after so many copies have begun."""
        with (
            blocking_proxy(self.buckets.server) as proxy,
            TemporaryFile("w+", encoding="utf-8") as out,
        ):
            proxy.let_pass(copies - 1)
            environment: dict[str, Any] = {"FROGMOVE_ENDPOINT_URL": proxy.endpoint_url}
            process = self.frogmove.process(
                *arguments, "-o", "json", env=environment, stdout=out, stderr=subprocess.PIPE
            )
            assert process.stderr is not None
            try:
                proxy.wait_for_copies(copies)
                assert len(workers_of(process.pid)) == workers
                process.send_signal(number)
                # Otherwise a quick run could be complete before it notices the signal.
                err = b""
                while b"Stopping" not in err and (line := process.stderr.readline()):
                    err += line
                proxy.opened.set()
                err += process.stderr.read()
                code = process.wait(SECONDS_TO_WAIT)
            finally:
                process.kill()
                process.wait()
                process.stderr.close()
            out.seek(0)
            ran = Ran(code, out.read(), err.decode())
        assert (ran.code, ran.summary["interrupted"]) == (130, True), ran.err
        assert f"frogmove resume {ran.summary['run']}" in ran.err
        return ran

    def later(self, *arguments: str) -> Ran:
        """Run a command on an earlier run, without the proxy that this run went through."""
        return self.run(*arguments, "--endpoint-url", self.buckets.server.endpoint_url)

    def arrive(self, ran: Ran, *, moved: bool) -> None:
        """Expect at the destination what a run says that it moved or copied."""
        for result in ran.of("result"):
            if result["outcome"] in {"moved", "copied"}:
                self.there[result["destination_key"]] = self.here[result["key"]]
                if moved:
                    del self.here[result["key"]]


@pytest.fixture
def day(ministack: Server, count: int) -> Day:
    """The morning: uploads at the source, and three objects that are at the destination already."""
    buckets = Buckets.make(ministack)
    attic = buckets.source.replace("external", "attic")
    buckets.client.create_bucket(Bucket=attic)
    here = {key: f"{number} {key}".encode() for number, key in enumerate(awkward_keys(count))}
    same, other = [key for key in sorted(under(here, "reports/")) if key.endswith(".csv")][:2]
    there = {same: here[same], other: b"somebody else's", "kept/old.csv": b"old"}
    made = Day(buckets, attic, FrogmoveRunner(buckets), here, there)
    made.upload()
    return made


@pytest.mark.parametrize(
    "count",
    [pytest.param(300, marks=pytest.mark.matrix), pytest.param(3_000, marks=pytest.mark.long)],
)
def test_operators_day(day: Day, count: int, tmp_path: Path) -> None:
    assert len(day.here) == count
    plan = partial(plan_and_apply, file=str(tmp_path / "a plan"))
    for step in (look, mistype, move_and_undo, copy, plan, clear_out, sync, report):
        step(day)
        day.account()
    for bucket, held in ((day.buckets.source, day.here), (day.buckets.destination, day.there)):
        assert read(day.buckets, bucket) == held


def read(buckets: Buckets, bucket: str) -> dict[str, bytes]:
    """Return every byte of a bucket."""

    def body(key: str) -> bytes:
        content: bytes = buckets.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    keys = [entry["Key"] for entry in buckets._list(bucket)]
    with ThreadPoolExecutor(8) as threads:
        return dict(zip(keys, threads.map(body, keys), strict=True))


def look(day: Day) -> None:
    """List everything, one level, and a folder whose keys are read back from what is printed."""
    size = sum(map(len, day.here.values()))
    listed = day.run("ls")
    assert {each["key"] for each in listed.of("object")} == day.here.keys()
    assert (listed.summary["objects"], listed.summary["bytes"]) == (len(day.here), size)
    level = day.run("ls", "-d")
    folders = {key.split("/")[0] + "/" for key in day.here if "/" in key}
    assert {each["key"] for each in level.of("folder")} == folders
    names = [key for key in day.here if "/" not in key]
    assert {each["key"] for each in level.of("object")} == set(names)
    *_, total_folders, total_objects, total_size = day.frogmove(
        "ls", "-dh", "--summarize"
    ).out.splitlines()
    assert total_folders.split() == ["Total", "Folders:", str(len(folders))]
    assert total_objects.split() == ["Total", "Objects:", str(len(names))]
    assert total_size.split()[-1] in {"bytes", "kB"}
    raw = day.frogmove("ls", "-0")
    assert set(raw.out.split("\0")[:-1]) == day.here.keys()
    some = under(day.here, "in box/", "été 🐸/")
    chosen = ("--prefix", "in box", "--prefix", "été 🐸")
    null = day.piped(day.frogmove("ls", "-0", *chosen).out, "ls", "--from-file", "-", "-0")
    assert (null.code, set(null.out.split("\0")[:-1])) == (0, set(some)), null.err
    text = day.piped(day.frogmove("ls", *chosen).out, "ls", "--from-file", "-", "-o", "json")
    assert (text.code, {each["key"] for each in text.of("object")}) == (0, set(some)), text.err


def mistype(day: Day) -> None:
    """Name a folder, a pattern and the commands of other tools: each leads to what was meant."""
    count = len(under(day.here, "reports/2026/"))
    for arguments, meant in (
        (["move", "reports/2026"], f"{count} objects lie under it: use --prefix reports/2026."),
        (["move", "reports/*.csv"], "use --include 'reports/*.csv'"),
        (["move", "reports/2026/nothing"], "Check with `frogmove ls`"),
        (["mv", "a", "b"], "frogmove move"),
        (["cp", "a"], "frogmove copy"),
        (["rm", "a"], "deletes only"),
    ):
        ran = day.frogmove(*arguments)
        assert (ran.code, ran.out, meant in ran.err) == (2, "", True), ran.err


def move_and_undo(day: Day) -> None:
    """Move all but some under a rate, with Ctrl-C in between; check it, and undo it."""
    morning = dict(day.here), dict(day.there)
    everything = ("move", "--include", "**", "--exclude", "**/*.tmp", "--on-conflict", "keep-both")
    dry = day.run(*everything, "--dry-run")
    day.account()
    effects = [each["effect"] for each in dry.of("action")]
    assert (effects.count("already-there"), effects.count("keep-both")) == (1, 1)
    rate = str(max(100, len(day.here) // 5))
    first = day.interrupted(signal.SIGINT, 40, *everything, "--max-rate", rate)
    assert len(first.of("result")) < len(effects)
    day.arrive(first, moved=True)
    day.account()
    second = day.later("resume")
    day.arrive(second, moved=True)
    day.account()
    assert all(key.endswith(".tmp") for key in day.here)
    done = Ran(0, first.out + second.out, "")
    assert_foretold(dry, done, "move")
    name = first.summary["run"]
    (run,) = (each for each in day.run("runs").of("run") if each["id"] == name)
    assert run["resumed_by"] == [second.summary["run"]]
    assert day.run("report", "last").of("result") != []
    checked = day.later("verify", name).summary
    assert (checked["complete"], checked["counts"]["same"]) == (True, len(effects))
    undone = day.later("undo", name)
    # What was at the destination before the run also stays there.
    counts = undone.summary["counts"]
    assert (counts["moved"], counts["copied"]) == (len(effects) - 1, 1)
    day.here, day.there = morning


def copy(day: Day) -> None:
    """Copy a folder to another one."""
    ran = day.run("copy", "--prefix", "reports", "--to-prefix", "archive/2026")
    some = under(day.here, "reports/")
    assert ran.summary["counts"]["copied"] == len(some)
    day.there |= {f"archive/2026/{key}": body for key, body in some.items()}


def plan_and_apply(day: Day, file: str) -> None:
    """Plan a move and apply it, while one source is replaced and one destination is written."""
    planned = day.run("move", "--prefix", "in box", "--plan", file)
    day.account()
    some = under(day.here, "in box/")
    assert {each["key"] for each in planned.of("action")} == some.keys()
    shown = day.frogmove("plan", file)
    assert (shown.code, f"{len(some):,} objects" in shown.out) == (0, True), shown.out
    replaced, taken, *rest = sorted(some)
    day.here[replaced] = b"a new upload"
    day.there[taken] = b"a late one"
    day.write(day.buckets.source, replaced, day.here[replaced])
    day.write(day.buckets.destination, taken, day.there[taken])
    ran = day.run("apply", file, code=1)
    drifted = {replaced: "superseded", taken: "conflict"}
    assert ran.outcomes == drifted | dict.fromkeys(rest, "moved")
    day.arrive(ran, moved=True)


def clear_out(day: Day) -> None:
    """Make a folder of the destination equal to the source's: no, then yes, with a backup."""
    backup = ("--max-delete", "100%", "--backup", f"s3://{day.attic}/today")
    arguments = ("sync", "--prefix", "in box", "--prefix", "reports", "--delete", *backup)
    before = len(day.run("runs").of("run"))
    code, screen = on_terminal(day.frogmove, "n\n", *arguments)
    assert (code, "Nothing was changed." in screen) == (2, True), screen
    assert len(day.run("runs").of("run")) == before
    day.account()
    chosen = ("in box/", "reports/")
    here, there = under(day.here, *chosen), under(day.there, *chosen)
    deleted = there.keys() - here.keys()
    changed = {key for key in here.keys() & there.keys() if here[key] != there[key]}
    assert deleted
    assert len(changed) == 2
    ran = day.run(*arguments, "--yes")
    counts = ran.summary["counts"]
    assert counts["deleted"] == len(deleted)
    assert counts["copied"] == len(here.keys() - there.keys()) + len(changed)
    day.kept = {f"today/{key}": there[key] for key in (*deleted, *changed)}
    day.there = {key: body for key, body in day.there.items() if key not in deleted} | here
    assert day.run("verify", "--prefix", "in box", "--prefix", "reports").summary["complete"]


def sync(day: Day) -> None:
    """Copy the rest with two processes and a SIGTERM in between; then both sides agree."""
    lacking = day.here.keys() - day.there.keys()
    arguments = ("sync", "--processes", "2", "--concurrency", "32")
    workers = 1 if len(day.here) > pool.MIN_OBJECTS else 0
    copies = len(lacking) * 3 // 4
    first = day.interrupted(signal.SIGTERM, copies, *arguments, workers=workers)
    day.arrive(first, moved=False)
    day.account()
    second = day.later("resume")
    day.arrive(second, moved=False)
    day.account()
    copied = [each for ran in (first, second) for each in ran.of("result")]
    assert sorted(each["key"] for each in copied if each["outcome"] == "copied") == sorted(lacking)
    extra = day.there.keys() - day.here.keys()
    checked = day.run("verify", code=1)
    assert {each["key"] for each in checked.of("verified") if each["status"] == "extra"} == extra
    assert checked.summary["counts"]["same"] == len(day.here)
    others = ("--exclude", "archive/**", "--exclude", "kept/**")
    agreed = day.run("verify", *others).summary
    assert (agreed["complete"], agreed["counts"]["same"]) == (True, len(day.here))


def report(day: Day) -> None:
    """Report the last run as a table of each kind."""
    results = day.run("report").of("result")
    assert results
    table = day.frogmove("report", "-o", "csv")
    page = day.frogmove("report", "--outcome", "copied", "-o", "html")
    assert (table.code, page.code) == (0, 0)
    rows = list(csv.DictReader(io.StringIO(table.out, newline="")))
    columns = ("etag", "outcome")
    assert sorted([row[name] for name in columns] for row in rows) == sorted(
        [result[name] for name in columns] for result in results
    )
    assert {row["source_bucket"] for row in rows} == {day.buckets.source}
    assert page.out.startswith("<!doctype html>")
    assert page.out.rstrip().endswith("</html>")
    for result in results:
        assert result["etag"] == md5(day.there[result["destination_key"]])
