"""What is printed for a key, read back by real shells and by our own parser."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from click import Context
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from frogmove.cli.key_argument import key_argument
from frogmove.cli.move import move
from frogmove.core.models import Route
from frogmove.s3.uri import Location
from tests.keys import KEYS

SHELLS = [name for name in ("dash", "bash", "zsh", "busybox") if shutil.which(name)]

SIDES = [Location("src-1"), Location("src-1", "in/"), Location("src-1", "in '!\n/")]

ODD = [
    *(key for key in KEYS.values() if len(key.encode()) < 1000),
    *("--all", "-n", "--", "-", "s3://src/foo", "s3://src-1?key=a", "x;`id`.csv", "~x", "*"),
    *("!x", "#x", "=cmd()", "=ls", "$'a'", "it's", "a\\", "{a,b}", "[a]", "a b", " ", "a ", " a"),
    *("//", "/", "a//b", "a?b", "(x)", "a>b", "a&", "^a", "%1", "+x", "@x", "<x>", "|x", '"', "é"),
    *("\u00a0", "\u3000x", "a\u3164", "\u034f", "\u2800", "\ufe0fx", "\x1b[31m", "a\n", "\na"),
    *("\r", "\u202e"),
]

# Much of what shells read otherwise, and anything.
CHARACTERS = st.one_of(
    st.sampled_from("-=~*!#;`$'\"\\ \t\n/?[]{}()<>|&^%+@:,.aé🐸\u202e\u3164\x1b"),
    st.characters(exclude_categories=["Cs"]),
)
TEXT = st.text(CHARACTERS, min_size=1, max_size=20)


def read_by(shell: str, words: list[str]) -> list[str]:
    """Return what a shell passes on as arguments."""
    command = [shell, "sh", "-s"] if shell == "busybox" else [shell, "-s"]
    script = "".join(f"printf '%s\\0' {word}\n" for word in words)
    done = subprocess.run(command, input=script.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


def read_by_us(arguments: list[str], side: Location) -> list[str]:
    """Return the keys that `frogmove move` takes its arguments for."""
    context = Context(move)
    options, rest, _ = move.make_parser(context).parse_args(arguments)
    assert (set(options) - {"keys"}, rest) == (set(), [])
    route = Route(side, Location("dst-1"))
    return [route.source_key(name) for name in options["keys"]]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("side", SIDES, ids=str)
def test_key_argument_of_an_odd_key_means_the_key_again(shell: str, side: Location) -> None:
    keys = [side.prefix + name for name in ODD]
    for encoding in ("utf-8", "ascii"):
        words = [key_argument(key, side, encoding) for key in keys]
        assert read_by_us(read_by(shell, words), side) == keys


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(names=st.lists(TEXT, min_size=1, max_size=60), side=st.sampled_from(SIDES))
@example(names=ODD, side=SIDES[0])
def test_key_argument_of_any_key_means_the_key_again(
    shell: str, names: list[str], side: Location
) -> None:
    keys = [side.prefix + name for name in names]
    words = [key_argument(key, side) for key in keys]
    assert all(word.isprintable() for word in words)
    assert read_by_us(read_by(shell, words), side) == keys


@given(TEXT)
def test_key_argument_is_no_formula(name: str) -> None:
    assert not key_argument(name, SIDES[0]).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("key", ["a", "reports/2026-06.csv", "a//b/", "a%20b+c=d@e:f,g", "/", "_"])
def test_key_argument_of_a_plain_key_is_plain(key: str) -> None:
    assert key_argument(key, SIDES[0]) == key
    assert key_argument(f"in/{key}", SIDES[1]) == key


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("--all", "s3://src-1/--all"),
        ("s3://src/foo", "s3://src-1/s3://src/foo"),
        ("x;`id`.csv", "'x;`id`.csv'"),
        ("it's", "'it'\"'\"'s'"),
        ("a\nb", "'s3://src-1?key=a%0Ab'"),
        ("été 蛙.csv", "'été 蛙.csv'"),
    ],
)
def test_key_argument_has_these_forms(key: str, shown: str) -> None:
    assert key_argument(key, SIDES[0]) == shown
