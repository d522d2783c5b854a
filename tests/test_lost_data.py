"""How other tools lost data: what was deleted or overwritten unseen.

Each test names where it happened to others; see test_lost_on_the_way.py and test_lost_count.py too.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.plan import plan_move
from frogmove.core.result import Outcome
from frogmove.core.route import Route
from frogmove.core.terms import Multipart, OnConflict, Terms
from frogmove.core.transfer import run
from frogmove.s3.boto import BotoS3
from frogmove.s3.conditions import ALL
from frogmove.s3.listing import list_prefix
from frogmove.s3.uri import Location, parse_location
from tests.buckets import Buckets
from tests.cli.operator import Operator
from tests.model import ModelS3, World
from tests.objects import md5
from tests.wire import ALWAYS, Reply, refusal

if TYPE_CHECKING:
    from tests.servers import Server
    from tests.wire import Wire

MIB = 1024 * 1024


@pytest.fixture
def sea(seaweedfs: Server) -> Buckets:
    """On the one server that honours every condition."""
    return Buckets.make(seaweedfs)


@pytest.fixture
def mini(ministack: Server) -> Buckets:
    """On the one server that keeps every key and every version."""
    return Buckets.make(ministack)


# 1. `aws s3 mv`, `s5cmd mv`, `rclone move` and `mc mv` delete whatever is there by then.


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["alone", "in-a-batch"])
def test_an_upload_between_copy_and_delete_is_not_deleted(
    sea: Buckets, wire: Wire, keys: list[str]
) -> None:
    sea.put(*keys, body=b"seen")
    for operation in ("DeleteObject", "DeleteObjects"):
        wire.before(operation, lambda: sea.put("a", body=b"newer"))
    ran = Operator(sea)("move", "--all", "-o", "json")
    assert ran.code == 0
    assert ran.outcomes == dict.fromkeys(keys, "moved") | {"a": "superseded"}
    assert sea.here() == {"a": b"newer"}
    assert sea.there() == dict.fromkeys(keys, b"seen")


def test_the_next_run_moves_the_newer_upload_only_if_it_may_overwrite(
    sea: Buckets, wire: Wire
) -> None:
    sea.put("a", body=b"seen")
    wire.before("DeleteObject", lambda: sea.put("a", body=b"newer"))
    frogmove = Operator(sea)
    frogmove("move", "a")
    assert frogmove("move", "a").code == 1
    assert (sea.here(), sea.there()) == ({"a": b"newer"}, {"a": b"seen"})
    assert frogmove("move", "a", "--on-conflict", "overwrite").code == 0
    assert (sea.here(), sea.there()) == ({}, {"a": b"newer"})


def test_an_upload_before_the_copy_is_not_copied_unseen(sea: Buckets, wire: Wire) -> None:
    sea.put("a", body=b"seen")
    wire.before("CopyObject", lambda: sea.put("a", body=b"newer"))
    ran = Operator(sea)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "superseded"})
    assert (sea.here(), sea.there()) == ({"a": b"newer"}, {})


def test_where_deletes_take_no_condition_the_source_is_looked_at_before(
    sea: Buckets, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MinIO and Ceph delete whatever the condition, so HEAD comes first there."""
    sea.put("a", body=b"seen")
    ignoring = replace(ALL, delete=False, delete_many=False)
    monkeypatch.setattr("frogmove.connection.probe", lambda *_: ignoring)
    # Of the looks at the source, the first is the plan's.
    wire.before("HeadObject", lambda: sea.put("a", body=b"newer"), skip=1, match=sea.source)
    ran = Operator(sea)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "superseded"})
    assert wire.of("DeleteObject", "DeleteObjects") == []
    assert (sea.here(), sea.there()) == ({"a": b"newer"}, {"a": b"seen"})


# 2. aws-cli#831, mc#5170, s3cmd#1037: an object that is moved onto itself is deleted.


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("", ""),
        ("/", ""),
        ("/logs", "/logs"),
        ("/logs", "/logs/"),
        ("/logs/", "/logs"),
        ("", "/logs"),
        ("/logs", ""),
        ("/logs", "/logs/2026"),
        ("/logs/2026", "/logs"),
        ("/logs/", "/logs//"),
        ("/", "//"),
        ("//", "/"),
    ],
)
def test_a_place_cannot_be_moved_onto_or_into_itself(
    mini: Buckets, wire: Wire, source: str, destination: str
) -> None:
    mini.put("a", "logs/a", "logs/2026/a", "/a", "logs//a")
    before = mini.state()
    bucket = f"s3://{mini.source}"
    ends = ["--source", bucket + source, "--destination", bucket + destination]
    for command in (["move", "--all"], ["move", "a"], ["sync"]):
        ran = Operator(mini)(*command, *ends)
        assert (ran.code, ran.out) == (2, "")
        assert "same place" in ran.err or "one inside the other" in ran.err
    assert wire.requests == []
    assert mini.state() == before


