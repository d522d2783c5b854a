"""Two objects read side by side."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from frogmove.core import content
from frogmove.core.content import AT_ONCE, ContentComparer
from frogmove.core.multipart import assembled_etag
from frogmove.core.options import Multipart
from frogmove.core.scheduler import Scheduler, run_one
from frogmove.core.verify import Match
from frogmove.s3.errors import S3Error
from frogmove.s3.future import Future, LightFuture
from frogmove.s3.models import Part
from tests.factories import an_object, md5
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from frogmove.s3.models import S3Object


def two(one: bytes, other: bytes) -> tuple[FakeS3State, list[tuple[str, S3Object]]]:
    state = FakeS3State({"external": {}, "internal": {}})
    state.put("external", "key", one)
    state.put("internal", "key", other)
    s3 = FakeS3(state)
    return state, [(name, s3.head(name, "key").result().object) for name in state.buckets]


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        (b"", b"", Match.SAME),
        (b"frog", b"frog", Match.SAME),
        (b"frog", b"toad", Match.DIFFERENT),
        (b"frog", b"frogs", Match.DIFFERENT),
        (b"frogs", b"frogx", Match.DIFFERENT),
        (b"12345678", b"12345678", Match.SAME),
        (b"12345678", b"12345679", Match.DIFFERENT),
        (b"123456789", b"123456789", Match.UNKNOWN),
    ],
)
def test_content_comparer_compares_bytes_to_the_last(
    monkeypatch: pytest.MonkeyPatch, one: bytes, other: bytes, match: Match
) -> None:
    monkeypatch.setattr(content, "CHUNK", 4)
    state, ends = two(one, other)
    assert run_one(ContentComparer(FakeS3(state), 8).compare(*ends)) is match


@pytest.mark.parametrize(("size", "numbers"), [(4, [1, 2, 3]), (9, [1]), (3, [1, 2, 3])])
def test_etag_in_parts_is_made_of_the_md5s_of_what_was_read(size: int, numbers: list[int]) -> None:
    body = b"123456789"
    state, (side, _) = two(body, body)
    layout = Multipart(part_size=size).parts(len(body))
    etag = run_one(ContentComparer(FakeS3(state), 9).etag_in_parts(*side, layout))
    assert [number for number, _, _ in layout] == numbers
    parts = [Part(number, md5(body[first : last + 1])) for number, first, last in layout]
    assert etag == assembled_etag(parts)
    assert run_one(ContentComparer(FakeS3(state), 8).etag_in_parts(*side, layout)) is None


def test_etag_in_parts_fails_if_the_object_changes_while_it_is_read() -> None:
    state, (side, _) = two(b"frog", b"frog")
    state.put("external", "key", b"toad")
    comparer = ContentComparer(FakeS3(state), 8)
    with pytest.raises(S3Error):
        run_one(comparer.etag_in_parts(*side, [(1, 0, 1), (2, 2, 3)]))
    assert comparer._free == AT_ONCE


def test_content_comparer_fails_if_an_object_changes_while_it_is_read() -> None:
    state, ends = two(b"frog", b"frog")
    state.put("internal", "key", b"toad")
    with pytest.raises(S3Error):
        run_one(ContentComparer(FakeS3(state), 8).compare(*ends))


class Slow:
    """S3 that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[LightFuture[bytes]] = []
        self.most = 0

    def read(self, bucket: str, item: S3Object, first: int, last: int) -> Future[bytes]:
        future = LightFuture[bytes]()
        self.asked.append(future)
        self.most = max(self.most, len(self.asked))
        return future

    def answer(self) -> None:
        while self.asked:
            self.asked.pop().set_result(b"body")


def test_content_comparer_holds_few_objects_however_many_are_compared() -> None:
    slow = Slow()
    comparer = ContentComparer(slow, 100)  # type: ignore[arg-type]
    one = ("bucket", an_object())
    window = Scheduler(20, 1, slow.answer, Event())
    matches = list(window.run(comparer.compare(one, one) for _ in range(20)))
    assert matches == [Match.SAME] * 20
    assert slow.most == 2 * AT_ONCE


def test_content_comparer_reads_a_single_object_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "CHUNK", 4)
    slow = Slow()
    comparer = ContentComparer(slow, 100)  # type: ignore[arg-type]
    one = ("bucket", an_object()._replace(size=40))
    window = Scheduler(20, 1, slow.answer, Event())
    assert list(window.run(iter([comparer.compare(one, one)]))) == [Match.SAME]
    assert slow.most == 2 * AT_ONCE
    assert comparer._free == AT_ONCE


def test_content_comparer_gives_up_what_it_read_ahead_of_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(content, "CHUNK", 4)
    state, ends = two(b"frog" * 10, b"toad" * 10)
    comparer = ContentComparer(FakeS3(state), 100)
    assert run_one(comparer.compare(*ends)) is Match.DIFFERENT
    assert comparer._free == AT_ONCE
