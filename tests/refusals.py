"""What servers refuse, one thing each: for a proxy before a server that knows all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_proxy import PASS, Fault, FaultProxy, Request

if TYPE_CHECKING:
    from collections.abc import Callable

Refuses = tuple["Callable[[Request], bool]", int, str]


def operation(*names: str) -> Callable[[Request], bool]:
    return lambda request: request.operation in names


def header(name: str, *operations: str) -> Callable[[Request], bool]:
    return lambda request: (
        name in request.headers and (not operations or request.operation in operations)
    )


def parameter(name: str) -> Callable[[Request], bool]:
    return lambda request: name in request.query


def batch_without_md5(request: Request) -> bool:
    return request.operation == "DeleteObjects" and "content-md5" not in request.headers


# Nothing that was asked for has to be missed.
HARMLESS: dict[str, Refuses] = {
    "no batches (GCS)": (operation("DeleteObjects"), 501, "NotImplemented"),
    "no batches, 405": (operation("DeleteObjects"), 405, "MethodNotAllowed"),
    "no batches, 404": (operation("DeleteObjects"), 404, "NotFound"),
    "no batches, 400": (operation("DeleteObjects"), 400, "MalformedXML"),
    "Content-MD5 (OVH)": (batch_without_md5, 400, "InvalidRequest"),
    "Content-MD5, named": (batch_without_md5, 400, "MissingContentMD5"),
    "tagging (R2)": (header("x-amz-tagging-directive"), 501, "NotImplemented"),
    "tagging, 400": (header("x-amz-tagging-directive"), 400, "InvalidArgument"),
    "metadata": (header("x-amz-metadata-directive"), 400, "InvalidArgument"),
    "both directives": (
        lambda request: any(name.endswith("-directive") for name in request.headers),
        *(501, "NotImplemented"),
    ),
    "checksums in HEAD": (header("x-amz-checksum-mode"), 400, "InvalidArgument"),
    "encoding": (parameter("encoding-type"), 400, "InvalidArgument"),
    "tags": (
        lambda request: "tagging" in request.query or "x-amz-tagging-directive" in request.headers,
        *(501, "NotImplemented"),
    ),
    "source condition": (
        header("x-amz-copy-source-if-match"),
        *(501, "NotImplemented"),
    ),
    "if-none-match on copies": (header("if-none-match"), 501, "NotImplemented"),
    "if-match on copies": (header("if-match", "CopyObject"), 400, "InvalidArgument"),
    "if-match on deletes": (header("if-match", "DeleteObject"), 501, "NotImplemented"),
    "ETags in batches": (
        lambda request: b"<ETag>" in request.body and request.operation == "DeleteObjects",
        *(400, "MalformedXML"),
    ),
    "source condition never holds": (
        header("x-amz-copy-source-if-match"),
        *(412, "PreconditionFailed"),
    ),
    "if-none-match never holds": (header("if-none-match"), 412, "PreconditionFailed"),
    "if-match on copies never holds": (
        header("if-match", "CopyObject"),
        *(412, "PreconditionFailed"),
    ),
    "if-match on deletes never holds": (
        header("if-match", "DeleteObject"),
        *(412, "PreconditionFailed"),
    ),
    "ETags in batches never hold": (
        lambda request: b"<ETag>" in request.body and request.operation == "DeleteObjects",
        *(412, "PreconditionFailed"),
    ),
    "expect": (header("expect"), 417, "ExpectationFailed"),
}

# What a server fails at for ever tells nothing, and nothing is relied upon.
BROKEN: dict[str, Refuses] = {
    "batches hang up": (operation("DeleteObjects"), 0, "none"),
    "batches fail": (operation("DeleteObjects"), 500, "InternalError"),
    "probe's deletes denied": (
        lambda request: request.is_probe and request.operation == "DeleteObject",
        *(403, "AccessDenied"),
    ),
    "probe's copies denied": (
        lambda request: request.is_probe and request.operation == "CopyObject",
        *(403, "AccessDenied"),
    ),
}


def refuse(proxy: FaultProxy, refuses: Refuses) -> None:
    """Have a proxy refuse one thing."""
    matches, status, code = refuses
    fault = Fault(code, "never", (status, code) if status else "none")
    proxy.schedule = lambda request: fault if matches(request) else PASS
