"""Turns botocore's exceptions into S3Error, and checks responses that botocore accepts."""

from __future__ import annotations

import re
from http.client import responses
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from frogmove.s3.errors import MALFORMED, SIGN_IN, S3Error
from frogmove.s3.network_path import no_response

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

# The root element of each response that a decision depends on. botocore accepts any root, so the
# HTML page of a gateway would be an empty bucket.
_ROOTS = {
    operation: re.compile(rb"<(?:\w+:)?" + root + rb"[\s/>]")
    for operation, root in {
        "ListObjectsV2": b"ListBucketResult",
        "CopyObject": b"CopyObjectResult",
        "UploadPartCopy": b"CopyPartResult",
        "DeleteObjects": b"DeleteResult",
        "CompleteMultipartUpload": b"CompleteMultipartUploadResult",
    }.items()
}

# botocore's exceptions that mean that there are no credentials; nothing was sent.
_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
    }
)


def failed(
    operation: str, error: Exception, bundle: str | None = None, remedy: str = ""
) -> S3Error:
    """Turn an exception of botocore into an S3Error.

    Args:
        operation: the operation.
        error: the exception.
        bundle: the CA bundle, if known.
        remedy: what to do about it, if known.
    """
    if isinstance(error, ClientError):
        return _refused(error, operation)
    words = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (HTTPClientError, BotoConnectionError)):
        # The host may also be STS or a proxy.
        tried = error.kwargs.get("endpoint_url")
        message = words
        if isinstance(error, ProxyConnectionError):
            message = f"cannot connect through the proxy {error.kwargs.get('proxy_url')}"
        elif isinstance(error, SSLError):
            untrusted = no_response(str(tried), is_untrusted=True, bundle=bundle)
            message = f"{untrusted}: {error.kwargs.get('error')}"
        elif tried:
            message = no_response(str(tried))
        return S3Error(operation, type(error).__name__, None, message)
    name = type(error).__name__
    if name in _NO_CREDENTIALS:
        return S3Error(SIGN_IN, name, 400, words, remedy)
    # For example a parameter that botocore refuses: nothing was sent.
    code = "" if isinstance(error, BotoCoreError) else name
    return S3Error(operation, code, 400, words, remedy)


def _refused(error: ClientError, operation: str) -> S3Error:
    """Read an error response; one that is not from S3 has only HTTP's status and reason."""
    body = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode")
    message = body.get("Message") or responses.get(status or 0, "")
    region = str(body.get("Region", ""))
    if (status or 0) // 100 == 3:
        region = region or metadata.get("HTTPHeaders", {}).get("x-amz-bucket-region", "")
    if region not in message:
        message = f"{message.rstrip('.')}: the bucket is in {region}"
    # It may have been a request for credentials.
    refused = error.operation_name or operation
    return S3Error(refused, body.get("Code") or str(status or ""), status, message)


def check_roots(client: S3Client) -> None:
    """Make a client refuse responses with an unexpected root element."""
    for operation in _ROOTS:
        client.meta.events.register_last(f"after-call.s3.{operation}", _check_root)
    client.meta.events.register_last("after-call.s3.DeleteObject", _check_nothing)


def _check_nothing(http_response: AWSResponse, model: OperationModel, **_: object) -> None:
    """Refuse a response to DeleteObject with a body: S3 sends none, but a gateway may.

    Raises:
        S3Error: when there is a body.
    """
    if http_response.status_code < 300 and http_response.content.strip():
        raise S3Error(model.name, MALFORMED, 500, "the response to a delete has a body")


def _check_root(http_response: AWSResponse, model: OperationModel, **_: object) -> None:
    """Refuse a success response with an unexpected root element.

    Raises:
        S3Error: when the root is wrong.
    """
    # botocore itself treats a 200 without XML as a 500, and recognises a 200 with an error.
    status = getattr(http_response.raw, "status", http_response.status_code)
    content = http_response.content
    if status >= 300 or b"<Error" in content:
        return
    if http_response.status_code >= 300 or not _ROOTS[model.name].search(content):
        raise S3Error(model.name, MALFORMED, 500, "the response is not of the requested kind")
