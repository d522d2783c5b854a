"""Formats numbers of objects and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frogmove.plural import counted

if TYPE_CHECKING:
    from collections.abc import Mapping


def size(count: int) -> str:
    """Format a number of bytes: ``1.2 MB``."""
    # Lazy: see frogmove.cli.output.
    from rich.filesize import decimal

    return decimal(count)


def objects(count: int) -> str:
    """Format a number of objects: ``1,234 objects``."""
    return counted(count, "object", "objects")


def counts(by_word: Mapping[str, int]) -> str:
    """Format several numbers: ``3 moved, 1 failed``; empty if all are zero."""
    return ", ".join(f"{count:,} {word}" for word, count in by_word.items() if count)


def done(by_outcome: Mapping[str, int], *, is_unfinished: bool) -> str:
    """Format what a run did: its outcomes, or why there are none."""
    return counts(by_outcome) or ("nothing was finished" if is_unfinished else "nothing to do")
