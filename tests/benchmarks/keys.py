"""The keys that are moved: names as a program that writes reports gives them, in folders."""


def key_of(number: int) -> str:
    """Return the key of one object, behind the prefix; a folder holds a thousand."""
    return f"2026/{number // 1000:04d}/report-{number:08d}.csv"
