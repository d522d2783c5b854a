"""Parallel listings give what the plain one gives, whatever the keys and the server's order."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from frogmove.s3.errors import S3Error
from frogmove.s3.future import Future, LightFuture
from frogmove.s3.key_ranges import midpoint, spread
from frogmove.s3.listing import list_folder, list_prefix
from frogmove.s3.models import Page
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.strategies import CHARACTERS

KEYS = st.one_of(
    st.text(st.sampled_from("01a~é🐸/-"), min_size=1, max_size=5),
    st.integers(0, 300).map("{:04}".format),
    st.tuples(st.sampled_from(["a/", "a/b/", "a-", "b/"]), st.integers(0, 99)).map(
        lambda pair: f"{pair[0]}{pair[1]}"
    ),
)

ORDERS: list[Callable[[str], Any]] = [
    str.encode,
    lambda key: [part.encode() for part in key.split("/")],
    lambda key: key.encode()[::-1],
]

# In the last order, splitting these did not end.
UNENDING = [
    "a-67",
    "b/8",
    "0152",
    "-/",
    "0049",
    "a/32",
    "0216",
    "1",
    "0186",
    "a-83",
    "0300",
    "a-6",
    "/",
]


class CountingS3(FakeS3):
    """Counts the pages asked for."""

    pages = 0

    def list_page(self, *args: Any, **options: Any) -> Future[Page]:
        self.pages += 1
        return super().list_page(*args, **options)


def state_of(keys: list[str], page: int, order: Callable[[str], Any] = str.encode) -> FakeS3State:
    state = FakeS3State({"a": {}}, page=page, order=order)
    for key in keys:
        state.put("a", key, b"")
    return state


def listed(state: FakeS3State, concurrency: int, prefix: str = "") -> list[str]:
    return [item.key for item in list_prefix(FakeS3(state), "a", prefix, concurrency)]


@settings(max_examples=150, deadline=None)
@given(
    keys=st.lists(KEYS, max_size=120, unique=True),
    page=st.integers(1, 7),
    concurrency=st.integers(2, 9),
    order=st.sampled_from(ORDERS),
    prefix=st.sampled_from(["", "", "a", "a/"]),
)
@example([f"{n:04}" for n in range(300)], 3, 8, str.encode, "")
@example(UNENDING, 2, 8, ORDERS[2], "")
def test_parallel_listing_is_the_plain_one(
    keys: list[str], page: int, concurrency: int, order: Callable[[str], Any], prefix: str
) -> None:
    state = state_of(keys, page, order)
    assert listed(state, concurrency, prefix) == listed(state, 1, prefix)


class SequentialS3(FakeS3):
    """Cannot begin in the middle: it refuses to, or begins at the beginning all the same."""

    refuses = True

    def list_page(self, *args: Any, start_after: str = "", **options: Any) -> Future[Page]:
        if not (start_after and self.refuses):
            return super().list_page(*args, **options)
        refused: LightFuture[Page] = LightFuture()
        refused.set_exception(S3Error("ListObjectsV2", "NotImplemented", 501, "No"))
        return refused


@settings(max_examples=80, deadline=None)
@given(
    keys=st.lists(KEYS, max_size=120, unique=True),
    page=st.integers(1, 7),
    concurrency=st.integers(2, 9),
    refuses=st.booleans(),
    prefix=st.sampled_from(["", "a/"]),
)
@example([f"{n:04}" for n in range(300)], 3, 8, True, "")
@example([f"{n:04}" for n in range(300)], 3, 8, False, "")
def test_server_that_cannot_begin_in_the_middle_is_listed_page_by_page(
    keys: list[str], page: int, concurrency: int, refuses: bool, prefix: str
) -> None:
    state = state_of(keys, page)
    s3 = SequentialS3(state)
    s3.refuses = refuses
    found = [item.key for item in list_prefix(s3, "a", prefix, concurrency)]
    assert found == listed(state, 1, prefix)


def test_directory_bucket_is_not_asked_to_begin_in_the_middle() -> None:
    bucket = "fast--usw2-az1--x-s3"
    state = FakeS3State({bucket: {}}, page=3, order=ORDERS[2])
    for number in range(100):
        state.put(bucket, f"{number:03}", b"")
    s3 = CountingS3(state)
    assert len(list(list_prefix(s3, bucket, ""))) == 100
    assert s3.pages == 34


@pytest.mark.parametrize("bucket", ["a-bucket", "fast--usw2-az1--x-s3"])
def test_folder_is_listed_with_the_object_of_its_own_name(bucket: str) -> None:
    state = FakeS3State({bucket: {}})
    for key in ("logs", "logs/a", "logs2"):
        state.put(bucket, key, b"")
    s3 = FakeS3(state)
    assert [item.key for item in list_folder(s3, bucket, "logs")] == ["logs", "logs/a"]
    assert [item.key for item in list_folder(s3, bucket, "log")] == []


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("{:06}".format, id="flat", marks=pytest.mark.matrix),
        pytest.param("data/2026/11/{:06}.json".format, id="one deep folder"),
        pytest.param(
            lambda number: f"{number * 2654435761 % 2**32:08x}",
            id="hashed",
            marks=pytest.mark.matrix,
        ),
        pytest.param(lambda number: f"customer-{number % 7}/{number:06}/é", id="folders"),
    ],
)
def test_guesses_are_worth_their_requests(key: Callable[[int], str]) -> None:
    state = state_of([key(number) for number in range(4000)], page=20)
    s3 = CountingS3(state)
    assert len(list(list_prefix(s3, "a", "", concurrency=8))) == 4000
    assert s3.pages < 2 * 200


def test_listing_that_is_short_asks_for_no_more_than_its_pages() -> None:
    s3 = CountingS3(state_of(["a", "b", "c"], page=1000))
    assert len(list(list_prefix(s3, "a", ""))) == 3
    assert s3.pages == 1


def test_keys_that_come_and_go_do_not_harm_the_others() -> None:
    keys = [f"{number:04}" for number in range(0, 400, 2)]
    state = state_of(keys, page=5)
    seen: list[str] = []
    for place, item in enumerate(list_prefix(FakeS3(state), "a", "", concurrency=6)):
        seen.append(item.key)
        state.buckets["a"].pop(item.key, None)
        state.put("a", f"{(place * 37) % 400:04}x", b"new")
    assert set(keys) <= set(seen)
    assert len(seen) == len(set(seen))


@given(
    st.text(CHARACTERS, max_size=6),
    st.one_of(st.none(), st.text(CHARACTERS, max_size=6)),
    st.lists(st.text(CHARACTERS), max_size=3),
)
def test_midpoint_lies_between(low: str, high: str | None, sample: list[str]) -> None:
    if high is not None and not low < high:
        return
    middle = midpoint(low, high, sample)
    if middle is not None:
        assert low.encode() < middle.encode()
        assert high is None or middle.encode() < high.encode()


def test_spread_gives_evenly_spaced_cuts() -> None:
    cuts = [str(number) for number in range(100)]
    chosen = spread(cuts, 10)
    assert {int(b) - int(a) for a, b in pairwise(chosen)} == {10}
    assert spread(cuts, 1000) == cuts
