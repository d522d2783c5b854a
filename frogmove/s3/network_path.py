"""Messages about the connection to a server: proxy and trusted certificates."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from frogmove.errors import UsageError
from frogmove.quoting import in_quotes
from frogmove.redaction import masked_url


def trusted_bundle(configured: str | None) -> str | None:
    """Return the CA bundle; None for the default one.

    Args:
        configured: the value of ``AWS_CA_BUNDLE`` or of the profile. ``REQUESTS_CA_BUNDLE`` is used
            if there is none, as in botocore.
    """
    return configured or os.environ.get("REQUESTS_CA_BUNDLE") or None


def check(endpoint_url: str, bundle: str | None) -> None:
    """Check proxy and CA bundle before any request; libraries would fail at each request.

    Args:
        endpoint_url: the server.
        bundle: the CA bundle, if given.

    Raises:
        UsageError: when one cannot be used.
    """
    from botocore.utils import get_environ_proxies

    if not _is_http(endpoint_url):
        raise malformed_endpoint(endpoint_url)
    scheme = urlsplit(endpoint_url).scheme
    proxy = get_environ_proxies(endpoint_url).get(scheme)
    if proxy and not _is_http(proxy if "://" in proxy else f"http://{proxy}"):
        raise UsageError(
            f"The proxy {in_quotes(masked_url(proxy))} is not valid.",
            f"Write it as http://host:port in {scheme.upper()}_PROXY, with user and password "
            "percent-encoded.",
        )
    if bundle and scheme == "https" and not Path(bundle).exists():
        raise UsageError(
            f"The CA bundle {in_quotes(bundle)} does not exist.",
            "Check AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE and the profile's ca_bundle.",
        )


def malformed_endpoint(url: str) -> UsageError:
    """Return the error for an endpoint that is not a valid URL."""
    return UsageError(
        f"The endpoint {in_quotes(masked_url(url))} is not a valid URL.",
        "Write it as https://host or http://host:port, in --endpoint-url, AWS_ENDPOINT_URL "
        "or the profile.",
    )


def _is_http(url: str) -> bool:
    """Tell whether a URL has a valid scheme, host and port."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def no_response(url: str, *, is_untrusted: bool = False, bundle: str | None = None) -> str:
    """Return a message about a server that did not respond, with proxy and certificates.

    Args:
        url: the URL of the request.
        is_untrusted: whether its certificate was not trusted; then the CA bundle is named.
        bundle: the CA bundle; None for the one from the environment.
    """
    from botocore.utils import get_environ_proxies

    parts = urlsplit(url)
    message = f"no response from {parts.scheme}://{parts.netloc}"
    proxy = get_environ_proxies(url).get(parts.scheme)
    if proxy:
        message = f"{message} through the proxy {proxy}"
    if is_untrusted:
        named = bundle or trusted_bundle(os.environ.get("AWS_CA_BUNDLE"))
        trusted = f"{named} is trusted" if named else "the default CA certificates are used"
        message = f"{message}, because its certificate is not trusted ({trusted})"
    return message
