"""Splits a space of keys into ranges.

Python orders strings by code points, which is the order of their UTF-8 bytes, as in S3.
"""

from collections.abc import Sequence

# How many keys of a page are used to guess the distribution of keys.
_SAMPLE = 16

_LOWEST = "\x1f"
_HIGHEST = "\U0010ffff"


def midpoint(low: str, high: str | None, sample: Sequence[str]) -> str | None:
    """Return a string between two others, about half way for keys like those of a sample.

    Args:
        low: the result is after this.
        high: the result is before this; None for no bound.
        sample: some keys before ``low``, as an estimate of the characters in keys.

    Returns:
        the string; None if there is none.
    """
    if high is None:
        shared = min((_shared(low, key) for key in sample), default=0)
    else:
        shared = _shared(low, high)
        if shared == len(high):
            return None
    top = max((char for key in sample for char in key), default="~")
    for place in range(shared, len(low) + 1):
        start = low[place] if place < len(low) else _LOWEST
        if high is not None and place == shared:
            middle = _middle(start, high[place])
        else:
            middle = _middle(start, chr(ord(top) + 1) if start <= top < _HIGHEST else _HIGHEST)
        if middle is not None:
            return low[:place] + middle
    return None


def sample_keys(keys: Sequence[str]) -> Sequence[str]:
    """Return some keys of a page, evenly spread, for :func:`midpoint`."""
    return keys[:: 1 + len(keys) // _SAMPLE]


def _shared(one: str, other: str) -> int:
    """Return the length of the common prefix of two strings."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _middle(start: str, end: str) -> str | None:
    middle = (ord(start) + ord(end)) // 2
    if 0xD800 <= middle <= 0xDFFF:
        # Surrogates cannot be encoded in UTF-8.
        middle = 0xE000 if ord(end) > 0xE000 else 0xD7FF
    return chr(middle) if ord(start) < middle < ord(end) else None


def spread(items: Sequence[str], count: int) -> Sequence[str]:
    """Return at most ``count`` elements, evenly spread."""
    if len(items) <= count:
        return items
    return [items[place * len(items) // count] for place in range(count)]