@pytest.mark.parametrize(
    "ends", [("/logs", "//logs"), ("//logs", "/logs"), ("/a/b", "/a//b"), ("/a//b", "/a/b")]
)
@pytest.mark.parametrize("policy", [OnConflict.FAIL, OnConflict.OVERWRITE])
def test_a_server_that_folds_slashes_does_not_make_two_places_of_one(
    sea: Buckets, ends: tuple[str, str], policy: OnConflict
) -> None:
    sea.put("logs/x", "a/b/x")
    before = sea.here()
    source, destination = (f"s3://{sea.source}{end}" for end in ends)
    where = ["--source", source, "--destination", destination]
    ran = Operator(sea)("move", "x", "-o", "json", "--on-conflict", policy.value, *where)
    assert (ran.code, list(ran.outcomes.values())) == (1, ["failed"])
    assert sea.here() == before


def alias(etag: str | None, *, checksums: bool) -> tuple[World, Route]:
    """Return a bucket with two names: no server here has access points, so it is in memory."""
    bucket: dict[str, object] = {}
    world = World({"bucket": bucket, "other-name": bucket}, checksums=checksums)  # type: ignore[dict-item]
    world.put("bucket", "key", b"0123456789", etag)
    return world, Route(Location("bucket"), Location("other-name"))


@pytest.mark.parametrize("policy", list(OnConflict))
@pytest.mark.parametrize(
    "etag", [None, "k" * 32, md5(b"parts") + "-2"], ids=["md5", "kms", "parts"]
)
@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("threshold", [5, 5_000], ids=["in-parts", "at-once"])
@pytest.mark.parametrize("guarded", [True, False])
def test_a_bucket_under_another_name_is_not_moved_onto_itself(
    policy: OnConflict, etag: str | None, checksums: bool, threshold: int, guarded: bool
) -> None:
    world, route = alias(etag, checksums=checksums)
    s3 = ModelS3(world)
    terms = Terms(
        replace(ALL, copy_destination=guarded),
        policy,
        multipart=Multipart(threshold, part_size=5),
    )
    actions = plan_move(list_prefix(s3, "bucket", ""), route)
    (result,) = run(actions, s3, route, terms, Event())
    assert result.outcome is Outcome.FAILED
    assert "one place under two names" in result.reason
    assert world.bodies("bucket") == {"key": b"0123456789"}
    assert world.uploads == {}


