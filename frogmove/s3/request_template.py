"""Request templates: requests prepared by botocore, captured before it signs and sends them.

So botocore alone decides everything except key and conditions: path or virtual-host addressing,
FIPS and dual-stack endpoints, access points, requester pays, expected owner, encryption, user
agent, and the Region to sign for.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import botocore
from botocore.auth import S3SigV4Auth
from botocore.credentials import Credentials as BotoCredentials

from frogmove.s3.signing import EMPTY, UNSIGNED, Credentials, Scope, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from botocore.awsrequest import AWSRequest
    from botocore.signers import RequestSigner
    from mypy_boto3_s3 import S3Client

# Placeholders for keys; they contain no character that is encoded.
KEY_PLACEHOLDER = "frogmove0stands0for0the0key"
SOURCE_PLACEHOLDER = "frogmove0stands0for0the0source"

# They identify one request; those of a template would be repeated.
_PER_REQUEST = frozenset({"amz-sdk-invocation-id", "amz-sdk-request"})

_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]+")

_PORTS = {"http": 80, "https": 443}

# How long credentials are cached, in seconds. botocore renews them minutes before they expire.
_CREDENTIALS_SECONDS = 1.0


class UnpreparableError(Exception):
    """A request that botocore has to sign and send, or to refuse."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a server."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request without its signature.

    Attributes:
        origin: the server.
        method: ``PUT`` …
        target: path and query, encoded.
        headers: all headers except the signature's.
        body: the body.
        scope: Region and service to sign for; None: it is not signed.
        payload: the body's hash for the signature.
    """

    origin: Origin
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes | None
    scope: Scope | None
    payload: str

    def signed(self, credentials: Credentials | None) -> list[tuple[str, str]]:
        """Return all headers, signed with the current credentials."""
        if credentials is None or self.scope is None:
            return self.headers
        target, headers = self.target, self.headers
        return headers + sign(credentials, self.scope, self.method, target, headers, self.payload)


@dataclass(frozen=True, slots=True)
class Template:
    """A prepared request with placeholders for the keys.

    Attributes:
        origin: the server.
        method: ``PUT`` …
        target: path and query.
        headers: the headers that are the same for each request.
        source: the part before the source key in ``x-amz-copy-source``.
        body: the prepared body.
        scope: Region and service to sign for; None for an anonymous client.
        signs_body: whether the signature covers the body.
    """

    origin: Origin
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    source: str
    body: bytes | None
    scope: Scope | None
    signs_body: bool

    def unchanged(self) -> Request:
        """Return the prepared request without changes."""
        return self._request(self.target, list(self.headers), self.body)

    def for_key(
        self, key: str, headers: Iterable[tuple[str, str]] = (), version_id: str | None = None
    ) -> Request:
        """Return the request for a key.

        Args:
            key: the complete key.
            headers: additional headers.
            version_id: the version.
        """
        target = self.target.replace(KEY_PLACEHOLDER, _encoded(key), 1)
        if version_id is not None:
            target += f"{'&' if '?' in target else '?'}versionId={quote(version_id, '')}"
        return self._request(target, [*self.headers, *headers], self.body)

    def copy_source(self, key: str, version_id: str | None) -> tuple[str, str]:
        """Return the ``x-amz-copy-source`` header."""
        source = self.source + _encoded(key)
        # botocore does not encode version ids here.
        version = "" if version_id is None else f"?versionId={version_id}"
        return "x-amz-copy-source", source + version

    def with_body(self, body: bytes) -> Request:
        """Return the request with another body and its checksum.

        Raises:
            UnpreparableError: when the checksum's algorithm is not supported here.
        """
        headers = []
        for name, value in self.headers:
            lower = name.lower()
            if lower in _CHECKSUMS:
                headers.append((name, _CHECKSUMS[lower](body)))
            elif lower == "content-length":
                headers.append((name, str(len(body))))
            elif lower.startswith("x-amz-checksum-"):
                raise UnpreparableError
            else:
                headers.append((name, value))
        return self._request(self.target, headers, body)

    def _request(self, target: str, headers: list[tuple[str, str]], body: bytes | None) -> Request:
        if not self.signs_body:
            payload = UNSIGNED
        else:
            payload = hashlib.sha256(body).hexdigest() if body else EMPTY
        return Request(self.origin, self.method, target, headers, body, self.scope, payload)


_CHECKSUMS: dict[str, Callable[[bytes], str]] = {
    "content-md5": lambda body: _base64(hashlib.md5(body, usedforsecurity=False).digest()),
    "x-amz-checksum-crc32": lambda body: _base64(zlib.crc32(body).to_bytes(4, "big")),
    "x-amz-checksum-sha256": lambda body: _base64(hashlib.sha256(body).digest()),
}


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _encoded(key: str) -> str:
    """Encode a key as botocore does: everything except slashes and unreserved characters."""
    return key if _PLAIN.fullmatch(key) else quote(key, "/~")


class _CapturedError(Exception):
    """Transports a request out of botocore before it is signed."""

    def __init__(self, request: AWSRequest, signer: RequestSigner, version: object) -> None:
        super().__init__()
        self.request = request
        self.signer = signer
        self.version = version


class TemplateFactory:
    """Lets botocore prepare requests.

    Args:
        client: the boto3 client; its other users are not affected.
    """

    def __init__(self, client: S3Client) -> None:
        self.client = client
        self._capturing = threading.local()
        self._templates: dict[Hashable, Template] = {}
        self._lock = threading.Lock()
        self._ask: Callable[[], Credentials] | None = None
        self._credentials: Credentials | None = None
        self._credentials_until = 0.0
        client.meta.events.register_last("before-sign.s3", self._capture)

    def close(self) -> None:
        """Remove the hooks from the client."""
        self.client.meta.events.unregister("before-sign.s3", self._capture)

    def template(
        self, same: Hashable, operation: str, params: Callable[[], Mapping[str, Any]]
    ) -> Template:
        """Return the template of a request, prepared once.

        Args:
            same: the cache key: what the requests of this template have in common.
            operation: the client's method, such as ``copy_object``.
            params: makes the method's arguments.

        Raises:
            UnpreparableError: when botocore has to send it itself.
        """
        found = self._templates.get(same)
        if found is None:
            found = self._templates[same] = self.prepare(operation, **params())
        return found

    def prepare(self, operation: str, **params: Any) -> Template:  # noqa: ANN401
        """Prepare one request.

        Raises:
            UnpreparableError: when botocore has to send it itself.
        """
        self._capturing.on = True
        try:
            getattr(self.client, operation)(**params)
        except _CapturedError as captured:
            return self._template(captured)
        except Exception as error:
            # boto3 will raise the same error.
            raise UnpreparableError from error
        finally:
            self._capturing.on = False
        raise UnpreparableError

    def clear_cache(self) -> None:
        """Prepare all templates again, because the client's redirects may have changed."""
        self._templates.clear()

    def credentials(self) -> Credentials | None:
        """Return the current credentials; None for an anonymous client.

        May block while botocore renews them.

        Raises:
            UnpreparableError: when there are none.
        """
        ask = self._ask
        if ask is None:
            return None
        if time.monotonic() >= self._credentials_until:
            with self._lock:
                if time.monotonic() >= self._credentials_until:
                    self._credentials = ask()
                    self._credentials_until = time.monotonic() + _CREDENTIALS_SECONDS
        return self._credentials

    def _capture(
        self,
        request: AWSRequest,
        request_signer: RequestSigner,
        signature_version: object,
        **_: object,
    ) -> None:
        if getattr(self._capturing, "on", False):
            raise _CapturedError(request, request_signer, signature_version)

    def _template(self, captured: _CapturedError) -> Template:
        request = captured.request
        scope, signs_body = self._signing(captured)
        prepared = request.prepare()
        url = urlsplit(prepared.url)
        target = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
        port = url.port or _PORTS[url.scheme]
        origin = Origin(url.scheme, url.hostname or "", port)
        # The headers that urllib3 and http.client would add.
        headers = [("Host", _host(origin)), ("Accept-Encoding", "identity")]
        source = ""
        for name, raw in prepared.headers.items():
            value = _text(raw)
            lower = name.lower()
            if lower == "x-amz-copy-source" and value.endswith(SOURCE_PLACEHOLDER):
                source = value.removesuffix(SOURCE_PLACEHOLDER)
            elif lower not in _PER_REQUEST:
                headers.append((name, value))
        body = prepared.body
        if body is not None and not isinstance(body, bytes):
            raise UnpreparableError
        return Template(
            origin, prepared.method, target, tuple(headers), source, body, scope, signs_body
        )

    def _signing(self, captured: _CapturedError) -> tuple[Scope | None, bool]:
        """Return how a request is to be signed."""
        signer, version = captured.signer, captured.version
        if version is botocore.UNSIGNED:
            return None, False
        # Directory buckets and multi-Region access points use other signatures.
        if version not in {"s3v4", "v4"}:
            raise UnpreparableError
        context = captured.request.context.get("signing", {})
        region = context.get("region") or signer.region_name
        service = context.get("signing_name") or signer.signing_name

        def ask() -> Credentials:
            try:
                frozen = signer.get_auth_instance(service, region, version).credentials
            except Exception as error:
                raise UnpreparableError from error
            if frozen is None:
                raise UnpreparableError
            return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

        credentials = ask()
        rule = S3SigV4Auth(
            BotoCredentials(credentials.access, credentials.secret, credentials.token),
            service,
            region,
        )
        signs_body = rule.payload(captured.request) != UNSIGNED
        self._ask = ask
        return Scope(region, service), signs_body


def _text(value: object) -> str:
    # Some of botocore's handlers set bytes, contrary to its types.
    return value.decode() if isinstance(value, bytes) else str(value)


def _host(origin: Origin) -> str:
    name = f"[{origin.host}]" if ":" in origin.host else origin.host
    return name if origin.port == _PORTS[origin.scheme] else f"{name}:{origin.port}"
