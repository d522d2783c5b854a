"""AWS Signature Version 4 in request headers.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

botocore's signer takes several times the CPU time per request (measured), because it works on
request objects; a test compares both signatures.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"

# Not signed, because proxies and HTTP clients may change them.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
_NOT_SIGNED = frozenset({"accept-encoding", "content-length", "user-agent"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """A snapshot of credentials."""

    access: str
    secret: str
    token: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is valid for: a Region and a service."""

    region: str
    service: str


def sign(
    credentials: Credentials,
    scope: Scope,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    payload: str,
    now: float | None = None,
) -> list[tuple[str, str]]:
    """Return the headers that sign a request.

    Args:
        credentials: the credentials.
        scope: Region and service.
        method: ``GET`` …
        target: path and query as they are sent, the query encoded as by AWS.
        headers: the headers to be sent, including Host.
        payload: the SHA-256 of the body in hexadecimal, or ``UNSIGNED``.
        now: Unix time in seconds; by default the current time.
    """
    timestamp = _timestamp(int(time.time() if now is None else now))
    added = [("X-Amz-Date", timestamp), ("X-Amz-Content-SHA256", payload)]
    if credentials.token:
        added.append(("X-Amz-Security-Token", credentials.token))
    all_headers = [*headers, *added]
    order, names = _signed_names(tuple([name for name, _ in all_headers]))
    # S3 wants the path signed unchanged.
    path, _, query = target.partition("?")
    values = [f"{name}:{' '.join(all_headers[place][1].split())}" for name, place in order]
    canonical_query = _canonical(query) if query else ""
    request = "\n".join((method, path, canonical_query, *values, "", names, payload))
    day = timestamp[:8]
    scope_text = f"{day}/{scope.region}/{scope.service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope_text}\n{digest}"
    # A copied hmac object: hmac.digest() would release the GIL and wait for it again.
    mac = _signing_key(credentials.secret, day, scope.region, scope.service).copy()
    mac.update(text.encode())
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access}/{scope_text}, "
        f"SignedHeaders={names}, Signature={mac.hexdigest()}"
    )
    return [*added, ("Authorization", authorization)]


@lru_cache(maxsize=64)
def _signed_names(names: tuple[str, ...]) -> tuple[list[tuple[str, int]], str]:
    """Return the order of the headers for the signature; cached, since requests have the same ones.

    Returns:
        the sorted names, each with its index in the headers; and the signed list of names.
    """
    places = [(name.lower(), place) for place, name in enumerate(names)]
    order = sorted(pair for pair in places if pair[0] not in _NOT_SIGNED)
    return order, ";".join([name for name, _ in order])


@lru_cache(maxsize=4)
def _timestamp(now: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _canonical(query: str) -> str:
    """Return the canonical query; a name without a value gets an empty one."""
    parts = [part.partition("=") for part in query.split("&")]
    # Sorted as pairs: in joined text the equals sign would take part in the order.
    pairs = sorted((name, value) for name, _, value in parts)
    return "&".join([f"{name}={value}" for name, value in pairs])


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str, service: str) -> hmac.HMAC:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")