def test_an_access_point_alias_is_refused_by_the_command(
    mini: Buckets, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has no access points: here its answers for the alias are the bucket's own."""
    mini.put("a")
    name = "point-abcdefghijklmnopqrstuvwxyz01-s3alias"
    monkeypatch.setattr("frogmove.connection.BotoS3", lambda *args: _Aliased(name, mini, *args))
    ran = Operator(mini)("move", "--all", "--destination", f"s3://{name}")
    assert (ran.code, ran.out) == (2, "")
    assert "one bucket under two names" in ran.err
    assert wire.of("CopyObject", "DeleteObject", "DeleteObjects") == []
    assert mini.here() == {"a": b"a"}


class _Aliased(BotoS3):
    """Knows one bucket under a second name."""

    def __init__(self, name: str, buckets: Buckets, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._client.meta.events.register(
            "provide-client-params.s3",
            lambda params, **_: params | _renamed(params, name, buckets.source),
        )


def _renamed(params: dict[str, object], name: str, real: str) -> dict[str, object]:
    return {"Bucket": real} if params.get("Bucket") == name else {}


# 3. minio-go#2305: a 200 answer that carries an error, taken for success.


@pytest.mark.parametrize(
    "reply",
    [refusal(200, "AccessDenied"), Reply(200), Reply(200, "<CopyObjectResult/>")],
    ids=["refusal", "empty", "no-etag"],
)
def test_a_200_that_carries_an_error_is_no_copy(sea: Buckets, wire: Wire, reply: Reply) -> None:
    sea.put("a", body=b"x")
    s3 = wire.s3(sea.server)
    wire.answer("CopyObject", reply, times=ALWAYS)
    (result,) = run(plan_move([sea.seen("a")], sea.route), s3, sea.route, Terms(ALL), Event())
    assert result.outcome is Outcome.FAILED
    assert "source is kept" in result.reason
    assert wire.of("DeleteObject", "DeleteObjects") == []
    assert (sea.here(), sea.there()) == ({"a": b"x"}, {})


@pytest.mark.parametrize("operation", ["CopyObject", "DeleteObject"])
def test_a_200_that_carries_a_passing_error_is_asked_again(
    sea: Buckets, wire: Wire, operation: str
) -> None:
    sea.put("a", body=b"x")
    wire.answer(operation, refusal(200, "InternalError"))
    ran = Operator(sea)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert len(wire.of(operation)) == 2
    assert (sea.here(), sea.there()) == ({}, {"a": b"x"})


# 4. Two sources, one destination key: the second overwrites the first.

names = st.text(st.sampled_from("/.ab"), min_size=1, max_size=6)
prefixes = st.sampled_from(["", "a", "a/b", "a//b", "b/"])


@given(st.sets(names), prefixes, prefixes)
def test_no_two_keys_of_a_route_have_one_destination(
    keys: set[str], source: str, destination: str
) -> None:
    route = Route(
        parse_location(f"s3://external/{source}"), parse_location(f"s3://int/{destination}")
    )
    inside = {route.source.prefix + key for key in keys}
    assert len({route.destination_key(key) for key in inside}) == len(inside)


def test_two_sources_that_are_kept_under_one_name_do_not_overwrite_each_other(
    sea: Buckets, wire: Wire
) -> None:
    """The name under which both are kept may be the name of another source."""
    twin = f"a.{md5(b'mine')[:8]}.txt"
    sea.put("a.txt", body=b"mine")
    sea.put(twin, body=b"another")
    sea.put_there("a.txt", body=b"theirs")
    ran = Operator(sea)("move", "--all", "--on-conflict", "keep-both", "-o", "json")
    # Which of the two comes first is open.
    assert set(ran.outcomes.values()) <= {"moved", "conflict"}
    everything = [*sea.here().values(), *sea.there().values()]
    assert sorted(everything) == [b"another", b"mine", b"theirs"]


# 5. aws-sdk-net#1388: a leading slash that a library strips makes a copy land on itself.


def test_a_leading_slash_is_part_of_a_key(mini: Buckets, wire: Wire) -> None:
    keys = ["/a", "a", "//a", "/"]
    mini.put(*keys)
    mini.put_there("a", body=b"theirs")
    ran = Operator(mini)("move", "-o", "json", "--", "/a", "//a", "/")
    assert (ran.code, set(ran.outcomes.values())) == (0, {"moved"})
    assert mini.here() == {"a": b"a"}
    assert mini.there() == {"/a": b"/a", "//a": b"//a", "/": b"/", "a": b"theirs"}


def test_a_leading_slash_keeps_two_places_of_one_bucket_apart(mini: Buckets) -> None:
    mini.put("/in/a", "in/a")
    ends = [f"--source=s3://{mini.source}//in", f"--destination=s3://{mini.source}/out"]
    assert Operator(mini)("move", "--all", *ends).code == 0
    assert mini.here() == {"out/a": b"/in/a", "in/a": b"in/a"}


# 6. `mv --version-id` copies a version and puts a delete marker on the current one.


def test_a_version_that_is_moved_is_the_one_that_is_deleted(mini: Buckets, wire: Wire) -> None:
    mini.version()
    mini.put("a", body=b"old")
    old = mini.client.head_object(Bucket=mini.source, Key="a")["VersionId"]
    mini.put("a", body=b"current")
    ran = Operator(mini)("move", "a", "--version-id", old, "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert (mini.here(), mini.there()) == ({"a": b"current"}, {"a": b"old"})
    at_source = [row for row in mini.state() if row[0] == mini.source]
    assert [row[1] for row in at_source] == ["Versions"]
    assert old not in {row[3] for row in at_source}


def test_a_version_that_is_not_there_is_refused_and_nothing_is_touched(
    mini: Buckets, wire: Wire
) -> None:
    mini.version()
    mini.put("a", body=b"current")
    before = mini.state()
    missing = "00000000-0000-4000-8000-000000000000"
    assert Operator(mini)("move", "a", "--version-id", missing).code == 2
    assert mini.state() == before


# 9. s3transfer#362: the source changes between two parts, and the object is torn.


@pytest.mark.parametrize("part", [1, 3])
def test_a_source_that_changes_between_parts_tears_nothing(
    sea: Buckets, wire: Wire, part: int
) -> None:
    size = 10 * MIB + 1
    sea.put("a", body=b"1" * size)
    s3 = wire.s3(sea.server)
    seen = sea.seen("a")
    wire.before("UploadPartCopy", lambda: sea.put("a", body=b"2" * size), skip=part - 1)
    terms = Terms(ALL, multipart=Multipart(5 * MIB, 5 * MIB, at_once=1))
    (result,) = run(plan_move([seen], sea.route), s3, sea.route, terms, Event())
    assert result.outcome is Outcome.SUPERSEDED
    assert sea.there() == {}
    assert sea.here() == {"a": b"2" * size}
    assert "Uploads" not in sea.client.list_multipart_uploads(Bucket=sea.destination)


# 16. aws-cli#6953: an object that vanishes during the run is not a failure of the run.


@pytest.mark.parametrize("operation", ["CopyObject", "DeleteObject"])
def test_a_source_that_vanishes_is_no_failure(sea: Buckets, wire: Wire, operation: str) -> None:
    sea.put("a")
    wire.before(operation, lambda: sea.client.delete_object(Bucket=sea.source, Key="a"))
    ran = Operator(sea)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes["a"]) == (0, {"CopyObject": "gone"}.get(operation, "moved"))
    assert sea.there() == ({} if operation == "CopyObject" else {"a": b"a"})
