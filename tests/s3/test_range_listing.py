"""A range of keys whose end is split off, with servers and keys that change under its reader."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from frogmove.s3.errors import S3Error
from frogmove.s3.models import Page
from frogmove.s3.range_listing import KeyRange, RangeListing
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from frogmove.s3.future import Future


class SmallPages(FakeS3):
    """Gives two keys a page, and before each page an empty one where it is told to."""

    empty_first = False

    def list_page(
        self,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 2,
        *,
        start_after: str = "",
        delimiter: str = "",
    ) -> Future[Page]:
        """See :class:`frogmove.s3.interface.S3`."""
        if self.empty_first and token is None:
            return self._answer("ListObjectsV2", lambda: Page([], f"behind {start_after}"))
        if delimiter:
            limit = 1000
        if token is not None and token.startswith("behind "):
            start_after, token = token.removeprefix("behind "), None
        return super().list_page(
            bucket, prefix, token, limit, start_after=start_after, delimiter=delimiter
        )


def listing_of(*keys: str, of: KeyRange, empty_first: bool = False) -> RangeListing:
    state = FakeS3State({"bucket": {}})
    for key in keys:
        state.put("bucket", key, b"")
    s3 = SmallPages(state)
    s3.empty_first = empty_first
    return RangeListing(s3, "bucket", "", of)


def test_range_that_begins_with_empty_pages_tells_its_first_key() -> None:
    listing = listing_of(*"abc", of=KeyRange("a", None), empty_first=True)
    assert listing.begin() == "b"
    assert [item.key for item in listing.objects()] == ["b", "c"]


def test_range_whose_end_key_went_meanwhile_has_a_gap_of_just_that_key() -> None:
    listing = listing_of(*"abd", of=KeyRange("", "c", ends_at_key=True))
    listing.begin()
    assert [item.key for item in listing.objects()] == ["a", "b"]
    assert listing.gap == KeyRange("b", "c")
    assert not listing.is_broken


def test_range_that_lost_all_its_keys_is_a_gap() -> None:
    listing = listing_of("a", of=KeyRange("a", "c", ends_at_key=True))
    listing.begin()
    assert list(listing.objects()) == []
    assert listing.gap == KeyRange("a", "c")


def test_range_that_ends_with_the_first_key_of_the_next_has_no_gap() -> None:
    listing = listing_of(*"abcd", of=KeyRange("", "c", ends_at_key=True))
    listing.begin()
    assert [item.key for item in listing.objects()] == ["a", "b", "c"]
    assert listing.gap is None


def test_range_listing_that_waits_for_its_end_is_let_go_when_the_run_stops() -> None:
    listing = listing_of(*"abcdefgh", of=KeyRange("", None))
    listing.begin()
    objects = listing.objects()
    first = next(objects).key
    listing.ask_to_split()
    listing.stop()
    # Nobody tells where the range ends that was split off.
    assert [first, *(item.key for item in objects)] < list("abcdefgh")


NESTED = [f"2026/{folder}/{name}" for folder in "12345" for name in "ab"]


class NoFolders(SmallPages):
    """Refuses to group keys."""

    def list_page(
        self,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 2,
        *,
        start_after: str = "",
        delimiter: str = "",
    ) -> Future[Page]:
        """See :class:`frogmove.s3.interface.S3`."""
        if delimiter:
            raise_501 = partial(_raise, S3Error("ListObjectsV2", "NotImplemented", 501, ""))
            return self._answer("ListObjectsV2", raise_501)
        return super().list_page(bucket, prefix, token, limit, start_after=start_after)


def _raise(error: S3Error) -> Page:
    raise error


def split(s3: FakeS3, of: KeyRange, after: int) -> tuple[list[str], KeyRange | None, list[str]]:
    """Split a listing after some keys; return the keys of both parts, and what was split off."""
    offered: list[RangeListing] = []
    given: list[KeyRange | None] = []

    def take(keys: KeyRange | None) -> None:
        given.append(keys)
        if keys is not None:
            second = RangeListing(s3, "bucket", "", keys)
            first = second.begin()
            listing.extend_to(first or keys.last, ends_at_key=first is not None)
            offered.append(second)

    listing = RangeListing(s3, "bucket", "", of, take)
    listing.begin()
    objects = listing.objects()
    ours = [item.key for item in islice(objects, after)]
    listing.ask_to_split()
    ours += [item.key for item in objects]
    return ours, given[0], [item.key for each in offered for item in each.objects()]


def nested(kind: type[FakeS3]) -> FakeS3:
    state = FakeS3State({"bucket": {}})
    for key in NESTED:
        state.put("bucket", key, b"")
    return kind(state)


@pytest.mark.parametrize(
    ("last", "after", "expected"),
    [
        (None, 1, "2026/4/"),
        ("2026/4/b", 1, "2026/3/"),
        (None, 5, "2026/5/"),
    ],
)
def test_range_is_split_in_the_middle_of_its_folders(
    last: str | None, after: int, expected: str
) -> None:
    ours, given, theirs = split(nested(SmallPages), KeyRange("", last), after)
    assert given == KeyRange(expected, last)
    # The first key of the second part is seen by both.
    assert [*ours[:-1], *theirs] == [key for key in NESTED if last is None or key <= last]


@pytest.mark.parametrize(("kind", "after"), [(NoFolders, 1), (SmallPages, 8)])
def test_range_without_known_folders_loses_no_key_when_it_is_split(
    kind: type[FakeS3], after: int
) -> None:
    ours, _, theirs = split(nested(kind), KeyRange("", None), after)
    assert sorted({*ours, *theirs}) == NESTED
