"""Removes secrets in URLs from messages and logs."""

import re
from urllib.parse import urlsplit, urlunsplit

# The replacement for a secret.
MASK = "***"

# A password may contain an @: everything before the last @ of the host part is removed.
_USER = re.compile(r"([a-z][a-z0-9+.-]*://)[^\s/?#<>]*@", re.IGNORECASE)
# A password with a character that ends the host part and should have been escaped.
_UNESCAPED_USER = re.compile(
    r"((?!s3:)\b[a-z][a-z0-9+.-]*://)(?!\[)[^\s/?#<>@:]*:(?!\d{0,5}(?:[/?#\s'\"]|$))[^\s<>]*@",
    re.IGNORECASE,
)
# A word with an @ and a port, such as a proxy without a scheme.
_BARE_USER = re.compile(r"(?<![\w./:@-])[\w.%~+-]+:[^\s/@'\"<>]+@(?=[\w.\[-]+:\d)")
_QUERY = re.compile(r"([a-z][a-z0-9+.-]*://[^\s?#'\"<>]*)[?#][^\s'\"<>]+", re.IGNORECASE)


def redact(text: str) -> str:
    """Return a text without the passwords and queries of its URLs.

    S3 URIs are not changed: keys may contain question marks.

    Args:
        text: the text.
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

    None of them is sent to S3.

    Args:
        url: a URL with a host.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def masked_url(text: str) -> str:
    """Return a URL, which may be malformed, without its password.

    Args:
        text: the URL; may contain spaces.
    """
    scheme, mark, rest = text.rpartition("://")
    user, at, host = rest.rpartition("@")
    return redact(f"{scheme}{mark}{MASK if at and user else ''}{at}{host}")
