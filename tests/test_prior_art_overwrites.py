"""How other tools lost data: what was deleted or overwritten unseen.

Each test names where it happened to others; see test_prior_art_metadata.py and
test_prior_art_reporting.py too.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.models import Outcome, Route
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.transfer import run
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.listing import list_prefix
from frogmove.s3.uri import Location, parse_location
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import md5
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.request_hooks import ALWAYS, Reply, refusal

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks

MIB = 1024 * 1024


# 1. `aws s3 mv`, `s5cmd mv`, `rclone move` and `mc mv` delete whatever is there by then.


@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["alone", "in-a-batch"])
def test_an_upload_between_copy_and_delete_is_not_deleted(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, keys: list[str]
) -> None:
    seaweedfs_buckets.put(*keys, body=b"seen")
    for operation in ("DeleteObject", "DeleteObjects"):
        hooks.before(operation, lambda: seaweedfs_buckets.put("a", body=b"newer"))
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "--all", "-o", "json")
    assert ran.code == 0
    assert ran.outcomes == dict.fromkeys(keys, "moved") | {"a": "superseded"}
    assert seaweedfs_buckets.here() == {"a": b"newer"}
    assert seaweedfs_buckets.there() == dict.fromkeys(keys, b"seen")


def test_the_next_run_moves_the_newer_upload_only_if_it_may_overwrite(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    seaweedfs_buckets.put("a", body=b"seen")
    hooks.before("DeleteObject", lambda: seaweedfs_buckets.put("a", body=b"newer"))
    frogmove = FrogmoveRunner(seaweedfs_buckets)
    frogmove("move", "a")
    assert frogmove("move", "a").code == 1
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == (
        {"a": b"newer"},
        {"a": b"seen"},
    )
    assert frogmove("move", "a", "--on-conflict", "overwrite").code == 0
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": b"newer"})


def test_an_upload_before_the_copy_is_not_copied_unseen(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    seaweedfs_buckets.put("a", body=b"seen")
    hooks.before("CopyObject", lambda: seaweedfs_buckets.put("a", body=b"newer"))
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "superseded"})
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": b"newer"}, {})


def test_where_deletes_take_no_condition_the_source_is_looked_at_before(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MinIO and Ceph delete whatever the condition, so HEAD comes first there."""
    seaweedfs_buckets.put("a", body=b"seen")
    ignoring = replace(ALL_SUPPORTED, delete=False, delete_many=False)
    monkeypatch.setattr("frogmove.client.probe", lambda *_: ignoring)
    # Of the looks at the source, the first is the plan's.
    hooks.before(
        "HeadObject",
        lambda: seaweedfs_buckets.put("a", body=b"newer"),
        skip=1,
        match=seaweedfs_buckets.source,
    )
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "superseded"})
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == (
        {"a": b"newer"},
        {"a": b"seen"},
    )


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
    ministack_buckets: Buckets, hooks: RequestHooks, source: str, destination: str
) -> None:
    ministack_buckets.put("a", "logs/a", "logs/2026/a", "/a", "logs//a")
    before = ministack_buckets.state()
    bucket = f"s3://{ministack_buckets.source}"
    ends = ["--source", bucket + source, "--destination", bucket + destination]
    for command in (["move", "--all"], ["move", "a"], ["sync"]):
        ran = FrogmoveRunner(ministack_buckets)(*command, *ends)
        assert (ran.code, ran.out) == (2, "")
        assert "are the same" in ran.err or "contains the other" in ran.err
    assert hooks.requests == []
    assert ministack_buckets.state() == before


@pytest.mark.parametrize(
    "ends", [("/logs", "//logs"), ("//logs", "/logs"), ("/a/b", "/a//b"), ("/a//b", "/a/b")]
)
@pytest.mark.parametrize("policy", [OnConflict.FAIL, OnConflict.OVERWRITE])
def test_a_server_that_folds_slashes_does_not_make_two_places_of_one(
    seaweedfs_buckets: Buckets, ends: tuple[str, str], policy: OnConflict
) -> None:
    seaweedfs_buckets.put("logs/x", "a/b/x")
    before = seaweedfs_buckets.here()
    source, destination = (f"s3://{seaweedfs_buckets.source}{end}" for end in ends)
    where = ["--source", source, "--destination", destination]
    ran = FrogmoveRunner(seaweedfs_buckets)(
        "move", "x", "-o", "json", "--on-conflict", policy.value, *where
    )
    assert (ran.code, list(ran.outcomes.values())) == (1, ["failed"])
    assert seaweedfs_buckets.here() == before


