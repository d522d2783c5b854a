"""Formats numbers of things."""


def counted(count: int, one: str, many: str) -> str:
    """Format a number of things, with their singular or their plural."""
    return f"{count:,} {one if count == 1 else many}"


def count_bytes(count: int) -> str:
    """Format an exact number of bytes."""
    return counted(count, "byte", "bytes")
