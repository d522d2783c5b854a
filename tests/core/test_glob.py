"""Patterns match what they say, and no key makes them slow."""

from __future__ import annotations

import re
import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frogmove.core.glob import glob_regex
from frogmove.errors import UsageError


def matches(glob: str, key: str) -> bool:
    return re.compile(glob_regex(glob), re.DOTALL).match(key) is not None


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.csv", ["a.csv", ".csv", "a\nb.csv"], ["x/a.csv", "a.csv.gz", "a_csv", "a.csv\n"]),
        ("**.csv", ["a.csv", "x/y/a.csv", "x/.csv"], ["a.csv/b"]),
        ("**/*.csv", ["a.csv", "x/a.csv", "x/y/a.csv", "//a.csv"], ["a.csv/b"]),
        ("reports/*", ["reports/a", "reports/"], ["reports", "reports/a/b", "x/reports/a"]),
        ("reports/**", ["reports/a", "reports/a/b", "reports/"], ["reports", "reports2/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a//b"], ["ab", "a/xb", "a/b/c"]),
        ("a**b", ["ab", "a/x/b", "axb"], ["a", "xab"]),
        ("**", ["a", "a/b", ""], []),
        ("?", ["a", "é", "\n", "\U0001f438"], ["/", "ab", ""]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "/x", "x", "-x"]),
        ("[!a-c]x", ["dx", "-x"], ["ax", "/x", "x"]),
        ("[^a]x", ["bx"], ["ax", "/x"]),
        ("[]]x[[]", ["]x["], ["x", "]x"]),
        ("[!]]", ["a"], ["]"]),
        ("[*?]", ["*", "?"], ["a"]),
        ("[+-9]", ["5", "-"], ["/"]),
        ("[a\\]", ["\\", "a"], ["b"]),
        ("[a^]", ["^", "a"], ["b"]),
        ("a.b+c(d){e}|$^\\", ["a.b+c(d){e}|$^\\"], ["aXb+c(d){e}|$^\\"]),
        ("a*b*c", ["abc", "axbxbc", "abcc"], ["ab", "ab/c", "acb"]),
        ("**a/*/b**c", ["a/x/bc", "x/a/x/b/c", "a/a/x/bc"], ["a/x/y/bc"]),
    ],
)
def test_glob_matches_whole_keys(glob: str, yes: list[str], no: list[str]) -> None:
    assert [key for key in yes if not matches(glob, key)] == []
    assert [key for key in no if matches(glob, key)] == []


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "?", "[!a]", "**/"]), max_size=9),
    st.text("ab/", max_size=12),
)
def test_glob_matches_what_trying_everything_matches(tokens: list[str], key: str) -> None:
    glob = "".join(tokens)
    if glob:
        assert matches(glob, key) == tried(glob, key)


def tried(glob: str, key: str) -> bool:
    """Match by trying every length of every star."""
    tokens = re.findall(r"(?:(?<=/)|\A)\*\*+/|\*\*+|\[!a\]|.", glob)

    @cache
    def at(token: int, place: int) -> bool:
        if token == len(tokens):
            return place == len(key)
        text, rest = tokens[token], range(place, len(key) + 1)
        if text.startswith("**"):
            is_folders = text.endswith("/")
            ends = (end for end in rest if not is_folders or end == place or key[end - 1] == "/")
            return any(at(token + 1, end) for end in ends)
        if text == "*":
            return any(at(token + 1, end) for end in rest if "/" not in key[place:end])
        one = {"?": "ab", "[!a]": "b"}.get(text, text)
        return place < len(key) and key[place] in one and at(token + 1, place + 1)

    return at(0, 0)


@pytest.mark.parametrize(
    "glob", ["*a*a*a*a*a*a*b", "**a**a**a**a**a**b", "**/*a*a*a*a/b", "**a*a*a*a*a*b", "**?*?*?*b"]
)
@pytest.mark.parametrize("key", ["a" * 1024, "/" * 1024, "a/" * 512, "ab" * 512])
def test_glob_is_not_slow_on_any_key(glob: str, key: str) -> None:
    regex = re.compile(glob_regex(glob), re.DOTALL)
    begun = time.thread_time()
    regex.match(key)
    assert time.thread_time() - begun < 0.2


@pytest.mark.parametrize(
    ("glob", "printed"),
    [("", "empty"), ("a[b", "without a ']'"), ("[]", "without"), ("[z-a]", "cannot be read")],
)
def test_glob_that_cannot_be_read_is_refused(glob: str, printed: str) -> None:
    with pytest.raises(UsageError, match=printed):
        glob_regex(glob)
