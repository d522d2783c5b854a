"""Compares ETags."""


def bare(etag: str) -> str:
    """Return an ETag in lower case, without weakness and quotation marks."""
    return etag.removeprefix("W/").strip('"').lower()


def etags_match(one: str, other: str | None) -> bool:
    """Tell whether two ETags are equal; servers differ in case and weakness.

    A match means that an object has not changed, not that two objects hold the same bytes.
    """
    return one == other or (other is not None and bare(one) == bare(other))
