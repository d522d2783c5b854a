"""Whether two ETags name the same content, however they are written."""


def bare(etag: str) -> str:
    """Return an ETag without case, weakness and quotation marks."""
    return etag.removeprefix("W/").strip('"').lower()


def etags_match(one: str, other: str | None) -> bool:
    """Tell whether two ETags are one: servers write case and weakness as they like.

    A match means that an object is as it was seen, not that two objects hold the same bytes.
    """
    return one == other or (other is not None and bare(one) == bare(other))
