"""The S3 interface on awscrt, for many small requests: prepared by botocore, filled in here.

Rare requests, and those that botocore must sign in a special way, go through boto3.
"""

from __future__ import annotations

from functools import partial
from http.client import responses
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from frogmove.s3 import boto_shapes, timeouts, xml
from frogmove.s3.checked_delete import delete_as_seen
from frogmove.s3.errors import ELSEWHERE, EXPIRED_TOKEN, MALFORMED, S3Error
from frogmove.s3.fallbacks import TAGGING
from frogmove.s3.future import Future, LightFuture, pass_on
from frogmove.s3.head_response import from_headers, read_head
from frogmove.s3.in_flight import HttpResponse, TransportError
from frogmove.s3.models import Copied, Page
from frogmove.s3.network_path import no_response
from frogmove.s3.rare_requests import RareRequests
from frogmove.s3.request_template import (
    KEY_PLACEHOLDER,
    SOURCE_PLACEHOLDER,
    TemplateFactory,
    UnpreparableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from frogmove.s3.boto import BotoS3
    from frogmove.s3.models import Copy, Deletion, Head
    from frogmove.s3.request_template import Request
    from frogmove.s3.transport import Transport

T = TypeVar("T")

# Connection errors after which boto3 tries again, as nothing was sent: awscrt does not say what is
# wrong with a certificate, and reports it only after 10 to 30 seconds, to prevent timing attacks
# (https://github.com/aws/s2n-tls/issues/4508).
_NOT_CONNECTED = frozenset({"AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE", "NoConnectionError"})

# awscrt's errors for headers that are not UTF-8, such as metadata in Latin-1, or for an invalid
# length. Only a HEAD may be sent again after these.
_UNREADABLE = frozenset({"AWS_ERROR_HTTP_PROTOCOL_ERROR", "AWS_ERROR_UNKNOWN"})

# Codes after which boto3 tries again: it follows redirects to the bucket's Region, and renews
# credentials.
_CODES = ELSEWHERE | EXPIRED_TOKEN


class CrtS3(RareRequests):
    """The S3 interface on awscrt's HTTP connections.

    Args:
        boto: prepares the requests, and sends those that are not sent here. It is closed together
            with this.
        transport: sends the others.
    """

    def __init__(self, boto: BotoS3, transport: Transport) -> None:
        super().__init__(boto)
        self._transport = transport
        self._templates = TemplateFactory(boto.client)
        self._renewing = Lock()
        self._learnt = 0
        self._closed = False

    @property
    def endpoint_url(self) -> str:
        """The address of the server."""
        return self._boto.endpoint_url

    def close(self) -> None:
        """Wait for the requests in flight and end connections and threads."""
        self._closed = True
        self._transport.close()
        self._templates.close()
        self._boto.close()

    def list_page(
        self,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 1000,
        *,
        start_after: str = "",
        delimiter: str = "",
    ) -> Future[Page]:
        """See :class:`frogmove.s3.interface.S3`."""
        more = boto_shapes.list_options(token, start_after, delimiter)

        def request(templates: TemplateFactory) -> Request:
            return templates.prepare(
                "list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=limit, **more
            ).unchanged()

        again = partial(
            self._boto.list_page,
            *(bucket, prefix, token, limit),
            start_after=start_after,
            delimiter=delimiter,
        )
        return self._send("ListObjectsV2", request, _page, again)

    def head(
        self, bucket: str, key: str, version_id: str | None = None, *, part: int | None = None
    ) -> Future[Head]:
        """See :class:`frogmove.s3.interface.S3`."""
        if part is not None:
            return self._boto.head(bucket, key, version_id, part=part)

        def request(templates: TemplateFactory) -> Request:
            template = templates.template(
                ("head", bucket),
                "head_object",
                lambda: {"Bucket": bucket, "Key": KEY_PLACEHOLDER, "ChecksumMode": "ENABLED"},
            )
            return template.for_key(_allowed(key), version_id=version_id)

        again = partial(self._boto.head, bucket, key, version_id)
        return self._send("HeadObject", request, partial(_head, key, version_id), again)

    def copy(self, copy: Copy) -> Future[Copied]:
        """See :class:`frogmove.s3.interface.S3`."""

        def result(response: HttpResponse) -> Copied:
            # A template prepared since then may omit more, never less.
            tags = not self._boto.fallbacks.leaves_out("CopyObject", TAGGING)
            return Copied(
                xml.read_copied(response.body), response.headers.get("x-amz-version-id"), tags
            )

        if copy.attributes:
            return self._boto.copy(copy)
        again = partial(self._boto.copy, copy)
        seconds = timeouts.of_copy(copy.source.size)
        return self._send("CopyObject", partial(_copy_request, copy), result, again, seconds)

    def delete(self, bucket: str, deletion: Deletion) -> Future[None]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request(templates: TemplateFactory) -> Request:
            template = templates.template(
                ("delete", bucket),
                "delete_object",
                lambda: {"Bucket": bucket, "Key": KEY_PLACEHOLDER},
            )
            condition = []
            if deletion.version_id is None and deletion.etag is not None:
                condition.append(("If-Match", boto_shapes.quoted(deletion.etag)))
            return template.for_key(_allowed(deletion.key), condition, deletion.version_id)

        # boto3 sends its own HEAD request.
        again = partial(self._boto.delete, bucket, deletion)
        send = partial(self._send, "DeleteObject", request, _nothing, again)
        if deletion.seen is None:
            return send()
        return delete_as_seen(self.head(bucket, deletion.key), deletion.seen, send)

    def delete_many(
        self, bucket: str, deletions: Sequence[Deletion]
    ) -> Future[dict[str, S3Error | None]]:
        """See :class:`frogmove.s3.interface.S3`."""

        def request(templates: TemplateFactory) -> Request:
            template = templates.template(
                ("delete_many", bucket),
                "delete_objects",
                lambda: {"Bucket": bucket, "Delete": {"Objects": [{"Key": KEY_PLACEHOLDER}]}},
            )
            return template.with_body(xml.write_deletions(deletions))

        def result(response: HttpResponse) -> dict[str, S3Error | None]:
            return boto_shapes.delete_results(deletions, xml.read_delete_results(response.body))

        again = partial(self._boto.delete_many, bucket, deletions)
        return self._send("DeleteObjects", request, result, again)

    def _send(
        self,
        operation: str,
        request: Callable[[TemplateFactory], Request],
        result: Callable[[HttpResponse], T],
        again: Callable[[], Future[T]],
        seconds: float | None = None,
    ) -> Future[T]:
        """Send one request.

        Args:
            operation: its name, for errors.
            request: makes the request.
            result: reads the response.
            again: does the same through boto3.
            seconds: timeout for the first byte of the response.
        """
        if self._closed:
            raise RuntimeError("closed")
        known = self._boto.fallbacks.version
        templates = self._current()
        try:
            made = request(templates)
            headers = made.signed(templates.credentials())
        except (UnpreparableError, UnicodeError):
            return again()
        future: LightFuture[T] = LightFuture()
        ended = partial(self._ended, operation, result, again, templates, known, future)
        self._transport.send(made, headers, ended, seconds or timeouts.QUICK)
        return future

    def _current(self) -> TemplateFactory:
        """Return the template factory for the current credentials and fallbacks."""
        templates = self._templates
        learnt = self._boto.fallbacks.version
        if self._learnt != learnt:
            self._learnt = learnt
            templates.clear_cache()
        if templates.client is self._boto.client:
            return templates
        with self._renewing:
            if self._templates.client is not self._boto.client:
                self._templates = TemplateFactory(self._boto.client)
            return self._templates

    def _ended(
        self,
        operation: str,
        result: Callable[[HttpResponse], T],
        again: Callable[[], Future[T]],
        templates: TemplateFactory,
        known: int,
        future: LightFuture[T],
        response: HttpResponse | TransportError,
    ) -> None:
        try:
            found = self._read(operation, result, response)
        except S3Error as error:
            if _is_for_boto(error) or self._boto.fallbacks.may_help(error, known):
                templates.clear_cache()
                self._redo(again, future)
            else:
                future.set_exception(error)
        except UnicodeError:
            # Header values that are not ASCII are left to botocore.
            self._redo(again, future)
        except Exception as problem:
            # Otherwise the caller would wait forever.
            future.set_exception(problem)
        else:
            future.set_result(found)

    def _read(
        self,
        operation: str,
        result: Callable[[HttpResponse], T],
        response: HttpResponse | TransportError,
    ) -> T:
        """Read a response.

        Raises:
            S3Error: when there is none, or when it is an error or malformed.
            UnicodeError: when botocore has to read it.
        """
        if isinstance(response, TransportError):
            raise self._no_response(operation, response)
        if not 200 <= response.status < 300:
            raise _refused(operation, response)
        try:
            return result(response)
        except UnicodeError:
            raise
        except (KeyError, ValueError, TypeError) as problem:
            raise _malformed(operation, response, problem) from problem

    def _no_response(self, operation: str, problem: TransportError) -> S3Error:
        error = S3Error(operation, problem.name, None, "")
        asked = no_response(
            self.endpoint_url,
            is_untrusted=error.is_untrusted,
            bundle=self._transport.bundle,
        )
        return S3Error(operation, problem.name, None, f"{asked}: {problem.words}")

    def _redo(self, again: Callable[[], Future[T]], future: LightFuture[T]) -> None:
        """Send the request through boto3, and pass on its result."""
        try:
            again().add_done_callback(partial(pass_on, future))
        except Exception as problem:
            # Otherwise the caller would wait forever.
            future.set_exception(problem)


def _copy_request(copy: Copy, templates: TemplateFactory) -> Request:
    template = templates.template(
        ("copy", copy.bucket, copy.to_bucket), "copy_object", partial(_copy_params, copy)
    )
    source = copy.source
    headers = [template.copy_source(_allowed(source.key), source.version_id)]
    if source.storage_class != "STANDARD":
        # Otherwise CopyObject would reset it to STANDARD.
        headers.append(("x-amz-storage-class", source.storage_class))
    for condition in (boto_shapes.source_condition(copy), boto_shapes.destination_condition(copy)):
        headers += [(_CONDITIONS[name], value) for name, value in condition.items()]
    return template.for_key(_allowed(copy.to_key), headers)


_CONDITIONS = {
    "CopySourceIfMatch": "x-amz-copy-source-if-match",
    "IfNoneMatch": "If-None-Match",
    "IfMatch": "If-Match",
}


def _copy_params(copy: Copy) -> dict[str, object]:
    return {
        "Bucket": copy.to_bucket,
        "Key": KEY_PLACEHOLDER,
        "CopySource": {"Bucket": copy.bucket, "Key": SOURCE_PLACEHOLDER},
        "MetadataDirective": "COPY",
        "TaggingDirective": "COPY",
    }


def _allowed(key: str) -> str:
    """Return a key; an empty one is left to botocore, which refuses it."""
    if not key:
        raise UnpreparableError
    return key


def _nothing(response: HttpResponse) -> None:
    """Check a response to DeleteObject: S3 sends no body, but a gateway may.

    Raises:
        ValueError: when there is a body.
    """
    if response.body.strip():
        raise ValueError("the response to a delete has a body")


def _page(response: HttpResponse) -> Page:
    return xml.read_page(response.body)


def _head(key: str, version_id: str | None, response: HttpResponse) -> Head:
    return read_head(key, version_id, from_headers(response.headers))


def _is_for_boto(error: S3Error) -> bool:
    """Tell whether boto3 may succeed; the error response of a HEAD does not say what is wrong."""
    if error.code in _CODES | _NOT_CONNECTED or error.status in {301, 302, 307}:
        return True
    if error.operation == "HeadObject":
        return error.status == 400 or error.code in _UNREADABLE
    return False


def _refused(operation: str, response: HttpResponse) -> S3Error:
    code, message = xml.read_error(response.body) or ("", "")
    status = response.status
    words = message or responses.get(status, "")
    error = S3Error(operation, code or str(status), status, words)
    error.resent = response.resent
    return error


def _malformed(operation: str, response: HttpResponse, problem: Exception) -> S3Error:
    """Read a response with status 200 that is an error."""
    # S3 sends status 200 before a copy is complete; a later error is in the body.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    error = xml.read_error(response.body)
    if error is not None:
        return S3Error(operation, error[0], 500, error[1])
    return S3Error(operation, MALFORMED, 500, boto_shapes.problem(problem))
