"""Reads an environment variable of the function."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from frogmove.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


def read_variable(
    environment: Mapping[str, str], name: str, parse: Callable[[str], T], default: T
) -> T:
    """Read a variable; an empty one counts as missing.

    Args:
        environment: the environment variables.
        name: the part of its name after ``FROGMOVE_``.
        parse: parses its text.
        default: the value if it is not set.

    Raises:
        UsageError: when it is not valid; the message names the variable.
    """
    variable = f"FROGMOVE_{name}"
    text = environment.get(variable, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except UsageError as error:
        raise UsageError(f"{variable}: {error.message}", error.remedy) from error


def parse_list(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list."""
    return tuple(filter(None, (each.strip() for each in text.split(","))))
