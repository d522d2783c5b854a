"""``sync --delete``: deletes only what the source is seen not to have, and only as it was seen."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from frogmove import Client, Command, Config, Outcome, UsageError, Verb
from frogmove.processes import pool
from frogmove.run_store import find_journal
from frogmove.s3 import boto_shapes
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_proxy import DROP_AFTER, DROP_BEFORE, FAIL, FAIL_AFTER, PASS, Fault, Request
from tests.iam_users import denied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from frogmove.s3.models import Page
    from tests.fault_fixture import FaultFixture
    from tests.servers import Server


@pytest.fixture
def pair(ministack: Server) -> Buckets:
    return Buckets.make(ministack)


def runner(pair: Buckets) -> FrogmoveRunner:
    return FrogmoveRunner(pair)


def test_sync_delete_deletes_what_only_the_destination_has(pair: Buckets) -> None:
    pair.put("a", "b/c")
    pair.put_there("a", "extra", "x/extra")
    dry = runner(pair)("sync", "--delete", "-n", "-o", "json")
    assert dry.code == 0
    reported = {record["key"]: record["action"] for record in dry.of("action")}
    assert reported == {"a": "skip", "b/c": "copy", "extra": "delete", "x/extra": "delete"}
    assert set(pair.there()) == {"a", "extra", "x/extra"}
    ran = runner(pair)("sync", "--delete", "-o", "json")
    assert (ran.code, ran.outcomes) == (
        0,
        {"a": "skipped", "b/c": "copied", "extra": "deleted", "x/extra": "deleted"},
    )
    assert pair.there() == pair.here() == {"a": b"a", "b/c": b"b/c"}
    report = runner(pair)("report", "last", "-o", "json")
    outcomes = {each["key"]: each["outcome"] for each in report.of("result")}
    assert outcomes == {"b/c": "copied", "extra": "deleted", "x/extra": "deleted"}


def test_key_that_only_the_destination_has_is_printed_with_its_own_bucket(pair: Buckets) -> None:
    pair.put("a")
    pair.put_there("-n", "in\x1bvisible", "plain")
    shown = {
        f"s3://{pair.destination}/-n",
        f"'s3://{pair.destination}?key=in%1Bvisible'",
        "plain",
    }
    verb = ("sync", "--delete")
    outputs = [runner(pair)(*each).out for each in (("verify",), (*verb, "-n"), verb, ("report",))]
    for word, out in zip(("extra", "would delete", "deleted", "deleted"), outputs, strict=True):
        lines = [line.removeprefix(word) for line in out.splitlines() if line.startswith(word)]
        assert {re.split(r"  +", line)[-2] for line in lines} == shown
    # Under another prefix, a line still begins with the key that the source would have.
    pair.put_there("new/a", "new/plain")
    dry = runner(pair)(*verb, "--to-prefix", "new", "-n")
    assert "would delete    plain -> new/plain  (" in dry.out


@pytest.mark.parametrize("kept", ["nothing", "not-known", "versions", "backup"])
def test_sync_delete_says_before_it_deletes_that_nothing_can_be_restored(
    pair: Buckets, tmp_path: Path, kept: str
) -> None:
    pair.put("a")
    pair.put_there("a", "extra")
    frogmove, backup, expected = runner(pair), [], ""
    if kept == "nothing":
        expected = f"s3://{pair.destination} keeps no versions: objects that are deleted"
    elif kept == "not-known":
        expected = f"It cannot be determined whether s3://{pair.destination} keeps versions"
        frogmove = denied(pair, "s3:GetBucketVersioning", bucket=pair.destination)
    elif kept == "versions":
        pair.version()
    else:
        pair.client.create_bucket(Bucket=f"attic-{pair.source}")
        backup = ["--backup", f"s3://attic-{pair.source}"]
    for option in (["-n"], ["--plan", str(tmp_path / "plan")], []):
        ran = frogmove("sync", "--delete", *backup, *option)
        assert ran.code == 0
        assert ("cannot be restored" in ran.err) is bool(expected)
        assert expected in " ".join(ran.err.split())
    assert set(pair.there()) == {"a"}
    # There is nothing to delete now.
    assert "cannot be restored" not in frogmove("sync", "--delete", *backup).err


def test_sync_delete_with_several_processes_deletes_as_well(
    pair: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MIN_OBJECTS", 5)
    keys = [f"{number:03}" for number in range(60)]
    pair.put(*keys[:50])
    pair.put_there(*keys[45:])
    ran = runner(pair)("sync", "--delete", "--processes", "2", "-o", "json")
    assert (ran.code, ran.summary["counts"]["deleted"]) == (0, 10)
    assert set(pair.there()) == set(keys[:50])


def test_sync_delete_deletes_only_what_is_selected(pair: Buckets) -> None:
    pair.put("in/logs/a.csv", "in/logs/b.txt", "in/other/c.csv")
    pair.put_there("out/new/extra.csv", "out/new/extra.txt", "out/new/b.txt", "out/c.csv", "d.csv")
    ends = FrogmoveRunner(pair, ("in/", "out/"))
    selection = ["--prefix", "logs", "--include", "*.csv"]
    mapping = ["--strip-prefix", "logs", "--to-prefix", "new"]
    ran = ends("sync", "--delete", *selection, *mapping, "-o", "json")
    assert ran.outcomes == {"in/logs/a.csv": "copied", "in/logs/extra.csv": "deleted"}
    left = {"out/new/a.csv", "out/new/extra.txt", "out/new/b.txt", "out/c.csv", "d.csv"}
    assert set(pair.there()) == left


def test_sync_delete_of_an_empty_source_deletes_nothing(pair: Buckets) -> None:
    pair.put("b/c")
    pair.put_there("a/1", "b/1")
    ran = runner(pair)("sync", "--delete", "--prefix", "a", "--prefix", "b")
    assert (ran.code, "has no selected objects" in ran.err) == (2, True)
    assert set(pair.there()) == {"a/1", "b/1"}


@pytest.mark.parametrize(("bound", "code"), [("2", 2), ("49%", 2), ("3", 0), ("60%", 0), ("0", 2)])
def test_max_delete_allows_no_more_deletes(pair: Buckets, bound: str, code: int) -> None:
    pair.put("a", "b", "new")
    pair.put_there("a", "b", "1", "2", "3")
    ran = runner(pair)("sync", "--delete", "--max-delete", bound)
    assert ran.code == code
    assert set(pair.there()) == ({"a", "b", "new"} if code == 0 else {"a", "b", "1", "2", "3"})
    if code:
        assert "3 of 5 objects would be deleted" in ran.err


@pytest.mark.parametrize(
    "options",
    [
        ["KEY"],
        ["--from-file", "/dev/null"],
        ["--newer-than", "7d"],
        ["--max-size", "5"],
        ["--storage-class", "GLACIER"],
        ["--tag", "a=b"],
        ["--on-conflict", "keep-both"],
        ["--max-delete", "101%"],
        ["--max-delete", "some"],
        ["--backup", "DESTINATION/old"],
        ["--backup", "SOURCE/old"],
        ["--backup", "nonsense"],
        ["--backup", "s3://no-such-bucket-of-anybody"],
    ],
    ids=lambda options: " ".join(options),
)
def test_sync_delete_refuses_what_does_not_go_with_deletes(
    pair: Buckets, options: list[str]
) -> None:
    pair.put("a")
    pair.put_there("extra")
    names = {"SOURCE": f"s3://{pair.source}", "DESTINATION": f"s3://{pair.destination}"}
    for name, uri in names.items():
        options = [option.replace(name, uri) for option in options]
    ran = runner(pair)("sync", "--delete", *options)
    assert (ran.code, ran.out) == (2, "")
    assert pair.there() == {"extra": b"extra"}


def test_max_delete_without_deletes_is_refused(pair: Buckets) -> None:
    pair.put("a")
    ran = runner(pair)("sync", "--max-delete", "5")
    assert (ran.code, pair.there()) == (2, {})
    assert "--max-delete goes with --delete" in ran.err


def test_disk_without_space_for_the_deletes_is_told_before_anything_is_done(
    pair: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.put("a")
    pair.put_there("extra")
    plan = str(tmp_path / "plan")
    assert runner(pair)("sync", "--delete", "--plan", plan).code == 0
    full = partial(open, "/dev/full", "w+b")
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    for command in (("sync", "--delete"), ("sync", "--delete", "-n"), ("apply", plan)):
        ran = runner(pair)(*command)
        assert (ran.code, ran.out) == (2, "")
        assert "cannot be written: No space left on device" in ran.err
    assert pair.there() == {"extra": b"extra"}


@pytest.mark.parametrize("side", ["source", "destination"])
def test_listing_that_fails_on_a_later_page_deletes_nothing(
    fault_fixture: FaultFixture, few_retries: str, short_pages: None, side: str
) -> None:
    buckets = fault_fixture.buckets
    buckets.put(*"abcdef")
    buckets.put_there(*"abcdefgh")
    bucket = getattr(buckets, side)

    def decide(request: Request) -> Fault:
        is_later = "continuation-token" in request.query or "start-after" in request.query
        return FAIL if request.bucket == bucket and is_later else PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("sync", "--delete")
    assert ran.code == 2
    assert "Nothing was changed" in ran.err
    assert set(buckets.there()) == set("abcdefgh")


def test_sync_delete_leaves_what_a_listing_left_out(
    pair: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.put("a", "b", "c")
    pair.put_there("a", "b", "c", "extra")
    whole = boto_shapes.page

    def half(answer: Any) -> Page:
        page = whole(answer)
        if answer["Name"] != pair.source:
            return page
        return replace(page, objects=[each for each in page.objects if each.key == "a"])

    monkeypatch.setattr(boto_shapes, "page", half)
    ran = runner(pair)("sync", "--delete", "--engine", "boto3", "-o", "json")
    kept = {"b": "superseded", "c": "superseded"}
    assert ran.outcomes == {"a": "skipped", "extra": "deleted", **kept}
    assert set(pair.there()) == {"a", "b", "c"}


@pytest.mark.parametrize("fault", [DROP_AFTER, DROP_BEFORE, FAIL_AFTER], ids=lambda each: each.name)
def test_delete_whose_answer_is_lost_is_sent_again(
    fault_fixture: FaultFixture, few_retries: str, fault: Fault
) -> None:
    buckets = fault_fixture.buckets
    buckets.put("a")
    buckets.put_there("a", "extra", "other")
    fault_fixture.fail(fault, "DeleteObjects", "DeleteObject")
    ran = fault_fixture.frogmove("sync", "--delete", "-o", "json")
    assert ran.code == 0
    assert ran.outcomes == {"a": "skipped", "extra": "deleted", "other": "deleted"}
    assert set(buckets.there()) == {"a"}


def test_sync_delete_deletes_nothing_after_a_copy_failed(
    fault_fixture: FaultFixture, few_retries: str
) -> None:
    buckets = fault_fixture.buckets
    buckets.put("a", "b")
    buckets.put_there("extra")
    fault_fixture.fail(FAIL, "CopyObject", times=100)
    ran = fault_fixture.frogmove("sync", "--delete")
    assert ran.code == 1
    assert "1 object that only the destination has was not deleted" in ran.err
    assert set(buckets.there()) == {"extra"}
    fault_fixture.proxy.schedule = lambda _: PASS
    again = fault_fixture.frogmove("resume", "last", "-o", "json")
    assert again.outcomes == {"a": "copied", "b": "copied", "extra": "deleted"}


@pytest.mark.parametrize("side", ["source", "destination"])
def test_sync_delete_leaves_what_was_written_since_the_listing(
    fault_fixture: FaultFixture, engine: str, side: str
) -> None:
    buckets = fault_fixture.buckets
    buckets.put("a")
    buckets.put_there("a", "extra", "other")
    put = buckets.put if side == "source" else buckets.put_there

    def write(request: Request) -> Fault:
        if request.operation == "HeadObject" and request.key == "extra":
            put("extra", body=b"new")
        return PASS

    fault_fixture.proxy.schedule = write
    ran = fault_fixture.frogmove("sync", "--delete", "-o", "json")
    assert ran.code == 0
    assert ran.outcomes == {"a": "skipped", "extra": "superseded", "other": "deleted"}
    body = b"extra" if side == "source" else b"new"
    assert buckets.there() == {"a": b"a", "extra": body}
    # It was not deleted, so that there is nothing to restore.
    undone = fault_fixture.frogmove("undo", "last", "-n", "-o", "json")
    assert [each["key"] for each in undone.of("action")] == ["other"]


def test_delete_that_was_cut_off_is_in_the_report(pair: Buckets) -> None:
    pair.put("a")
    pair.put_there("a", "extra")
    runner(pair)("sync", "--delete")
    journal = find_journal(None)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2]))
    assert '"deleting"' in lines[1]
    report = runner(pair)("report", "last")
    assert "deleted" in report.out
    assert "it may still be at the destination" in report.out


@pytest.fixture
def client(pair: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name, value in pair.server.environment().items():
        monkeypatch.setenv(name, value)
    with Client(Config(endpoint_url=pair.server.endpoint_url)) as client:
        yield client


def test_client_sync_deletes_as_well(pair: Buckets, client: Client) -> None:
    pair.put("a")
    pair.put_there("a", "extra")
    plan = client.plan(pair.route, command=Command.SYNC, delete=True)
    assert plan.deletions is not None
    assert (plan.deletions.count, plan.deletions.bytes, plan.deletions.of) == (1, 5, 2)
    assert {action.object.key: action.verb for action in plan} == {
        "a": Verb.SKIP,
        "extra": Verb.DELETE,
    }
    with pytest.raises(UsageError, match="--max-delete 0"):
        client.sync(pair.route, delete=True, max_delete=0)
    outcomes = {result.key: result.outcome for result in client.sync(pair.route, delete=True)}
    assert outcomes == {"a": Outcome.SKIPPED, "extra": Outcome.DELETED}
    assert set(pair.there()) == {"a"}


def test_sync_delete_that_was_interrupted_deletes_nothing_and_is_resumed(
    pair: Buckets, client: Client
) -> None:
    pair.put("a", "b")
    pair.put_there("extra")
    run = client.sync(pair.route, delete=True)
    for _ in run:
        run.stop()
    assert (run.summary.interrupted, set(pair.there())) == (True, {"a", "b", "extra"})
    resumed = runner(pair)("resume", "last", "-o", "json")
    assert resumed.outcomes == {"a": "skipped", "b": "skipped", "extra": "deleted"}


def test_apply_that_was_interrupted_deletes_in_its_resume(
    pair: Buckets, client: Client, tmp_path: Path
) -> None:
    pair.put("a", "b")
    pair.put_there("extra")
    file = tmp_path / "plan"
    plan = client.plan(pair.route, command=Command.SYNC, delete=True)
    assert plan.write(file).transfers == 2
    run = client.apply(file)
    next(iter(run))
    run.stop()
    run.close()
    assert "extra" in pair.there()
    resumed = runner(pair)("resume", "last", "-o", "json")
    assert (resumed.code, resumed.outcomes["extra"]) == (0, "deleted")
    assert sorted(pair.there()) == ["a", "b"]
