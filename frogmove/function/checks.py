"""Validates environment variables that would otherwise fail only at the first request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from frogmove.config import check_account, check_key_id
from frogmove.core.required_tags import parse_tag
from frogmove.errors import UsageError
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def without_password(url: str) -> str:
    """Return a URL without user name and password."""
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
        raise UsageError("It is not the URL of a server.", expected) from error
    if not is_one:
        raise UsageError("It is not the URL of a server.", expected)


def _check_tag(text: str) -> None:
    parse_tag(text)


def _check_plan(text: str) -> None:
    if not text.startswith("arn:") or ":malware-protection-plan/" not in text:
        raise UsageError(
            "It is not the ARN of a protection plan.",
            "Write it as arn:aws:guardduty:REGION:ACCOUNT:malware-protection-plan/ID.",
        )


def _check_role(text: str) -> None:
    if not text.startswith("arn:") or ":role/" not in text:
        raise UsageError(
            "It is not the ARN of a role.", "Write it as arn:aws:iam::ACCOUNT:role/NAME."
        )


# The checks, by the part of a variable's name after FROGMOVE_.
CHECKS: Mapping[str, Callable[[str], None]] = {
    "SOURCE": _check_location,
    "DESTINATION": _check_location,
    "ENDPOINT_URL": _check_endpoint,
    "EXPECTED_BUCKET_OWNER": check_account,
    "KMS_KEY_ID": check_key_id,
    "QUARANTINE": _check_location,
    "QUARANTINE_ROLE": _check_role,
    "REQUIRE_TAG": _check_tag,
    "SCAN_PLAN": _check_plan,
}
