"""Which keys the destination has nothing at, told from one listing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from frogmove.core.free_keys import FreeKeys
from frogmove.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator

HELD = [f"{number:06}" for number in range(0, 20_000, 3)]
ASKED = [f"{number:06}" for number in range(0, 20_000, 2)]


def test_free_keys_answers_exactly_in_order() -> None:
    free = FreeKeys(HELD)
    held = set(HELD)
    assert [free.is_free(key) for key in ASKED] == [key not in held for key in ASKED]


def test_free_keys_answers_nearly_in_order_too() -> None:
    shuffled = random.Random(1)
    asked = sorted(ASKED, key=lambda key: int(key) + shuffled.randrange(3000))
    free = FreeKeys(HELD)
    held = set(HELD)
    assert [free.is_free(key) for key in asked] == [key not in held for key in asked]


def test_free_keys_calls_nothing_free_that_is_asked_out_of_order() -> None:
    free = FreeKeys(HELD)
    assert free.is_free("019999")
    assert not free.is_free("000001")


@pytest.mark.parametrize(
    "listed",
    [["b", "a"], [*HELD[:1000], "000001", *HELD[1000:]]],
    ids=["within", "between"],
)
def test_free_keys_knows_nothing_from_a_listing_in_another_order(listed: list[str]) -> None:
    free = FreeKeys(listed)
    assert not free.is_free("c")
    assert not free.is_free("d")


def test_free_keys_gives_up_a_listing_far_longer_than_the_plan() -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield f"{read:012}"

    free = FreeKeys(endless())
    assert [free.is_free(f"{number}") for number in range(1, 5)] == [False] * 4
    assert read < 20_000


def test_free_keys_knows_nothing_from_a_denied_listing_and_raises_other_errors() -> None:
    def refused(code: str, status: int) -> Iterator[str]:
        yield from ["a"] * 0
        raise S3Error("ListObjectsV2", code, status, "")

    assert not FreeKeys(refused("AccessDenied", 403)).is_free("a")
    with pytest.raises(S3Error):
        FreeKeys(refused("NoSuchBucket", 404)).is_free("a")
