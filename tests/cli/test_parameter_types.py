"""Sizes as people write them, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from frogmove.cli.parameter_types import Size
from tests.cli.cli_runner import run

if TYPE_CHECKING:
    from pathlib import Path

SIZES = Size(5 * 1024 * 1024, 5_000_000_000)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5MiB", 5 * 1024**2),
        ("5mib", 5 * 1024**2),
        ("  64 MiB ", 64 * 1024**2),
        ("5GB", 5_000_000_000),
        ("1GiB", 1024**3),
        ("5120KiB", 5 * 1024**2),
        ("6000kb", 6_000_000),
        ("5242880", 5 * 1024**2),
        ("5242880b", 5 * 1024**2),
        (5_000_000_000, 5_000_000_000),
    ],
)
def test_size_is_read(text: object, size: int) -> None:
    assert SIZES.convert(text, None, None) == size


@pytest.mark.parametrize(
    "text", ["", "5", "4MiB", "5MB", "5001MB", "1TB", "5242879", "999999999999GB"]
)
def test_size_outside_the_limits_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        SIZES.convert(text, None, None)


@pytest.mark.parametrize(
    "text",
    ["much", "-5MiB", "5.5MiB", "5 M", "MiB", "5PiB", "5MiBs", "0x500000", "5_242_880"],
)
def test_size_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match="64MiB or 5GB"):
        SIZES.convert(text, None, None)


def test_size_out_of_bounds_names_the_bounds() -> None:
    with pytest.raises(click.BadParameter, match=r"5,242,880 and 5,000,000,000"):
        SIZES.convert("1kb", None, None)


@pytest.mark.parametrize("unit", ["k", "m", "g", "t"])
def test_size_units_are_each_a_thousand_or_1024_of_the_one_before(unit: str) -> None:
    any_size = Size(0, 10**15)
    power = "kmgt".index(unit) + 1
    assert any_size.convert(f"3{unit}B", None, None) == 3 * 1000**power
    assert any_size.convert(f"3{unit.upper()}iB", None, None) == 3 * 1024**power


@pytest.mark.parametrize(
    "arguments", ["move a --plan", "move a --journal", "sync --plan", "dlq drop --all --yes --copy"]
)
def test_file_to_write_is_not_stdout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*arguments.split(), "-")
    assert (ran.code, ran.out, list(tmp_path.iterdir())) == (2, "", [])
    assert "It is written to a file, not to stdout" in ran.err
