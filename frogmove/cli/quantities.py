"""Formats numbers of objects and bytes."""

from __future__ import annotations


def size(count: int) -> str:
    """Format a number of bytes: ``1.2 MB``."""
    # Lazy: see frogmove.cli.output.
    from rich.filesize import decimal

    return decimal(count)


def objects(count: int) -> str:
    """Format a number of objects: ``1,234 objects``."""
    return f"{count:,} object" if count == 1 else f"{count:,} objects"
