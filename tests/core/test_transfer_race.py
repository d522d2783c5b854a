"""Somebody writes to the source or the destination while an object is on its way.

SeaweedFS alone honours every condition, so this is where the protocol meets a real one.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.models import Outcome
from frogmove.core.options import Multipart, OnConflict, TransferOptions
from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.transfer import run
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.listing import list_prefix
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.core.models import Action, Result
    from frogmove.s3.future import Future
    from frogmove.s3.models import Copied, Copy, Deletion
    from tests.request_hooks import RequestHooks
    from tests.servers import Server


class Raced(BotoS3):
    """S3 where something happens just before or just after each copy is made.

    Args:
        buckets: where.
        before: what happens before a copy is sent.
        after: what happens after it was answered.
    """

    def __init__(
        self,
        buckets: Buckets,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(buckets.client, 4)
        self._before = before
        self._after = after

    def copy(self, copy: Copy) -> Future[Copied]:
        """Copy for real, among what happens."""
        if self._before is not None:
            self._before()
        answer = super().copy(copy)
        # No matter how: what happens next happens when the real copy has been made.
        answer.exception()
        if self._after is not None:
            self._after()
        return answer


@pytest.fixture
def buckets(seaweedfs: Server) -> Buckets:
    return Buckets.make(seaweedfs)


def move(s3: BotoS3, buckets: Buckets, on_conflict: OnConflict = OnConflict.FAIL) -> list[Result]:
    """Move everything at the source."""
    actions = plan_move(list(list_prefix(s3, buckets.source, "")), buckets.route)
    return results(actions, s3, buckets, on_conflict)


def sync(s3: BotoS3, buckets: Buckets) -> list[Result]:
    """Sync everything at the source."""
    here, there = (
        list(list_prefix(s3, bucket, "")) for bucket in (buckets.source, buckets.destination)
    )
    return results(plan_sync(here, there, buckets.route), s3, buckets, OnConflict.FAIL)


def results(
    actions: Iterator[Action], s3: BotoS3, buckets: Buckets, on_conflict: OnConflict
) -> list[Result]:
    options = TransferOptions(ALL_SUPPORTED, on_conflict, concurrency=4)
    found = list(run(actions, s3, buckets.route, options, Event()))
    s3.close()
    return found


def outcomes(found: list[Result]) -> dict[str, Outcome]:
    return {result.action.object.key: result.outcome for result in found}


@pytest.mark.parametrize("others", [[], ["b", "c"]], ids=["alone", "in-a-batch"])
def test_move_leaves_an_object_that_is_overwritten_between_copy_and_delete(
    buckets: Buckets, others: list[str]
) -> None:
    buckets.put("a", body=b"old")
    buckets.put(*others)
    s3 = Raced(buckets, after=lambda: buckets.put("a", body=b"new upload"))
    found = move(s3, buckets)
    assert outcomes(found) == {"a": Outcome.SUPERSEDED} | dict.fromkeys(others, Outcome.MOVED)
    assert buckets.here() == {"a": b"new upload"}
    assert buckets.there()["a"] == b"old"
    assert not any(outcome.needs_attention for outcome in outcomes(found).values())


def test_move_of_what_was_superseded_is_done_by_the_next_run(buckets: Buckets) -> None:
    buckets.put("a", body=b"old")
    move(Raced(buckets, after=lambda: buckets.put("a", body=b"new upload")), buckets)
    found = move(Raced(buckets), buckets, OnConflict.OVERWRITE)
    assert outcomes(found) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"new upload"})


def test_move_does_not_touch_an_object_that_is_overwritten_before_its_copy(
    buckets: Buckets,
) -> None:
    buckets.put("a", body=b"old")
    s3 = Raced(buckets, before=lambda: buckets.put("a", body=b"new upload"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.SUPERSEDED}
    assert (buckets.here(), buckets.there()) == ({"a": b"new upload"}, {})


def test_move_of_an_object_that_is_overwritten_with_the_same_bytes_is_done(
    buckets: Buckets,
) -> None:
    buckets.put("a", body=b"same")
    s3 = Raced(buckets, after=lambda: buckets.put("a", body=b"same"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"same"})


def test_move_of_an_object_that_vanishes_before_its_copy_is_gone_and_no_failure(
    buckets: Buckets,
) -> None:
    buckets.put("a")
    s3 = Raced(buckets, before=lambda: remove(buckets, buckets.source))
    found = move(s3, buckets)
    assert outcomes(found) == {"a": Outcome.GONE}
    assert (buckets.here(), buckets.there()) == ({}, {})


def test_move_of_an_object_that_vanishes_after_its_copy_is_done(buckets: Buckets) -> None:
    buckets.put("a")
    s3 = Raced(buckets, after=lambda: remove(buckets, buckets.source))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a"})


def test_move_does_not_overwrite_what_appears_at_the_destination_meanwhile(
    buckets: Buckets,
) -> None:
    buckets.put("a", body=b"mine")
    s3 = Raced(buckets, before=lambda: buckets.put_there("a", body=b"theirs"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.CONFLICT}
    assert (buckets.here(), buckets.there()) == ({"a": b"mine"}, {"a": b"theirs"})


def test_move_is_finished_by_the_same_bytes_appearing_at_the_destination(buckets: Buckets) -> None:
    buckets.put("a", body=b"same")
    s3 = Raced(buckets, before=lambda: buckets.put_there("a", body=b"same"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"same"})


def test_sync_replaces_only_what_it_has_seen(buckets: Buckets) -> None:
    buckets.put("a", body=b"mine, longer")
    buckets.put_there("a", body=b"seen")
    s3 = Raced(buckets, before=lambda: buckets.put_there("a", body=b"newer than seen"))
    assert outcomes(sync(s3, buckets)) == {"a": Outcome.CONFLICT}
    assert buckets.there() == {"a": b"newer than seen"}
    assert buckets.here() == {"a": b"mine, longer"}


def test_sync_copies_where_what_was_to_be_replaced_is_gone(buckets: Buckets) -> None:
    buckets.put("a", body=b"mine, longer")
    buckets.put_there("a", body=b"seen")
    s3 = Raced(buckets, before=Once(lambda: remove(buckets, buckets.destination)))
    assert outcomes(sync(s3, buckets)) == {"a": Outcome.COPIED}
    assert buckets.there() == {"a": b"mine, longer"}


class Once:
    """Something that happens the first time only."""

    def __init__(self, what: Callable[[], None]) -> None:
        self._left = [what]

    def __call__(self) -> None:
        while self._left:
            self._left.pop()()


def remove(buckets: Buckets, bucket: str) -> None:
    buckets.client.delete_object(Bucket=bucket, Key="a")


def test_delete_whose_answer_is_lost_is_not_taken_for_a_change(buckets: Buckets) -> None:
    class Forgetful(Raced):
        """S3 that deletes, and says that it could not tell."""

        def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
            super().delete(bucket, deletion).result()
            return super().delete(bucket, deletion)

    buckets.put("a")
    assert outcomes(move(Forgetful(buckets), buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a"})


MIB = 1024 * 1024


# `aws s3 mv`, `s5cmd mv`, `rclone move` and `mc mv` delete whatever is there by then.
@pytest.mark.parametrize("keys", [["a"], ["a", "b", "c"]], ids=["alone", "in-a-batch"])
def test_move_does_not_delete_an_upload_between_copy_and_delete(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, keys: list[str]
) -> None:
    seaweedfs_buckets.put(*keys, body=b"seen")

    def upload() -> None:
        seaweedfs_buckets.put("a", body=b"newer")

    hooks.before("DeleteObject", upload, match=f"{seaweedfs_buckets.source}/a")
    hooks.before("DeleteObjects", upload, match="<Key>a</Key>")
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "--all", "-o", "json")
    assert ran.code == 0
    assert ran.outcomes == dict.fromkeys(keys, "moved") | {"a": "superseded"}
    assert seaweedfs_buckets.here() == {"a": b"newer"}
    assert seaweedfs_buckets.there() == dict.fromkeys(keys, b"seen")


def test_move_of_a_newer_upload_needs_to_be_allowed_to_overwrite(
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


def test_move_does_not_copy_an_upload_that_it_has_not_seen(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    seaweedfs_buckets.put("a", body=b"seen")
    hooks.before("CopyObject", lambda: seaweedfs_buckets.put("a", body=b"newer"))
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "superseded"})
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({"a": b"newer"}, {})


def test_move_looks_at_the_source_before_a_delete_that_takes_no_condition(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MinIO and Ceph delete whatever the condition, so HEAD comes first there."""
    seaweedfs_buckets.put("a", body=b"seen")
    ignoring = replace(ALL_SUPPORTED, delete=False, delete_many=False)
    monkeypatch.setattr("frogmove.connection.probe", lambda *_: ignoring)
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


# s3transfer#362: the source changes between two parts, and the object is a mix.
@pytest.mark.parametrize("part", [1, 3])
def test_multipart_copy_mixes_no_bytes_if_the_source_changes_between_parts(
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


# aws-cli#6953: an object that vanishes during the run is not a failure of the run.
@pytest.mark.parametrize("operation", ["CopyObject", "DeleteObject"])
def test_move_of_a_source_that_vanishes_is_no_failure(
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
