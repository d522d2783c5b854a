"""An option whose value was forgotten never takes the next option for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.buckets import Buckets
    from tests.cli.cli_runner import FrogmoveRunner


@pytest.mark.parametrize(
    "arguments",
    [
        ["move", "--all", "--exclude", "-n"],
        ["move", "--prefix", "in", "--to-prefix", "--dry-run"],
        ["move", "-y", "in/a", "--as", "-n"],
        ["copy", "--prefix", "--to-prefix=x"],
        ["sync", "--include", "--delete", "-n"],
    ],
)
def test_option_is_no_value_unless_joined_by_an_equals_sign(
    buckets: Buckets, frogmove: FrogmoveRunner, arguments: list[str]
) -> None:
    buckets.put("in/a", "-n")
    before = buckets.state()
    ran = frogmove(*arguments)
    assert (ran.code, ran.out, buckets.state()) == (2, "", before)
    assert "requires a value, and" in ran.err


def test_values_that_look_like_options_are_taken_as_they_are_meant(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("-n", "n", "--all/a", "b")
    ran = frogmove("copy", "--exclude=-n", "--prefix=--all", "-o", "json")
    assert ran.outcomes == {"--all/a": "copied"}
    assert frogmove("copy", "-o", "json", "--", "-n", "n").outcomes == {
        "-n": "copied",
        "n": "copied",
    }


def test_option_with_one_hyphen_for_two_is_reported(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.put("in/a")
    for typed in ("-prefix", "-prefix=in"):
        ran = frogmove("move", typed, "in")
        assert (ran.code, ran.out, "'--prefix" in ran.err) == (2, "", True)
    assert frogmove("ls", "-dh").code == 0
