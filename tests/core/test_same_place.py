"""Whether two places are one: nothing is moved onto itself, and asking leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.models import Outcome, Route
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move
from frogmove.core.same_place import is_same_place
from frogmove.core.scheduler import run_one
from frogmove.core.transfer import run
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED, AWS
from frogmove.s3.errors import S3Error
from frogmove.s3.listing import list_prefix
from frogmove.s3.uri import Location
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import md5
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.buckets import Buckets
    from tests.request_hooks import RequestHooks


# aws-cli#831, mc#5170, s3cmd#1037: an object that is moved onto itself is deleted.
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
def test_route_onto_or_into_itself_is_refused_before_any_request(
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
def test_move_on_a_server_that_folds_slashes_keeps_the_object(
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
def test_move_of_a_bucket_under_another_name_onto_itself_fails(
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


def test_object_of_the_same_second_is_not_asked_about_on_aws() -> None:
    """Every object has one name there, and a temporary key may trigger something."""
    asked: list[str] = []

    def interceptor(operation: str, request: Callable[[], Any]) -> Any:
        asked.append(operation)
        return request()

    state = FakeS3State({"external": {}, "internal": {}})
    stored = state.put("external", "key", b"0123456789")
    state.buckets["internal"]["key"] = stored
    s3, route = FakeS3(state, interceptor), Route(Location("external"), Location("internal"))
    actions = plan_move(list_prefix(s3, "external", ""), route)
    (result,) = run(actions, s3, route, TransferOptions(AWS), Event())
    assert result.outcome is Outcome.MOVED
    assert not {"PutObject", "CreateMultipartUpload"} & set(asked), asked
    assert (state.bodies("external"), state.bodies("internal")) == ({}, {"key": b"0123456789"})


@pytest.mark.parametrize("name", ["point-abc-s3alias", "point-abc-ext-s3alias", "point-abc--ol-s3"])
def test_move_of_a_bucket_under_an_alias_onto_itself_fails_on_aws(name: str) -> None:
    bucket: dict[str, object] = {}
    state = FakeS3State({"bucket": bucket, name: bucket})  # type: ignore[dict-item]
    state.put("bucket", "key", b"0123456789")
    s3, route = FakeS3(state), Route(Location(name), Location("bucket"))
    actions = plan_move(list_prefix(s3, name, ""), route)
    (result,) = run(actions, s3, route, TransferOptions(AWS), Event())
    assert result.outcome is Outcome.FAILED
    assert state.bodies("bucket") == {"key": b"0123456789"}
    assert state.uploads == {}


ALIAS = "point-abcdefghijklmnopqrstuvwxyz01-s3alias"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked for that writes or deletes, by the engine's own methods."""
    asked: list[str] = []

    def watch(name: str) -> None:
        method = getattr(BotoS3, name)

        def watched(self: BotoS3, *args: Any) -> Any:
            asked.append(name)
            return method(self, *args)

        monkeypatch.setattr(BotoS3, name, watched)

    for name in ("put", "copy", "delete", "delete_many", "create_upload"):
        watch(name)
    return asked


def test_is_same_place_needs_no_permission_to_delete() -> None:
    state = FakeS3State({"external": {}, "internal": {}})

    def interceptor(operation: str, request: Callable[[], Any]) -> Any:
        if operation in {"DeleteObject", "DeleteObjects"}:
            raise S3Error(operation, "AccessDenied", 403, "No.")
        return request()

    s3 = FakeS3(state, interceptor)
    here, there = Location("external", "a/"), Location("internal", "a/")
    assert run_one(is_same_place(s3, here, there)) is False
    assert run_one(is_same_place(s3, there, there)) is True
    assert (state.bodies("external"), state.bodies("internal"), state.uploads) == ({}, {}, {})


# Behind an access point's alias.
@pytest.fixture
def aliased(ministack_buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> FrogmoveRunner:
    """Know the source bucket under a second name: this server has no access points."""

    class Aliased(BotoS3):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self._client.meta.events.register("provide-client-params.s3", renamed)

    def renamed(params: dict[str, Any], **_: object) -> None:
        if params.get("Bucket") == ALIAS:
            params["Bucket"] = ministack_buckets.source

    monkeypatch.setattr("frogmove.s3.boto.BotoS3", Aliased)
    return FrogmoveRunner(ministack_buckets)


@pytest.mark.parametrize("end", ["--source", "--destination"])
def test_dry_run_finds_an_alias_and_writes_nothing(
    ministack_buckets: Buckets, aliased: FrogmoveRunner, written: list[str], end: str
) -> None:
    ministack_buckets.put("a", "b")
    ends = {
        "--source": f"s3://{ministack_buckets.source}",
        "--destination": f"s3://{ministack_buckets.source}",
    }
    ends[end] = f"s3://{ALIAS}"
    ran = aliased("move", "--all", "-n", *(part for pair in ends.items() for part in pair))
    assert ran.code == 2
    assert "one bucket under two names" in ran.err
    assert written == []


def test_dry_run_between_an_alias_and_another_bucket_writes_nothing(
    ministack_buckets: Buckets, aliased: FrogmoveRunner, written: list[str]
) -> None:
    ministack_buckets.put("a")
    ministack_buckets.put_there("z")
    ran = aliased("move", "--all", "-n", "--source", f"s3://{ALIAS}")
    assert ran.code == 0
    assert "a" in ran.out
    assert written == []


def test_move_finds_an_alias_without_writing_an_object(
    ministack_buckets: Buckets, aliased: FrogmoveRunner, written: list[str]
) -> None:
    """Objects set off notifications; an upload that never ends sets off nothing."""
    ministack_buckets.put("a")
    ran = aliased("move", "--all", "--destination", f"s3://{ALIAS}")
    assert (ran.code, ran.out) == (2, "")
    assert "one bucket under two names" in ran.err
    assert written == ["create_upload"]
    assert ministack_buckets.here() == {"a": b"a"}
    assert "Uploads" not in ministack_buckets.client.list_multipart_uploads(
        Bucket=ministack_buckets.source
    )
