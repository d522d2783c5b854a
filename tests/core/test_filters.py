from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from frogmove.core.filters import Filters, Pattern
from frogmove.errors import UsageError
from tests.factories import LONG_AGO, an_object

SECOND = timedelta(seconds=1)


def patterns(*texts: str) -> Filters:
    """Read ``+*.csv`` as an include and ``-*.csv`` as an exclude."""
    return Filters(patterns=tuple(Pattern(text[0] == "+", text[1:]) for text in texts))


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        ((), "a.csv a.tmp d/a.csv d/a.tmp"),
        (("+*.csv",), "a.csv"),
        (("+**.csv",), "a.csv d/a.csv"),
        (("-*.tmp",), "a.csv d/a.csv d/a.tmp"),
        (("-**.tmp", "+d/a.tmp"), "a.csv d/a.csv d/a.tmp"),
        (("-**", "+**.csv"), "a.csv d/a.csv"),
        (("+**.csv", "-d/**"), "a.csv"),
        (("-d/**", "+**.csv"), "a.csv a.tmp d/a.csv"),
        (("+**", "-**.tmp", "+d/*"), "a.csv d/a.csv d/a.tmp"),
        (("+nothing",), ""),
    ],
)
def test_patterns_are_decided_by_the_last_that_matches(texts: tuple[str, ...], meant: str) -> None:
    names = ["a.csv", "a.tmp", "d/a.csv", "d/a.tmp"]
    assert list(filter(patterns(*texts).names(), names)) == meant.split()


@pytest.mark.parametrize(
    ("chosen", "changed", "meant"),
    [
        ({"newer_than": LONG_AGO}, {}, True),
        ({"newer_than": LONG_AGO + SECOND}, {}, False),
        ({"older_than": LONG_AGO}, {}, False),
        ({"older_than": LONG_AGO + SECOND}, {}, True),
        ({"min_size": 4}, {}, True),
        ({"min_size": 5}, {}, False),
        ({"max_size": 4}, {}, True),
        ({"max_size": 3}, {}, False),
        ({"max_size": 0}, {"size": 0}, True),
        ({"storage_classes": ("STANDARD",)}, {}, True),
        ({"storage_classes": ("GLACIER", "STANDARD_IA")}, {}, False),
        ({"storage_classes": ("GLACIER",)}, {"storage_class": "glacier"}, True),
    ],
)
def test_filters_select_by_time_size_and_class(
    chosen: dict[str, Any], changed: dict[str, Any], meant: bool
) -> None:
    assert Filters(**chosen).objects()(an_object(**changed)) is meant


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"patterns": (Pattern(True, "[a"),)}, "without a ']'"),
        ({"patterns": (Pattern(True, ""),)}, "empty"),
        ({"patterns": (Pattern(True, "s3://b/*.csv"),)}, "cannot be a URI"),
        (
            {"patterns": (Pattern(False, "*"), Pattern(True, "*.csv"))},
            "does not exclude keys in folders",
        ),
        ({"newer_than": LONG_AGO, "older_than": LONG_AGO}, "that new and that old"),
        ({"min_size": 2, "max_size": 1}, "must not be larger"),
        ({"min_size": -1}, "negative"),
    ],
)
def test_filters_that_no_object_can_match_are_refused(chosen: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Filters(**chosen)
