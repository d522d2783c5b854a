"""Somebody writes to the source or the destination while an object is on its way.

SeaweedFS alone honours every condition, so this is where the protocol meets a real one.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core.models import Outcome
from frogmove.core.options import OnConflict, TransferOptions
from frogmove.core.plan import plan_move, plan_sync
from frogmove.core.transfer import run
from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED
from frogmove.s3.listing import list_prefix
from tests.buckets import Buckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.core.models import Action, Result
    from frogmove.s3.future import Future
    from frogmove.s3.models import Copied, Copy, Deletion
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
def test_an_object_overwritten_between_copy_and_delete_is_still_there(
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


def test_what_was_superseded_is_moved_by_the_next_run(buckets: Buckets) -> None:
    buckets.put("a", body=b"old")
    move(Raced(buckets, after=lambda: buckets.put("a", body=b"new upload")), buckets)
    found = move(Raced(buckets), buckets, OnConflict.OVERWRITE)
    assert outcomes(found) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"new upload"})


def test_an_object_overwritten_before_its_copy_is_not_touched(buckets: Buckets) -> None:
    buckets.put("a", body=b"old")
    s3 = Raced(buckets, before=lambda: buckets.put("a", body=b"new upload"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.SUPERSEDED}
    assert (buckets.here(), buckets.there()) == ({"a": b"new upload"}, {})


def test_an_object_overwritten_with_the_same_bytes_is_moved(buckets: Buckets) -> None:
    buckets.put("a", body=b"same")
    s3 = Raced(buckets, after=lambda: buckets.put("a", body=b"same"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"same"})


def test_an_object_that_vanishes_before_its_copy_is_gone_and_no_failure(buckets: Buckets) -> None:
    buckets.put("a")
    s3 = Raced(buckets, before=lambda: remove(buckets, buckets.source))
    found = move(s3, buckets)
    assert outcomes(found) == {"a": Outcome.GONE}
    assert (buckets.here(), buckets.there()) == ({}, {})


def test_an_object_that_vanishes_after_its_copy_has_been_moved(buckets: Buckets) -> None:
    buckets.put("a")
    s3 = Raced(buckets, after=lambda: remove(buckets, buckets.source))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a"})


def test_what_appears_at_the_destination_meanwhile_is_not_overwritten(buckets: Buckets) -> None:
    buckets.put("a", body=b"mine")
    s3 = Raced(buckets, before=lambda: buckets.put_there("a", body=b"theirs"))
    assert outcomes(move(s3, buckets)) == {"a": Outcome.CONFLICT}
    assert (buckets.here(), buckets.there()) == ({"a": b"mine"}, {"a": b"theirs"})


def test_the_same_bytes_appearing_at_the_destination_finish_the_move(buckets: Buckets) -> None:
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


def test_an_answer_to_a_delete_that_is_lost_is_not_taken_for_a_change(buckets: Buckets) -> None:
    class Forgetful(Raced):
        """S3 that deletes, and says that it could not tell."""

        def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
            super().delete(bucket, deletion).result()
            return super().delete(bucket, deletion)

    buckets.put("a")
    assert outcomes(move(Forgetful(buckets), buckets)) == {"a": Outcome.MOVED}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a"})
