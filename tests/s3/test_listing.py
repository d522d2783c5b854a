from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import pytest

from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.listing import list_folder, list_prefix
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.s3.contract_cases import ContractCase

T = TypeVar("T")

LOGS = ["log", "logs", "logs!", "logs/", "logs/a", "logs/b/c", "logs//d", "logs2", "logs2/e"]


def keys(case: ContractCase, folder: str) -> list[str]:
    return [item.key for item in list_folder(case.s3, case.source, folder)]


@pytest.fixture
def many(case: ContractCase) -> ContractCase:
    if case.name in {"moto", "seaweedfs"}:
        pytest.skip(f"{case.name} takes seconds to be given 1,001 objects")
    for future in [case.s3.put(case.source, f"{n:05}", b"") for n in range(1_001)]:
        future.result()
    return case


def test_listing_of_more_keys_than_a_page_holds_has_all_once_and_in_order(
    many: ContractCase,
) -> None:
    listed = [item.key for item in list_prefix(many.s3, many.source, "")]
    assert listed == [f"{n:05}" for n in range(1_001)]


@pytest.mark.parametrize(
    ("folder", "listed"),
    [
        ("logs", ["logs", "logs/", "logs//d", "logs/a", "logs/b/c"]),
        ("logs/", ["logs/", "logs//d", "logs/a", "logs/b/c"]),
        ("logs2", ["logs2", "logs2/e"]),
        ("logs/b", ["logs/b/c"]),
        ("logs/a", ["logs/a"]),
        ("lo", []),
        ("nothing", []),
        ("", sorted(LOGS)),
    ],
)
def test_folder_is_its_name_and_what_is_under_it(
    case: ContractCase, folder: str, listed: list[str]
) -> None:
    if "trailing slash" in case.lacks:
        pytest.skip(f"{case.name} keeps objects as files in folders")
    case.put(*LOGS)
    assert keys(case, folder) == listed


def test_folder_of_plain_keys_is_the_same_on_every_server(case: ContractCase) -> None:
    case.put("log", "logs/a", "logs/b/c", "logs2/e")
    assert keys(case, "logs") == keys(case, "logs/") == ["logs/a", "logs/b/c"]


def test_missing_bucket_is_an_error_and_not_an_empty_listing(case: ContractCase) -> None:
    with pytest.raises(S3Error) as caught:
        list(list_prefix(case.s3, "frogmove-has-no-such-bucket", ""))
    assert caught.value.kind is Kind.NO_BUCKET


def test_page_that_fails_fails_the_listing_after_what_came_before_it() -> None:
    state = FakeS3State({"external": {}})
    keys = [f"{number:04}" for number in range(1_001)]
    for key in keys:
        state.put("external", key, b"")
    asked: list[str] = []

    def first_page_only(operation: str, request: Callable[[], T]) -> T:
        asked.append(operation)
        if len(asked) > 1:
            raise S3Error(operation, "SlowDown", 503, "")
        return request()

    listing = list_prefix(FakeS3(state, first_page_only), "external", "")
    assert [item.key for item in islice(listing, 1_000)] == keys[:1_000]
    with pytest.raises(S3Error):
        next(listing)
