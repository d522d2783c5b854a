from __future__ import annotations

import json
import pickle
from datetime import timedelta

import pytest

from frogmove.core.filters import Filters, Pattern
from frogmove.core.models import Route
from frogmove.core.selection import Selection, select
from frogmove.errors import UsageError
from frogmove.s3.uri import parse_location
from tests.factories import LONG_AGO, an_object

ROUTE = Route(parse_location("s3://src/in"), parse_location("s3://dst"))
CSV = Filters(patterns=(Pattern(True, "*.csv"),))


def keys(*keys: str) -> Selection:
    return Selection(base="in/", keys=keys)


def folders(*folders: str) -> Selection:
    return Selection(base="in/", folders=folders)


@pytest.mark.parametrize(
    ("names", "prefixes", "everything", "means"),
    [
        (["a"], [], False, keys("in/a")),
        (["b", "a"], [], False, keys("in/b", "in/a")),
        (["a", "s3://src/in/a", "a"], [], False, keys("in/a")),
        ([], ["logs"], False, folders("in/logs")),
        ([], ["logs/"], False, folders("in/logs/")),
        ([], ["/"], False, folders("in//")),
        ([], [], True, folders("in/")),
        ([], ["s3://src/in/logs"], False, folders("in/logs")),
        ([], ["s3://src/in"], False, folders("in/")),
        ([], ["s3://src?key=in%2Fa%0A"], False, folders("in/a\n")),
        ([], ["b", "a"], False, folders("in/a", "in/b")),
        ([], ["a/b", "a", "a/b/c", "a2"], False, folders("in/a", "in/a2")),
        ([], ["a/", "a"], False, folders("in/a")),
        ([], ["a/", "a/b"], False, folders("in/a/")),
        ([], ["a", "a-b", "a-b/c"], False, folders("in/a-b", "in/a")),
    ],
    ids=repr,
)
def test_select_takes_one_way_of_choosing(
    names: list[str], prefixes: list[str], everything: bool, means: Selection
) -> None:
    assert select(ROUTE, names, prefixes, everything=everything) == means


def test_select_with_an_include_chooses_of_everything() -> None:
    assert select(ROUTE, filters=CSV) == Selection(base="in/", folders=("in/",), filters=CSV)


@pytest.mark.parametrize(
    ("names", "prefixes", "everything", "printed"),
    [
        ([], [], False, "Nothing is selected"),
        (["a"], ["logs"], False, "only one of"),
        (["a"], [], True, "only one of"),
        ([], ["logs"], True, "only one of"),
        (["a"], ["logs"], True, "only one of"),
        ([], [""], False, "empty --prefix"),
        (["a"], [""], False, "only one of"),
        ([""], [], False, "cannot be empty"),
        (["a", "s3://other/b"], [], False, "not inside"),
        ([], ["s3://other/in/a"], False, "not inside"),
        ([], ["a", "s3://src/in2"], False, "not inside"),
        ([], ["s3://src"], False, "not inside"),
        ([], ["p" * 1022], False, "1,025 bytes"),
    ],
    ids=repr,
)
def test_select_refuses_no_way_and_several_ways_of_choosing(
    names: list[str], prefixes: list[str], everything: bool, printed: str
) -> None:
    with pytest.raises(UsageError, match=printed):
        select(ROUTE, names, prefixes, everything=everything)


def test_select_refuses_filters_without_an_include() -> None:
    with pytest.raises(UsageError, match="Nothing is selected"):
        select(ROUTE, filters=Filters(patterns=(Pattern(False, "*.tmp"),), older_than=LONG_AGO))


def test_patterns_match_below_the_folder_or_the_source() -> None:
    chosen = Selection(base="in/", folders=("in/logs", "in/x/"), filters=CSV)
    in_logs, in_x, in_all = map(chosen.matcher, ["in/logs", "in/x/", None])
    assert in_logs is not None
    assert in_x is not None
    assert in_all is not None
    assert in_logs(an_object("in/logs/a.csv"))
    assert in_x(an_object("in/x/a.csv"))
    assert in_all(an_object("in/a.csv"))
    assert not in_all(an_object("in/logs/a.csv"))
    named_so = Selection(base="in/", folders=("in/d/x.csv",), filters=CSV).matcher("in/d/x.csv")
    assert named_so is not None
    assert named_so(an_object("in/d/x.csv"))


@pytest.mark.parametrize(
    "chosen",
    [
        keys("a", "b"),
        Selection(keys=("a",), version_id="v"),
        Selection(base="in/", key_list="/state/run.keys", filters=CSV),
        Selection(
            folders=("a", "b/"),
            filters=Filters(
                patterns=(Pattern(True, "*"), Pattern(False, "[!a]"), Pattern(True, "b")),
                newer_than=LONG_AGO,
                older_than=LONG_AGO + timedelta(days=1),
                min_size=0,
                max_size=5,
                storage_classes=("GLACIER",),
            ),
        ),
    ],
    ids=repr,
)
def test_selection_is_the_same_after_a_journal_or_a_pipe(chosen: Selection) -> None:
    assert Selection.of_record(json.loads(json.dumps(chosen.record()))) == chosen
    assert pickle.loads(pickle.dumps(chosen)) == chosen
