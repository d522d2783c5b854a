"""How a server is reached, for people: through which proxy, trusting which certificates."""

from __future__ import annotations

import os
from urllib.parse import urlsplit


def trusted_bundle(configured: str | None) -> str | None:
    """Return the file of certificates to trust instead of the usual ones; None for those.

    Args:
        configured: what ``AWS_CA_BUNDLE`` or the profile says. botocore also takes the variable
            of requests, but after it.
    """
    return configured or os.environ.get("REQUESTS_CA_BUNDLE") or None


def no_answer(url: str, *, is_untrusted: bool = False, bundle: str | None = None) -> str:
    """Say which server did not answer, and by what way it was asked.

    Args:
        url: what was asked.
        is_untrusted: whether it was not trusted; the certificates are then named.
        bundle: the file of trusted certificates; None where the variables tell.
    """
    from botocore.utils import get_environ_proxies

    place = urlsplit(url)
    said = f"no answer from {place.scheme}://{place.netloc}"
    proxy = get_environ_proxies(url).get(place.scheme)
    if proxy:
        said = f"{said} through the proxy {proxy}"
    if is_untrusted:
        named = bundle or trusted_bundle(os.environ.get("AWS_CA_BUNDLE"))
        trusted = f"{named} is trusted" if named else "the usual authorities are trusted"
        said = f"{said}, as its certificate is not trusted ({trusted})"
    return said
