"""Secrets that URLs carry, taken out of everything that people or logs are told. Pure."""

import re
from urllib.parse import urlsplit, urlunsplit

# What stands for a secret.
MASK = "***"

# A password may hold an @ of its own: what precedes the last one before the host ends is taken.
_USER = re.compile(r"([a-z][a-z0-9+.-]*://)[^\s/?#<>]*@", re.IGNORECASE)
# One that should have been escaped, as it holds what ends a host: no port is where one belongs.
_UNESCAPED_USER = re.compile(
    r"((?!s3:)\b[a-z][a-z0-9+.-]*://)(?!\[)[^\s/?#<>@:]*:(?!\d{0,5}(?:[/?#\s'\"]|$))[^\s<>]*@",
    re.IGNORECASE,
)
# A word with an @ and a port, such as a proxy that is written without its scheme.
_BARE_USER = re.compile(r"(?<![\w./:@-])[\w.%~+-]+:[^\s/@'\"<>]+@(?=[\w.\[-]+:\d)")
_QUERY = re.compile(r"([a-z][a-z0-9+.-]*://[^\s?#'\"<>]*)[?#][^\s'\"<>]+", re.IGNORECASE)


def redact(text: str) -> str:
    """Return a text without the passwords and the queries of the URLs in it.

    URIs of S3 are left alone: keys may hold question marks.

    Args:
        text: what is to be told.
    """
    if "://" not in text and "@" not in text:
        return text
    text = _UNESCAPED_USER.sub(rf"\1{MASK}@", text)
    text = _USER.sub(rf"\1{MASK}@", text)
    text = _BARE_USER.sub(f"{MASK}@", text)
    return _QUERY.sub(_without_query, text)


def _without_query(found: re.Match[str]) -> str:
    if found[1].lower().startswith("s3://"):
        return found[0]
    return f"{found[1]}?{MASK}"


def bare_url(url: str) -> str:
    """Return an endpoint's URL without its user, password, query and fragment.

    None of them reaches S3, whose requests are signed instead.

    Args:
        url: a URL with a host.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def masked_url(text: str) -> str:
    """Return what should be one URL, and may be malformed, without what may be a password.

    Args:
        text: all of it, spaces included.
    """
    scheme, mark, rest = text.rpartition("://")
    user, at, host = rest.rpartition("@")
    return redact(f"{scheme}{mark}{MASK if at and user else ''}{at}{host}")
