from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.keys import KEYS
from tests.request_hooks import ALWAYS, RequestHooks, refusal

if TYPE_CHECKING:
    from tests.servers import Server


def test_sync_gives_the_destination_what_it_lacks_and_keeps_the_source(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b/c", "d")
    buckets.put_there("d", "theirs")
    ran = frogmove("sync", "-o", "json")
    assert ran.code == 0
    assert ran.outcomes == {"a": "copied", "b/c": "copied", "d": "skipped"}
    assert buckets.here() == {"a": b"a", "b/c": b"b/c", "d": b"d"}
    assert buckets.there() == {"a": b"a", "b/c": b"b/c", "d": b"d", "theirs": b"theirs"}


def test_sync_replaces_what_differs(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    buckets.put("size", body=b"longer")
    buckets.put_there("size", body=b"short")
    buckets.put("bytes", body=b"new!")
    buckets.put_there("bytes", body=b"old!")
    buckets.put("same", body=b"same")
    buckets.put_there("same", body=b"same")
    ran = frogmove("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (
        0,
        {"size": "copied", "bytes": "copied", "same": "skipped"},
    )
    assert buckets.there() == {"size": b"longer", "bytes": b"new!", "same": b"same"}


def test_sync_that_is_repeated_has_nothing_to_do(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("a", "b")
    frogmove("sync")
    before = buckets.state()
    again = frogmove("sync", "-o", "json")
    assert (again.code, set(again.outcomes.values())) == (0, {"skipped"})
    assert buckets.state() == before


def test_sync_leaves_every_key_unchanged(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    ran = frogmove("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "copied"))
    assert buckets.there() == buckets.here() == {key: key.encode() for key in keys}


def test_sync_takes_only_the_folders_of_the_route(buckets: Buckets) -> None:
    buckets.put("in/a", "in/b", "in2/c", "a")
    buckets.put_there("out/b", body=b"in/b")
    buckets.put_there("a")
    ran = FrogmoveRunner(buckets, ("in", "out"))("sync", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"in/a": "copied", "in/b": "skipped"})
    assert buckets.there() == {"a": b"a", "out/a": b"in/a", "out/b": b"in/b"}


def test_dry_run_changes_nothing_and_shows_what_the_real_run_does(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a", "b")
    buckets.put("c", body=b"new!")
    buckets.put_there("b")
    buckets.put_there("c", body=b"old!")
    before = buckets.state()
    dry = frogmove("sync", "-n", "-o", "json")
    assert dry.code == 0
    assert buckets.state() == before
    actions = {record["key"]: record["action"] for record in dry.of("action")}
    assert actions == {"a": "copy", "b": "skip", "c": "copy"}
    real = frogmove("sync", "-o", "json")
    done = {"copied": "copy", "skipped": "skip"}
    assert {key: done[outcome] for key, outcome in real.outcomes.items()} == actions
    assert dry.summary["objects"] == real.summary["counts"]["copied"]
    assert dry.summary["bytes"] == real.summary["bytes"]


def test_sync_mentions_what_is_alike_only_on_request(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("new", "old")
    buckets.put_there("old")
    dry = frogmove("sync", "-n")
    assert [line.split()[:3] for line in dry.out.splitlines()] == [["would", "copy", "new"]]
    assert dry.err.splitlines()[1] == "1 object, 3 bytes"
    reported = frogmove("sync", "-n", "-v")
    assert any(line.startswith("would skip      old") for line in reported.out.splitlines())


def test_sync_carries_all_that_belongs_to_a_key(buckets: Buckets, frogmove: FrogmoveRunner) -> None:
    where = {"Bucket": buckets.source, "Key": "a"}
    buckets.client.put_object(
        **where, Body=b"x", ContentType="text/csv", Metadata={"owner": "frog"}, Tagging="team=pond"
    )
    assert frogmove("sync").code == 0
    there = where | {"Bucket": buckets.destination}
    head = buckets.client.head_object(**there)
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"owner": "frog"})
    tags = buckets.client.get_object_tagging(**there)["TagSet"]
    assert tags == [{"Key": "team", "Value": "pond"}]


def test_server_that_lists_out_of_order_is_refused_and_nothing_is_overwritten(
    seaweedfs: Server,
) -> None:
    buckets = Buckets.make(seaweedfs)
    # By UTF-8 bytes "a!" comes before "a/b"; in a tree of folders it comes after.
    buckets.put("a/b", "a!")
    buckets.put_there("a/b", "a!", body=b"theirs")
    ran = FrogmoveRunner(buckets)("sync", "-n")
    assert ran.code == 1
    assert "listings in key order" in ran.err
    assert buckets.there() == {"a!": b"theirs", "a/b": b"theirs"}


# s5cmd#695, mc#2048: an error while listing the source empties the destination.
@pytest.mark.parametrize(
    ("side", "page"), [("source", 1), ("source", 2), ("destination", 1), ("destination", 2)]
)
@pytest.mark.parametrize("code", ["AccessDenied", "MalformedXML"])
def test_listing_that_breaks_deletes_and_overwrites_nothing(
    ministack_buckets: Buckets, hooks: RequestHooks, side: str, page: int, code: str
) -> None:
    ministack_buckets.put("a", "b", "c", "d", "e")
    ministack_buckets.put_there("b", "c", "d", "e", "kept", body=b"theirs")
    before = ministack_buckets.there()
    hooks.page = 2
    bucket = getattr(ministack_buckets, side)
    # The first page, before anything is touched, also shows whether the bucket is there.
    hooks.answer("ListObjectsV2", refusal(403, code), match=bucket, skip=page, times=ALWAYS)
    ran = FrogmoveRunner(ministack_buckets)("sync", "-o", "json")
    assert ran.code == 1
    assert "ended early" in ran.err
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert sorted(ministack_buckets.here()) == ["a", "b", "c", "d", "e"]
    there = ministack_buckets.there()
    assert there["kept"] == b"theirs"
    assert set(before) <= set(there)
    # What was replaced had been listed on both sides.
    for key in set(there) & {"a", "b", "c", "d", "e"}:
        assert there[key] in {key.encode(), b"theirs"}


def test_sync_leaves_what_only_the_destination_has(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("a")
    ministack_buckets.put_there("kept")
    assert FrogmoveRunner(ministack_buckets)("sync").code == 0
    assert ministack_buckets.there() == {"a": b"a", "kept": b"kept"}
