"""Optional request parameters that a server refuses, and that are then left out.

Cloudflare R2 refuses ``x-amz-tagging-directive``, others ``x-amz-checksum-mode`` or any unknown
parameter. None of these is a condition: without them a request does the same, or returns less. A
refused request did nothing, so it may be sent again.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from frogmove.s3.errors import Kind, S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

TAGGING = "x-amz-tagging-directive"

_CHECKSUM = "x-amz-checksum-crc32"

# Never the first parameter of a query.
_ENCODING = re.compile(r"&encoding-type=[^&]*")

# Headers and parameters by operation; those of one group are left out together.
_OPTIONAL: dict[str, tuple[tuple[str, ...], ...]] = {
    "ListObjectsV2": (("encoding-type",),),
    "ListMultipartUploads": (("encoding-type",),),
    "HeadObject": (("x-amz-checksum-mode",),),
    "CopyObject": ((TAGGING,), ("x-amz-metadata-directive",)),
    "CreateMultipartUpload": (("x-amz-checksum-algorithm", "x-amz-checksum-type"),),
    "CompleteMultipartUpload": (
        ("x-amz-mp-object-size",),
        (
            "x-amz-checksum-type",
            *(f"x-amz-checksum-{name}" for name in ("crc32", "crc32c", "crc64nvme")),
        ),
    ),
    # Content-MD5 is sent instead of the checksum: S3 used to require it, and some servers still do.
    "DeleteObjects": ((_CHECKSUM,),),
    "PutObject": (("Expect",),),
}

_STATUSES = {400, 405, 417, 501}

# Errors about the object or the bucket, not about a parameter.
_OTHER_CODES = {
    *("BadDigest", "EntityTooLarge", "EntityTooSmall", "InvalidBucketName", "InvalidPart"),
    *("InvalidPartOrder", "InvalidStorageClass", "InvalidTag", "KeyTooLongError"),
    *("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
}

# After this many refusals for other reasons, nothing more is tried.
_TRIALS = 8


class Fallbacks:
    """What one server refuses, learnt from its error responses.

    Attributes:
        version: increases when something is learnt; templates prepared before must be renewed.
    """

    def __init__(self) -> None:
        self.version = 0
        self._refused: dict[str, frozenset[str]] = {}
        self._failed_trials: Counter[str] = Counter()
        self._trial = threading.local()

    def attach(self, client: S3Client) -> None:
        """Make a client leave out what the server refuses."""
        client.meta.events.register("before-call.s3", self._leave_out)

    def detach(self, client: S3Client) -> None:
        """Undo :meth:`attach`."""
        client.meta.events.unregister("before-call.s3", self._leave_out)

    @property
    def words(self) -> list[str]:
        """Descriptions of what is left out."""
        return [
            f"{_WORDS.get(name, name)} ({operation})"
            for operation, names in self._refused.items()
            for name in sorted(names)
            if not name.startswith("x-amz-checksum-c") or operation == "DeleteObjects"
        ]

    def leaves_out(self, operation: str, name: str) -> bool:
        """Tell whether a header is left out of the requests of an operation."""
        return name in self._names(operation)

    def may_help(self, error: S3Error, known: int) -> bool:
        """Tell whether a failed request might succeed without a parameter.

        Args:
            error: the failure.
            known: the version when the request was sent; another request may have learnt more.
        """
        operation = error.operation
        is_refusal = error.kind is Kind.REFUSED and error.status in _STATUSES
        if operation == "CompleteMultipartUpload" and error.status == 400:
            # S3 returns this also when the object has another size or checksum than expected.
            is_refusal = error.code == "NotImplemented"
        return (
            is_refusal
            and error.code not in _OTHER_CODES
            and (
                self.version != known
                or (self._failed_trials[operation] < _TRIALS and bool(self._groups(operation)))
            )
        )

    def trials(self, operation: str) -> Iterator[frozenset[str]]:
        """Return what to leave out in further attempts: each parameter alone, then all."""
        groups = self._groups(operation)
        yield from groups
        if len(groups) > 1:
            yield frozenset().union(*groups)
        self._failed_trials[operation] += 1

    @contextmanager
    def leaving_out(self, names: frozenset[str]) -> Iterator[None]:
        """Leave parameters out of the requests of this thread."""
        self._trial.names = names
        try:
            yield
        finally:
            self._trial.names = frozenset()

    def learn(self, operation: str, names: frozenset[str]) -> None:
        """Leave parameters out of all requests of an operation from now on."""
        refused = self._refused.get(operation, frozenset())
        if not names <= refused:
            self._refused[operation] = refused | names
            self.version += 1

    def _names(self, operation: str) -> frozenset[str]:
        tried: frozenset[str] = getattr(self._trial, "names", frozenset())
        return self._refused.get(operation, frozenset()) | tried

    def _groups(self, operation: str) -> list[frozenset[str]]:
        refused = self._refused.get(operation, frozenset())
        groups = (frozenset(group) for group in _OPTIONAL.get(operation, ()))
        return [group for group in groups if not group <= refused]

    def _leave_out(self, model: OperationModel, params: dict[str, Any], **_: object) -> None:
        names = self._names(model.name)
        for name in names:
            params["headers"].pop(name, None)
        if "encoding-type" in names:
            params["url"] = _ENCODING.sub("", params["url"])
        if model.name == "DeleteObjects" and _CHECKSUM in names:
            params["context"].pop("checksum", None)
            digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
            params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


_WORDS = {_CHECKSUM: "checksums other than Content-MD5"}


def is_unknown(error: S3Error) -> bool:
    """Tell whether a server does not support an operation."""
    return error.status in {405, 501} or error.code in {"NotImplemented", "MethodNotAllowed"}
