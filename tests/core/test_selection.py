from datetime import timedelta

import pytest

from frogmove.core.models import Route
from frogmove.core.selection import Folder, Keys, Selection, older_than, select
from frogmove.errors import UsageError
from frogmove.s3.uri import parse_location
from tests.factories import LONG_AGO, an_object

ROUTE = Route(parse_location("s3://src/in"), parse_location("s3://dst"))


@pytest.mark.parametrize(
    ("names", "folder", "everything", "means"),
    [
        (["a"], None, False, Keys(("in/a",))),
        (["b", "a"], None, False, Keys(("in/b", "in/a"))),
        (["a", "s3://src/in/a", "a"], None, False, Keys(("in/a",))),
        ([], "logs", False, Folder("in/logs")),
        ([], "logs/", False, Folder("in/logs/")),
        ([], "/", False, Folder("in//")),
        ([], None, True, Folder("in/")),
    ],
    ids=["key", "keys-in-order", "named-thrice", "folder", "folder-slash", "slash", "all"],
)
def test_one_way_of_choosing_is_a_selection(
    names: list[str], folder: str | None, everything: bool, means: Selection
) -> None:
    assert select(ROUTE, names, folder, everything=everything) == means


@pytest.mark.parametrize(
    ("names", "folder", "everything", "said"),
    [
        ([], None, False, "Nothing was chosen"),
        (["a"], "logs", False, "not several"),
        (["a"], None, True, "not several"),
        ([], "logs", True, "not several"),
        (["a"], "logs", True, "not several"),
        ([], "", False, "empty --prefix"),
        (["a"], "", False, "not several"),
        ([""], None, False, "empty text"),
        (["a", "s3://other/b"], None, False, "not inside"),
        ([], "p" * 1022, False, "1,025 bytes"),
    ],
    ids=[
        "none",
        "key+folder",
        "key+all",
        "folder+all",
        "all-three",
        "empty-folder",
        "key+empty-folder",
        "empty-key",
        "foreign-uri",
        "folder-too-long",
    ],
)
def test_no_way_or_several_ways_of_choosing_are_refused(
    names: list[str], folder: str | None, everything: bool, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        select(ROUTE, names, folder, everything=everything)


def test_what_is_old_enough_is_left_behind() -> None:
    ages = {"older": -1, "just as old": 0, "younger": 1}
    objects = [
        an_object(key, last_modified=LONG_AGO + timedelta(seconds=age)) for key, age in ages.items()
    ]
    assert [item.key for item in older_than(objects, LONG_AGO)] == ["older", "just as old"]
