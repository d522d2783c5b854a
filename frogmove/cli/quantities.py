"""Numbers of objects and bytes in words."""

from __future__ import annotations


def size(count: int) -> str:
    """Format a number of bytes: ``1.2 MB``."""
    # rich is imported when it is first used: see frogmove.cli.output.
    from rich.filesize import decimal

    return decimal(count)


def objects(count: int) -> str:
    """Format a number of objects: ``1,234 objects``."""
    return f"{count:,} object" if count == 1 else f"{count:,} objects"
