"""How a server is reached, for people: through which proxy, trusting which certificates."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from frogmove.errors import UsageError
from frogmove.redaction import masked_url


def trusted_bundle(configured: str | None) -> str | None:
    """Return the file of certificates to trust instead of the usual ones; None for those.

    Args:
        configured: what ``AWS_CA_BUNDLE`` or the profile says. botocore also takes the variable
            of requests, but after it.
    """
    return configured or os.environ.get("REQUESTS_CA_BUNDLE") or None


def check(endpoint_url: str, bundle: str | None) -> None:
    """Refuse a way to a server that cannot be gone; libraries find out only request by request.

    Args:
        endpoint_url: the server.
        bundle: the file of certificates to trust, where one is named.

    Raises:
        UsageError: in that case.
    """
    from botocore.utils import get_environ_proxies

    if not _is_http(endpoint_url):
        raise malformed_endpoint(endpoint_url)
    scheme = urlsplit(endpoint_url).scheme
    proxy = get_environ_proxies(endpoint_url).get(scheme)
    if proxy and not _is_http(proxy if "://" in proxy else f"http://{proxy}"):
        raise UsageError(
            f"The proxy {masked_url(proxy)!r} cannot be used.",
            f"Write it as http://host:port in {scheme.upper()}_PROXY, "
            "with a user and a password percent-encoded.",
        )
    if bundle and scheme == "https" and not Path(bundle).exists():
        raise UsageError(
            f"There is no file {bundle!r} of trusted certificates.",
            "Check AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE and the profile's ca_bundle.",
        )


def malformed_endpoint(url: str) -> UsageError:
    """Return the refusal of an endpoint that is no URL."""
    return UsageError(
        f"The endpoint {masked_url(url)!r} is no URL that can be asked.",
        "Write it as https://host or http://host:port, in --endpoint-url, AWS_ENDPOINT_URL "
        "or the profile.",
    )


def _is_http(url: str) -> bool:
    """Tell whether a URL has a scheme, a host and a port that can be."""
    try:
        place = urlsplit(url)
        return place.scheme in {"http", "https"} and bool(place.hostname) and place.port != 0
    except ValueError:
        return False


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
