"""AWS Signature Version 4 in request headers. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

botocore's own signer costs several times as much a request, as it works on request objects; a
test holds both to the same signature.
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

# Proxies and transports may change these.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
_NOT_SIGNED = frozenset({"accept-encoding", "content-length", "user-agent"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials as they are at one moment."""

    access: str
    secret: str
    token: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: a Region and a service."""

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
        credentials: as whom.
        scope: for where.
        method: ``GET`` …
        target: path and query as they are sent; the path is signed as it is, as S3 wants it,
            and the query has to be encoded as AWS encodes.
        headers: the headers to be sent, Host among them.
        payload: the SHA-256 of the body in hexadecimal, or ``UNSIGNED``.
        now: seconds of the Unix time; by default now.
    """
    moment = _moment(int(time.time() if now is None else now))
    added = [("X-Amz-Date", moment), ("X-Amz-Content-SHA256", payload)]
    if credentials.token:
        added.append(("X-Amz-Security-Token", credentials.token))
    every = [*headers, *added]
    order, names = _signed_names(tuple([name for name, _ in every]))
    path, _, query = target.partition("?")
    request = "\n".join(
        (
            method,
            path,
            _canonical(query) if query else "",
            *[f"{name}:{' '.join(every[place][1].split())}" for name, place in order],
            "",
            names,
            payload,
        )
    )
    day = moment[:8]
    extent = f"{day}/{scope.region}/{scope.service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{extent}\n{digest}"
    # A copy, as hmac.digest() would give the interpreter's lock away for nothing, and wait for it.
    stamp = _signing_key(credentials.secret, day, scope.region, scope.service).copy()
    stamp.update(text.encode())
    signature = stamp.hexdigest()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access}/{extent}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return [*added, ("Authorization", authorization)]


@lru_cache(maxsize=64)
def _signed_names(names: tuple[str, ...]) -> tuple[list[tuple[str, int]], str]:
    """Order the headers to be signed: a run's requests have the same ones over and over.

    Returns:
        their names as they are signed, each with its place among the headers; and the list of
        them that is signed, too.
    """
    places = [(name.lower(), place) for place, name in enumerate(names)]
    order = sorted(pair for pair in places if pair[0] not in _NOT_SIGNED)
    return order, ";".join([name for name, _ in order])


@lru_cache(maxsize=4)
def _moment(now: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _canonical(query: str) -> str:
    """Sort a query; a name without a value gets an empty one."""
    parts = [part.partition("=") for part in query.split("&")]
    # As pairs: in the joined text the equals sign would be sorted among the names' characters.
    pairs = sorted((name, value) for name, _, value in parts)
    return "&".join([f"{name}={value}" for name, value in pairs])


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str, service: str) -> hmac.HMAC:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")