def alias(etag: str | None, *, checksums: bool) -> tuple[FakeS3State, Route]:
    """Return a bucket with two names: no server here has access points, so it is in memory."""
    bucket: dict[str, object] = {}
    state = FakeS3State({"bucket": bucket, "other-name": bucket}, checksums=checksums)  # type: ignore[dict-item]
    state.put("bucket", "key", b"0123456789", etag)
    return state, Route(Location("bucket"), Location("other-name"))


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
    state, route = alias(etag, checksums=checksums)
    s3 = FakeS3(state)
    options = TransferOptions(
        replace(ALL_SUPPORTED, copy_destination=guarded),
        policy,
        multipart=Multipart(threshold, part_size=5),
    )
    actions = plan_move(list_prefix(s3, "bucket", ""), route)
    (result,) = run(actions, s3, route, options, Event())
    assert result.outcome is Outcome.FAILED
    assert "same object under two names" in result.reason
    assert state.bodies("bucket") == {"key": b"0123456789"}
    assert state.uploads == {}


def test_an_access_point_alias_is_refused_by_the_command(
    ministack_buckets: Buckets, hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has no access points: here its answers for the alias are the bucket's own."""
    ministack_buckets.put("a")
    name = "point-abcdefghijklmnopqrstuvwxyz01-s3alias"
    monkeypatch.setattr(
        "frogmove.s3.boto.BotoS3", lambda *args: _Aliased(name, ministack_buckets, *args)
    )
    ran = FrogmoveRunner(ministack_buckets)("move", "--all", "--destination", f"s3://{name}")
    assert (ran.code, ran.out) == (2, "")
    assert "one bucket under two names" in ran.err
    assert hooks.of("CopyObject", "DeleteObject", "DeleteObjects") == []
    assert ministack_buckets.here() == {"a": b"a"}


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
def test_a_200_that_carries_an_error_is_no_copy(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, reply: Reply
) -> None:
    seaweedfs_buckets.put("a", body=b"x")
    s3 = hooks.s3(seaweedfs_buckets.server)
    hooks.answer("CopyObject", reply, times=ALWAYS)
    (result,) = run(
        plan_move([seaweedfs_buckets.seen("a")], seaweedfs_buckets.route),
        s3,
        seaweedfs_buckets.route,
        TransferOptions(ALL_SUPPORTED),
        Event(),
    )
    assert result.outcome is Outcome.FAILED
    assert "source is kept" in result.reason
    assert hooks.of("DeleteObject", "DeleteObjects") == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": b"x"}, {})


@pytest.mark.parametrize("operation", ["CopyObject", "DeleteObject"])
def test_a_200_that_carries_a_passing_error_is_asked_again(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, operation: str
) -> None:
    seaweedfs_buckets.put("a", body=b"x")
    hooks.answer(operation, refusal(200, "InternalError"))
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert len(hooks.of(operation)) == 2
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": b"x"})


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
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    """The name under which both are kept may be the name of another source."""
    twin = f"a.{md5(b'mine')[:8]}.txt"
    seaweedfs_buckets.put("a.txt", body=b"mine")
    seaweedfs_buckets.put(twin, body=b"another")
    seaweedfs_buckets.put_there("a.txt", body=b"theirs")
    ran = FrogmoveRunner(seaweedfs_buckets)(
        "move", "--all", "--on-conflict", "keep-both", "-o", "json"
    )
    # Which of the two comes first is open.
    assert set(ran.outcomes.values()) <= {"moved", "conflict"}
    everything = [*seaweedfs_buckets.here().values(), *seaweedfs_buckets.there().values()]
    assert sorted(everything) == [b"another", b"mine", b"theirs"]


# 5. aws-sdk-net#1388: a leading slash that a library strips makes a copy land on itself.


def test_a_leading_slash_is_part_of_a_key(ministack_buckets: Buckets, hooks: RequestHooks) -> None:
    keys = ["/a", "a", "//a", "/"]
    ministack_buckets.put(*keys)
    ministack_buckets.put_there("a", body=b"theirs")
    ran = FrogmoveRunner(ministack_buckets)("move", "-o", "json", "--", "/a", "//a", "/")
    assert (ran.code, set(ran.outcomes.values())) == (0, {"moved"})
    assert ministack_buckets.here() == {"a": b"a"}
    assert ministack_buckets.there() == {"/a": b"/a", "//a": b"//a", "/": b"/", "a": b"theirs"}


def test_a_leading_slash_keeps_two_places_of_one_bucket_apart(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("/in/a", "in/a")
    ends = [
        f"--source=s3://{ministack_buckets.source}//in",
        f"--destination=s3://{ministack_buckets.source}/out",
    ]
    assert FrogmoveRunner(ministack_buckets)("move", "--all", *ends).code == 0
    assert ministack_buckets.here() == {"out/a": b"/in/a", "in/a": b"in/a"}


# 6. `mv --version-id` copies a version and puts a delete marker on the current one.


def test_a_version_that_is_moved_is_the_one_that_is_deleted(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a", body=b"old")
    old = ministack_buckets.client.head_object(Bucket=ministack_buckets.source, Key="a")[
        "VersionId"
    ]
    ministack_buckets.put("a", body=b"current")
    ran = FrogmoveRunner(ministack_buckets)("move", "a", "--version-id", old, "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert (ministack_buckets.here(), ministack_buckets.there()) == (
        {"a": b"current"},
        {"a": b"old"},
    )
    at_source = [row for row in ministack_buckets.state() if row[0] == ministack_buckets.source]
    assert [row[1] for row in at_source] == ["Versions"]
    assert old not in {row[3] for row in at_source}


def test_a_version_that_is_not_there_is_refused_and_nothing_is_touched(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.version()
    ministack_buckets.put("a", body=b"current")
    before = ministack_buckets.state()
    missing = "00000000-0000-4000-8000-000000000000"
    assert FrogmoveRunner(ministack_buckets)("move", "a", "--version-id", missing).code == 2
    assert ministack_buckets.state() == before


# 9. s3transfer#362: the source changes between two parts, and the object is torn.


@pytest.mark.parametrize("part", [1, 3])
def test_a_source_that_changes_between_parts_tears_nothing(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, part: int
) -> None:
    size = 10 * MIB + 1
    seaweedfs_buckets.put("a", body=b"1" * size)
    s3 = hooks.s3(seaweedfs_buckets.server)
    seen = seaweedfs_buckets.seen("a")
    hooks.before(
        "UploadPartCopy", lambda: seaweedfs_buckets.put("a", body=b"2" * size), skip=part - 1
    )
    options = TransferOptions(ALL_SUPPORTED, multipart=Multipart(5 * MIB, 5 * MIB, at_once=1))
    (result,) = run(
        plan_move([seen], seaweedfs_buckets.route), s3, seaweedfs_buckets.route, options, Event()
    )
    assert result.outcome is Outcome.SUPERSEDED
    assert seaweedfs_buckets.there() == {}
    assert seaweedfs_buckets.here() == {"a": b"2" * size}
    assert "Uploads" not in seaweedfs_buckets.client.list_multipart_uploads(
        Bucket=seaweedfs_buckets.destination
    )


# 16. aws-cli#6953: an object that vanishes during the run is not a failure of the run.


@pytest.mark.parametrize("operation", ["CopyObject", "DeleteObject"])
def test_a_source_that_vanishes_is_no_failure(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, operation: str
) -> None:
    seaweedfs_buckets.put("a")
    hooks.before(
        operation,
        lambda: seaweedfs_buckets.client.delete_object(Bucket=seaweedfs_buckets.source, Key="a"),
    )
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes["a"]) == (0, {"CopyObject": "gone"}.get(operation, "moved"))
    assert seaweedfs_buckets.there() == ({} if operation == "CopyObject" else {"a": b"a"})
