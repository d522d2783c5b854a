"""Formats numbers of objects and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frogmove.s3.models import S3Object


def size(count: int) -> str:
    """Format a number of bytes: ``1.2 MB``."""
    # Lazy: see frogmove.cli.output.
    from rich.filesize import decimal

    return decimal(count)


def objects(count: int) -> str:
    """Format a number of objects: ``1,234 objects``."""
    return f"{count:,} object" if count == 1 else f"{count:,} objects"


def identity(item: S3Object) -> str:
    """Format the size and the time of an object: ``22 bytes of 2026-03-01 07:30``."""
    unit = "byte" if item.size == 1 else "bytes"
    return f"{item.size:,} {unit} of {item.last_modified:%Y-%m-%d %H:%M}"
