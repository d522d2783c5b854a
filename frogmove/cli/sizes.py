"""Sizes as people write them: ``64MiB``, ``5GB``, ``1048576``."""

import click


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
        from frogmove.core.quantities import parse_size
        from frogmove.errors import UsageError

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
