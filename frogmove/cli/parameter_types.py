"""Click parameter types for options and arguments."""

from __future__ import annotations

import os
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from frogmove.core.units import parse_size
from frogmove.errors import UsageError
from frogmove.quoting import in_quotes

if TYPE_CHECKING:
    from enum import StrEnum


class Size(click.ParamType[int]):
    """A number of bytes between two limits."""

    name = "size"

    def __init__(self, smallest: int, largest: int) -> None:
        self._smallest = smallest
        self._largest = largest

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a size; see :meth:`click.ParamType.convert`."""
        try:
            size = parse_size(str(value))
        except UsageError as error:
            self.fail(f"{error.message} {error.remedy}", param, ctx)
        if not self._smallest <= size <= self._largest:
            self.fail(
                f"{value} is not between {self._smallest:,} and {self._largest:,} bytes.",
                param,
                ctx,
            )
        return size


class Count(click.IntRange):
    """An integer between two limits."""

    # Click would call it an "integer range" in the help and in errors.
    name = "integer"


class Rate(click.FloatRange):
    """A number per second."""

    name = "number"

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a rate; see :meth:`click.ParamType.convert`."""
        rate = super().convert(value, param, ctx)
        if not isfinite(rate):
            self.fail(
                f"{in_quotes(value)} is not a rate. Leave the option out for no limit.", param, ctx
            )
        return rate


class KeyText(click.ParamType[str]):
    """A key, folder or URI. They are UTF-8 in S3, even if the terminal has another encoding."""

    name = "text"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Decode the argument as UTF-8; see :meth:`click.ParamType.convert`."""
        text = str(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            return os.fsencode(text).decode("utf-8", "surrogateescape")
        return text


class NewFile(click.Path):
    """A file that a command writes."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Refuse what looks like stdout; see :meth:`click.ParamType.convert`."""
        if value == "-":
            self.fail("It is written to a file, not to stdout: give a file name.", param, ctx)
        return super().convert(value, param, ctx)


def choice(values: type[StrEnum]) -> click.Choice[str]:
    """Return a choice of an enumeration's values; Click itself would take their names."""
    return click.Choice([each.value for each in values])


class NonEmptyText(click.ParamType[str]):
    """A text that is not empty, as an unset shell variable would be."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See :class:`click.ParamType`."""
        if not value:
            self.fail("It must not be empty. Leave the option out if it has no value.", param, ctx)
        return value
