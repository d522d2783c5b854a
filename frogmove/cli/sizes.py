"""Sizes as people write them: ``64MiB``, ``5GB``, ``1048576``."""

import re

import click

_UNITS = {"": 1, "b": 1}
_UNITS |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)}
_UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)}


class Size(click.ParamType[int]):
    """A number of bytes between two others."""

    name = "size"

    def __init__(self, smallest: int, largest: int) -> None:
        self._smallest = smallest
        self._largest = largest

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a size; see :meth:`click.ParamType.convert`."""
        match = re.fullmatch(r"(\d+)\s*([a-z]*)", str(value).strip().lower())
        if match is None or match[2] not in _UNITS:
            self.fail(f"{value!r} is not a size such as 64MiB or 5GB.", param, ctx)
        size = int(match[1]) * _UNITS[match[2]]
        if not self._smallest <= size <= self._largest:
            self.fail(
                f"{value} is not between {self._smallest:,} and {self._largest:,} bytes.",
                param,
                ctx,
            )
        return size
