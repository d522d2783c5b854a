"""What botocore raises in place of an answer, as an error of S3."""

from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from frogmove.s3 import S3Error

# botocore's own refusals that mean the credentials cannot be used.
_LOCAL = dict.fromkeys(
    (
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
    ),
    "InvalidAccessKeyId",
)


def failed(operation: str, error: Exception) -> S3Error:
    """Read what botocore raised in place of an answer, from whatever depth of it.

    Args:
        operation: what was to be done.
        error: what was raised.
    """
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        # It may have been a request for credentials that was refused.
        refused = error.operation_name or operation
        return S3Error(refused, said.get("Code", ""), status, said.get("Message", ""))
    words = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (HTTPClientError, BotoConnectionError)):
        # The host that was tried may be STS or a proxy.
        tried = error.kwargs.get("proxy_url") or error.kwargs.get("endpoint_url")
        message = f"no answer from {_origin(str(tried))}" if tried else words
        if isinstance(error, ProxyConnectionError):
            message = f"no way through the proxy {tried}"
        elif isinstance(error, SSLError):
            message = f"{message}, as its certificate is not trusted: {error.kwargs.get('error')}"
        return S3Error(operation, type(error).__name__, None, message)
    if isinstance(error, BotoCoreError):
        # No credentials, no token, a parameter botocore refuses: nothing was sent.
        return S3Error(operation, _LOCAL.get(type(error).__name__, ""), 400, words)
    return S3Error(operation, type(error).__name__, 400, words)


def _origin(url: str) -> str:
    """Return what of a URL names the server."""
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc}"
