"""``frogmove verify``: nothing is changed, and nothing that was not compared counts as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove import Client, Config, Status
from frogmove.run_store import find_journal
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, Ran
from tests.fault_proxy import FAIL, PASS, Fault, Request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fault_fixture import FaultFixture
    from tests.servers import Server


@pytest.fixture
def pair(ministack: Server) -> Buckets:
    return Buckets.make(ministack)


@pytest.fixture
def verify(pair: Buckets) -> FrogmoveRunner:
    return FrogmoveRunner(pair)


def statuses(ran: Ran) -> dict[str, str]:
    return {record["key"]: record["status"] for record in ran.of("verified")}


def differ(pair: Buckets) -> None:
    """Put every kind of difference into both buckets."""
    pair.put("same", "missing")
    pair.put("size", body=b"longer")
    pair.put("etag", body=b"new!")
    pair.put_there("same", "extra")
    pair.put_there("size", body=b"short")
    pair.put_there("etag", body=b"old!")
    pair.put_in_parts(pair.source, "parts", b"frog")
    pair.put_there("parts", body=b"frog")


def test_verify_names_every_difference_and_changes_nothing(
    pair: Buckets, verify: FrogmoveRunner
) -> None:
    pair.version()
    differ(pair)
    before = pair.state()
    ran = verify("verify", "-o", "json")
    assert ran.code == 1
    assert statuses(ran) == {
        "same": "same",
        "missing": "missing",
        "extra": "extra",
        "size": "different",
        "etag": "different",
        "parts": "not-compared",
    }
    reported = dict.fromkeys(("same", "missing", "extra", "not-compared"), 1)
    counts = reported | {"different": 2, "not-deleted": 0}
    assert ran.summary == {"type": "summary", "counts": counts, "complete": True}
    assert pair.state() == before


def test_verify_tells_a_person_what_differs_and_how_to_find_out_more(
    pair: Buckets, verify: FrogmoveRunner
) -> None:
    differ(pair)
    ran = verify("verify")
    lines = {line.split()[1]: line for line in ran.out.splitlines()}
    assert set(lines) == {"missing", "extra", "size", "etag", "parts"}
    assert "6 bytes at the source, 5 at the destination" in lines["size"]
    assert "--compare content" in lines["parts"]
    summary = "2 different, 1 extra, 1 missing, 1 not-compared, 1 same"
    assert ran.err.splitlines()[-1] == summary


def test_verify_calls_equal_sides_the_same(pair: Buckets, verify: FrogmoveRunner) -> None:
    pair.put("a", "b/c")
    pair.put_there("a", "b/c")
    ran = verify("verify", "-v")
    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
    assert ran.err.splitlines()[-1] == "2 same"


@pytest.mark.parametrize(("body", "status"), [(b"frog", "same"), (b"toad", "different")])
def test_verify_compares_the_bytes_where_nothing_else_decides(
    pair: Buckets, verify: FrogmoveRunner, body: bytes, status: str
) -> None:
    pair.put_in_parts(pair.source, "a", b"frog")
    pair.put_there("a", body=body)
    ran = verify("verify", "--compare", "content", "-o", "json")
    assert (ran.code, statuses(ran)) == (int(status != "same"), {"a": status})
    too_large = verify("verify", "--compare", "content", "--max-compare-size", "3", "-o", "json")
    assert (too_large.code, statuses(too_large)) == (1, {"a": "not-compared"})
    by_size = verify("verify", "--compare", "size", "-o", "json")
    assert (by_size.code, statuses(by_size)) == (0, {"a": "same"})


def test_verify_compares_only_what_is_selected_and_its_twin_is_no_extra(pair: Buckets) -> None:
    pair.put("in/logs/a.csv", "in/logs/b.txt", "in/other/c.csv")
    pair.put("in/logs/large.csv", body=b"x" * 99)
    pair.put_there("out/new/a.csv", body=b"in/logs/a.csv")
    pair.put_there("out/new/b.txt", "out/new/extra.csv", "out/new/extra.txt", "out/c.csv")
    pair.put_there("out/new/large.csv", body=b"x")
    selection = ["--prefix", "logs", "--include", "**.csv", "--max-size", "50"]
    mapping = ["--strip-prefix", "logs", "--to-prefix", "new"]
    verify = FrogmoveRunner(pair, ("in/", "out/"))
    ran = verify("verify", *selection, *mapping, "-o", "json")
    assert statuses(ran) == {"in/logs/a.csv": "same", "in/logs/extra.csv": "extra"}


def test_verify_takes_folder_markers_of_the_route_for_no_difference(pair: Buckets) -> None:
    pair.put("in/", body=b"")
    pair.put("in/a")
    pair.put_there("out/", body=b"")
    pair.put_there("out/a", body=b"in/a")
    ran = FrogmoveRunner(pair, ("in/", "out/"))("verify", "-o", "json")
    assert (ran.code, statuses(ran)) == (0, {"in/a": "same"})


def test_verify_looks_a_list_of_keys_up_on_both_sides(
    pair: Buckets, verify: FrogmoveRunner, tmp_path: Path
) -> None:
    pair.put("a", "b")
    pair.put_there("a", "c")
    keys = tmp_path / "keys"
    keys.write_text("a\nb\nc\nd\n")
    ran = verify("verify", "--from-file", str(keys), "-o", "json")
    assert statuses(ran) == {"a": "same", "b": "missing", "c": "extra", "d": "missing"}
    assert ran.code == 1


def test_verify_of_nothing_is_no_success(verify: FrogmoveRunner) -> None:
    ran = verify("verify", "--prefix", "nothing")
    assert (ran.code, ran.out) == (1, "")
    assert verify("verify", "--prefix", "nothing", "--allow-empty").code == 0


@pytest.mark.parametrize("side", ["source", "destination"])
def test_verify_is_no_success_where_a_listing_breaks(
    fault_fixture: FaultFixture, few_retries: str, short_pages: None, side: str
) -> None:
    buckets = fault_fixture.buckets
    for key in "abcdef":
        buckets.put(key)
        buckets.put_there(key)
    bucket = getattr(buckets, side)

    def decide(request: Request) -> Fault:
        is_later = "continuation-token" in request.query or "start-after" in request.query
        return FAIL if request.bucket == bucket and is_later else PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("verify", "-o", "json")
    assert ran.code == 1
    assert "The verification is incomplete" in ran.err
    assert ran.summary["complete"] is False


def last_run() -> str:
    return find_journal(None).stem


@pytest.mark.parametrize("command", ["move", "copy", "sync"])
def test_verify_of_a_run_goes_by_its_journal(
    pair: Buckets, verify: FrogmoveRunner, command: str
) -> None:
    pair.put("a", "b")
    pair.put_there("theirs")
    arguments = [] if command == "sync" else ["--all"]
    assert verify(command, *arguments).code == 0
    before = pair.state()
    ran = verify("verify", "last", "-o", "json", FROGMOVE_SOURCE="s3://another")
    assert (ran.code, statuses(ran)) == (0, {"a": "same", "b": "same"})
    assert pair.state() == before
    pair.client.delete_object(Bucket=pair.destination, Key="a")
    pair.put_there("b", body=b"replaced")
    again = verify("verify", last_run(), "-o", "json")
    assert (again.code, statuses(again)) == (1, {"a": "missing", "b": "different"})


def test_verify_names_a_source_that_is_there_after_a_move_but_not_a_new_upload(
    pair: Buckets, verify: FrogmoveRunner
) -> None:
    pair.put("again", "new")
    verify("move", "--all")
    pair.put("again")
    pair.put("new", body=b"another")
    ran = verify("verify", "last", "-o", "json")
    assert (ran.code, statuses(ran)) == (1, {"again": "not-deleted", "new": "same"})


def test_verify_is_no_success_where_a_run_left_something_undone(
    pair: Buckets, verify: FrogmoveRunner
) -> None:
    pair.put("a", "b")
    pair.put_there("b", body=b"theirs")
    assert verify("move", "--all").code == 1
    ran = verify("verify", "last", "-o", "json")
    assert (ran.code, statuses(ran)) == (1, {"a": "same"})
    assert "1 conflict" in ran.err
    assert ran.summary["complete"] is False


def test_verify_takes_a_run_with_its_resumes(pair: Buckets, verify: FrogmoveRunner) -> None:
    pair.put("a", "b")
    verify("move", "a")
    first = find_journal(None)
    lines = first.read_text().splitlines(keepends=True)
    # As after a crash: it does not tell its end, nor what became of its copy.
    first.write_text(
        "".join(line for line in lines if '"type": "copied"' in line or line == lines[0])
    )
    ran = verify("verify", "last", "-o", "json")
    assert (ran.code, statuses(ran)) == (1, {"a": "same"})
    assert f"frogmove resume {first.stem}" in ran.err
    assert verify("resume", first.stem).code == 0
    assert verify("verify", first.stem).code == 0


def test_verify_and_undo_do_not_take_a_resume_without_its_runs_journal_for_the_whole(
    pair: Buckets, verify: FrogmoveRunner, tmp_path: Path
) -> None:
    runner = FrogmoveRunner(pair, ("", "longer/"))
    pair.put("a", "k" * 1020)
    journal = str(tmp_path / "journal")
    assert runner("move", "--all", "--journal", journal).code == 1
    pair.client.delete_object(Bucket=pair.source, Key="k" * 1020)
    assert runner("resume", journal).code == 0
    for command in (("verify", "last"), ("undo", "last", "-n")):
        ran = runner(*command)
        assert (ran.code, "is not in" in ran.err or "was not found" in ran.err) == (1, True)
    assert [runner(verb, journal).code for verb in ("verify", "undo")] == [0, 0]
    assert (list(pair.here()), pair.there()) == (["a"], {})


@pytest.mark.parametrize("option", [["--prefix", "a"], ["--source", "s3://b"], ["--compare=size"]])
def test_verify_of_a_run_refuses_options_that_its_journal_has(
    pair: Buckets, verify: FrogmoveRunner, option: list[str]
) -> None:
    pair.put("a")
    verify("move", "--all")
    ran = verify("verify", "last", *option)
    assert (ran.code, ran.out) == (2, "")
    assert option[0].partition("=")[0] in ran.err


def test_client_verifies_as_well(pair: Buckets) -> None:
    differ(pair)
    config = Config(endpoint_url=pair.server.endpoint_url)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in pair.server.environment().items():
            patch.setenv(name, value or "")
        with Client(config) as client:
            verification = client.verify(pair.route, "same", "missing")
            assert {each.key: each.status for each in verification} == {
                "same": Status.SAME,
                "missing": Status.MISSING,
            }
            assert verification.summary.complete
            assert not verification.summary.same
            assert {each.key for each in client.verify(pair.route, include="[se]*")} == {
                "same",
                "size",
                "extra",
                "etag",
            }
