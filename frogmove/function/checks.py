"""What only the first request would find wrong with an environment variable. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from frogmove.errors import UsageError
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
_ACCOUNT_DIGITS = 12


def without_password(url: str) -> str:
    """Return a URL without the name and password that it may hold."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _check_location(text: str) -> None:
    parse_location(text)


def _check_endpoint(text: str) -> None:
    expected = "Write it as https://host or https://host:port."
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise UsageError("It is no URL of a server.", expected) from error
    if not is_one:
        raise UsageError("It is no URL of a server.", expected)


def _check_owner(text: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) == _ACCOUNT_DIGITS):
        raise UsageError(f"{text!a} is no AWS account.", "Its id has 12 digits.")


def _check_key_id(text: str) -> None:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{text!a} is no KMS key.", "Give its id, its ARN or its alias/name.")


# By what follows FROGMOVE_ in the variable's name.
CHECKS: Mapping[str, Callable[[str], None]] = {
    "SOURCE": _check_location,
    "DESTINATION": _check_location,
    "ENDPOINT_URL": _check_endpoint,
    "EXPECTED_BUCKET_OWNER": _check_owner,
    "KMS_KEY_ID": _check_key_id,
}
