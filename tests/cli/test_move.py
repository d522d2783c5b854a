from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.key_argument import key_argument
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner, run
from tests.factories import md5
from tests.keys import KEYS

if TYPE_CHECKING:
    from tests.request_hooks import RequestHooks
    from tests.servers import Server


def test_move_takes_exactly_the_key_that_is_named(buckets: Buckets) -> None:
    key = "reports/2026 été+1%.csv"
    buckets.put(key, key + "2", "reports/2026", "reports")
    environment: dict[str, str | None] = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    endpoint = ["--endpoint-url", buckets.server.endpoint_url]
    ran = run("move", key, *buckets.ends, *endpoint, environment=environment)
    assert ran.code == 0
    assert buckets.there() == {key: key.encode()}
    assert sorted(buckets.here()) == sorted([key + "2", "reports/2026", "reports"])
    assert ran.out.splitlines()[0].startswith(f"moved       '{key}'")


def test_move_prints_data_to_stdout_and_the_rest_to_stderr(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    ran = frogmove("move", "a", "b")
    assert [line.split()[:2] for line in sorted(ran.out.splitlines())] == [
        ["moved", "a"],
        ["moved", "b"],
    ]
    assert "2 moved; 2 bytes in" in ran.err
    assert "moved" not in ran.err.replace("2 moved;", "").replace("was moved", "")


def test_move_json_lines_have_the_documented_shape(buckets: Buckets) -> None:
    buckets.put("in/a", body=b"12345")
    ran = FrogmoveRunner(buckets, ("in", "out"))("move", "a", "-o", "json")
    (result,) = ran.of("result")
    reason = result.pop("reason")
    assert isinstance(reason, str)
    assert result == {
        "type": "result",
        "key": "in/a",
        "destination_key": "out/a",
        "size": 5,
        "etag": md5(b"12345"),
        "outcome": "moved",
    }
    summary = ran.summary
    assert summary["counts"]["moved"] == 1
    assert sum(summary["counts"].values()) == 1
    assert (summary["bytes"], summary["interrupted"]) == (5, False)
    assert summary["seconds"] >= 0


@pytest.mark.parametrize("how", ["all", "named"])
def test_move_leaves_every_key_unchanged(
    buckets: Buckets, frogmove: FrogmoveRunner, how: str
) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    chosen = ["--all"] if how == "all" else ["--", *keys]
    ran = frogmove("move", "-o", "json", *chosen)
    assert ran.code == 0, ran
    assert buckets.here() == {}
    assert buckets.there() == {key: key.encode() for key in keys}
    assert ran.outcomes == dict.fromkeys(keys, "moved")


def test_move_prints_no_key_that_acts_on_a_terminal(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    dry, real = frogmove("move", "--all", "-n"), frogmove("move", "--all")
    for text in (dry.out, real.out, dry.err, real.err):
        assert {char for char in text if not char.isprintable()} <= {"\n"}
    for key in keys:
        shown = key_argument(key, Location(buckets.source))
        assert f"would move      {shown}" in dry.out
        assert f"moved       {shown}" in real.out


def test_key_that_had_to_be_quoted_can_be_pasted(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("tab\there")
    shown = f"s3://{buckets.source}?key=tab%09here"
    assert f"'{shown}'" in frogmove("ls").out
    assert frogmove("move", shown).code == 0
    assert list(buckets.there()) == ["tab\there"]


def test_move_carries_all_that_belongs_to_a_key(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    headers = {"ContentType": "text/csv", "CacheControl": "no-store", "ContentLanguage": "fr"}
    buckets.client.put_object(
        Bucket=buckets.source,
        Key="a",
        Body=b"x",
        Metadata={"owner": "frog"},
        Tagging="team=pond",
        StorageClass="STANDARD_IA",
        **headers,
    )
    assert frogmove("move", "a").code == 0
    where = {"Bucket": buckets.destination, "Key": "a"}
    there = buckets.client.head_object(**where)
    assert {name: there[name] for name in headers} == headers
    assert there["Metadata"] == {"owner": "frog"}
    assert there["StorageClass"] == "STANDARD_IA"
    tags = buckets.client.get_object_tagging(**where)["TagSet"]
    assert tags == [{"Key": "team", "Value": "pond"}]


def test_move_takes_a_folder_without_its_namesakes(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("logs", "logs/a", "logs/b/c", "logs2", "logs2/d", "log")
    assert frogmove("move", "--prefix", "logs").code == 0
    assert sorted(buckets.there()) == ["logs", "logs/a", "logs/b/c"]
    assert sorted(buckets.here()) == ["log", "logs2", "logs2/d"]


def test_move_keeps_names_under_the_destination(buckets: Buckets) -> None:
    buckets.put("in/a", "in/b//c", "in/", "in2/d", "a")
    frogmove = FrogmoveRunner(buckets, ("in", "out/2026"))
    uri = f"s3://{buckets.source}/in/b//c"
    assert frogmove("move", "a", uri).code == 0
    assert buckets.there() == {"out/2026/a": b"in/a", "out/2026/b//c": b"in/b//c"}
    assert sorted(buckets.here()) == ["a", "in/", "in2/d"]


def test_route_may_lead_to_another_folder_of_the_same_bucket(buckets: Buckets) -> None:
    buckets.put("logs/a", "logs2/b")
    ends = [f"--source=s3://{buckets.source}/logs", f"--destination=s3://{buckets.source}/logs2"]
    assert FrogmoveRunner(buckets)("move", "--all", *ends).code == 0
    assert buckets.here() == {"logs2/a": b"logs/a", "logs2/b": b"logs2/b"}


def test_marker_of_the_source_folder_stays(buckets: Buckets) -> None:
    buckets.put("in/", "in/a", body=b"")
    ran = FrogmoveRunner(buckets, ("in", "out"))("move", "--all", "-o", "json")
    assert ran.outcomes == {"in/": "skipped", "in/a": "moved"}
    assert list(buckets.here()) == ["in/"]


def test_move_of_nothing_is_no_error_where_it_may_be(frogmove: FrogmoveRunner) -> None:
    for chosen in (["--all"], ["--prefix", "nothing"]):
        ran = frogmove("move", *chosen, "--allow-empty")
        assert (ran.code, ran.out) == (0, "")
        assert "nothing to do" in ran.err


def test_dry_run_changes_nothing_and_shows_what_the_real_run_does(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a", "b c", "d/e", body=b"12")
    buckets.put_there("kept", "a", body=b"12")
    before = buckets.state()
    dry = frogmove("move", "--all", "--dry-run", "-o", "json")
    assert dry.code == 0
    assert buckets.state() == before
    real = frogmove("move", "--all", "-o", "json")
    fields = ("key", "destination_key", "size", "etag")
    assert sorted([record[name] for name in fields] for record in dry.of("action")) == sorted(
        [record[name] for name in fields] for record in real.of("result")
    )
    assert {record["action"] for record in dry.of("action")} == {"move"}
    assert dry.summary["objects"] == real.summary["counts"]["moved"] == 3
    assert dry.summary["bytes"] == real.summary["bytes"] == 6


def test_move_does_not_overwrite_what_the_destination_holds(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b", body=b"mine")
    buckets.put_there("a", body=b"theirs")
    ran = frogmove("move", "--all", "-o", "json")
    assert ran.code == 1
    assert ran.outcomes == {"a": "conflict", "b": "moved"}
    assert buckets.here() == {"a": b"mine"}
    assert buckets.there() == {"a": b"theirs", "b": b"mine"}
    text = frogmove("move", "a")
    assert text.code == 1
    assert "conflict" in text.out
    assert "source kept" in text.out


def test_move_that_was_interrupted_is_finished_by_the_next(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", body=b"same")
    buckets.put_there("a", body=b"same")
    ran = frogmove("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert buckets.here() == {}
    assert buckets.there() == {"a": b"same"}


def test_key_named_several_times_is_moved_once(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("a")
    ran = frogmove("move", "a", "a", f"s3://{buckets.source}/a", "-o", "json")
    assert (ran.code, ran.summary["counts"]["moved"]) == (0, 1)


def test_key_that_is_missing_keeps_all_from_being_moved(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    before = buckets.state()
    ran = frogmove("move", "a", "gone", "b")
    assert (ran.code, ran.out) == (2, "")
    assert "'gone'" in ran.err
    assert buckets.state() == before


def test_versioned_source_keeps_what_was_moved_as_a_version(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a")
    assert frogmove("move", "a").code == 0
    assert buckets.here() == {}
    kinds = sorted(str(row[1]) for row in buckets.state() if row[0] == buckets.source)
    assert kinds == ["DeleteMarkers", "Versions"]


@pytest.mark.usefixtures("probing")
def test_move_leaves_only_the_objects_at_either_end(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a")
    frogmove("move", "a", "-v")
    at_source = {row[2] for row in buckets.state() if row[0] == buckets.source}
    assert at_source == {"a"}
    assert list(buckets.there()) == ["a"]


@pytest.mark.matrix
def test_move_takes_more_keys_than_one_page_or_one_batch_holds(ministack: Server) -> None:
    buckets = Buckets.make(ministack)
    keys = [f"{number:04}" for number in range(1_001)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(buckets.put, keys))
    frogmove = FrogmoveRunner(buckets)
    ran = frogmove("move", "--all", "-o", "json")
    assert ran.code == 0
    assert ran.summary["counts"]["moved"] == len(keys)
    assert buckets.here() == {}
    assert frogmove("ls", "--side", "destination", "-o", "json").summary["objects"] == len(keys)


@pytest.mark.parametrize(
    "chosen", [[], ["a", "--all"], ["--prefix", ""], ["--prefix", "a", "--all"]], ids=" ".join
)
def test_move_needs_one_way_of_choosing(
    buckets: Buckets, frogmove: FrogmoveRunner, chosen: list[str]
) -> None:
    buckets.put("a")
    ran = frogmove("move", *chosen)
    assert (ran.code, ran.out) == (2, "")
    assert list(buckets.here()) == ["a"]


def test_move_quiet_prints_only_what_needs_attention(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    buckets.put_there("b", body=b"theirs")
    ran = frogmove("move", "--all", "-q")
    assert ran.code == 1
    (line,) = ran.out.splitlines()
    assert line.startswith("conflict    b ")


def test_server_that_ignores_conditions_is_reported(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a")
    ran = frogmove("move", "a", "-v")
    for words in buckets.server.honours.shortcomings:
        assert words in ran.err


@pytest.mark.parametrize(
    "arguments", [("move", "a"), ("move", "a", "--dry-run"), ("move", "--all")]
)
def test_source_bucket_that_is_not_there_is_not_one_whose_keys_are_gone(
    buckets: Buckets, arguments: tuple[str, ...]
) -> None:
    ran = FrogmoveRunner(replace(buckets, source="frogmove-nobodys-source"))(*arguments)
    assert ran.code == 2
    assert "frogmove-nobodys-source" in ran.err
    assert "does not exist" in ran.err


# aws-sdk-net#1388: a leading slash that a library strips makes a copy land on itself.
def test_leading_slash_is_part_of_a_key(ministack_buckets: Buckets, hooks: RequestHooks) -> None:
    keys = ["/a", "a", "//a", "/"]
    ministack_buckets.put(*keys)
    ministack_buckets.put_there("a", body=b"theirs")
    ran = FrogmoveRunner(ministack_buckets)("move", "-o", "json", "--", "/a", "//a", "/")
    assert (ran.code, set(ran.outcomes.values())) == (0, {"moved"})
    assert ministack_buckets.here() == {"a": b"a"}
    assert ministack_buckets.there() == {"/a": b"/a", "//a": b"//a", "/": b"/", "a": b"theirs"}


def test_leading_slash_keeps_two_places_of_one_bucket_apart(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("/in/a", "in/a")
    ends = [
        f"--source=s3://{ministack_buckets.source}//in",
        f"--destination=s3://{ministack_buckets.source}/out",
    ]
    assert FrogmoveRunner(ministack_buckets)("move", "--all", *ends).code == 0
    assert ministack_buckets.here() == {"out/a": b"/in/a", "in/a": b"in/a"}


def test_folder_is_not_a_prefix(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("logs/a", "logs2/b", "logs")
    for arguments in (
        ["--prefix", "logs"],
        ["--all", "--source", f"s3://{ministack_buckets.source}/logs"],
    ):
        FrogmoveRunner(ministack_buckets)("move", *arguments)
    assert ministack_buckets.here() == {"logs2/b": b"logs2/b"}
