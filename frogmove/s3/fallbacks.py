"""What a server refuses to be asked, and is then asked without.

Cloudflare R2 refuses ``x-amz-tagging-directive``, others ``x-amz-checksum-mode`` or any parameter
that they do not know. None of these is a condition: without them a request does the same, or
tells less. A refusal means that nothing was done, so the request may be sent again.
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

# It never comes first.
_ENCODING = re.compile(r"&encoding-type=[^&]*")

# Headers and parameters, by operation; those in one group go together.
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
    # Instead of its checksum it carries its MD5: S3 used to want that, and some servers still do.
    "DeleteObjects": ((_CHECKSUM,),),
    "PutObject": (("Expect",),),
}

_STATUSES = {400, 405, 417, 501}

# What is refused here is the object or the bucket.
_OTHER_CODES = {
    *("BadDigest", "EntityTooLarge", "EntityTooSmall", "InvalidBucketName", "InvalidPart"),
    *("InvalidPartOrder", "InvalidStorageClass", "InvalidTag", "KeyTooLongError"),
    *("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
}

# Whoever was refused this often for nothing of the above is not asked again and again.
_TRIALS = 8


class Fallbacks:
    """What one server refuses, found out by refusals and remembered.

    Attributes:
        version: how much has been learnt: whatever was prepared before is to be made anew.
    """

    def __init__(self) -> None:
        self.version = 0
        self._refused: dict[str, frozenset[str]] = {}
        self._fruitless: Counter[str] = Counter()
        self._trial = threading.local()

    def attach(self, client: S3Client) -> None:
        """Have a client leave out what is refused."""
        client.meta.events.register("before-call.s3", self._leave_out)

    def detach(self, client: S3Client) -> None:
        """Leave a client alone."""
        client.meta.events.unregister("before-call.s3", self._leave_out)

    @property
    def words(self) -> list[str]:
        """What the server is asked without."""
        return [
            f"{_WORDS.get(name, name)} ({operation})"
            for operation, names in self._refused.items()
            for name in sorted(names)
            if not name.startswith("x-amz-checksum-c") or operation == "DeleteObjects"
        ]

    def leaves_out(self, operation: str, name: str) -> bool:
        """Tell whether requests of an operation go without a header."""
        return name in self._names(operation)

    def may_help(self, error: S3Error) -> bool:
        """Tell whether a failed request might succeed with less in it."""
        operation = error.operation
        is_refusal = error.kind is Kind.REFUSED and error.status in _STATUSES
        if operation == "CompleteMultipartUpload" and error.status == 400:
            # S3 says so too when the object has not the size or the checksum that it should have.
            is_refusal = error.code == "NotImplemented"
        return (
            is_refusal
            and error.code not in _OTHER_CODES
            and self._fruitless[operation] < _TRIALS
            and bool(self._groups(operation))
        )

    def trials(self, operation: str) -> Iterator[frozenset[str]]:
        """Return what to leave out next: each thing by itself, and at last all of them."""
        groups = self._groups(operation)
        yield from groups
        if len(groups) > 1:
            yield frozenset().union(*groups)
        self._fruitless[operation] += 1

    @contextmanager
    def leaving_out(self, names: frozenset[str]) -> Iterator[None]:
        """Leave something out of the requests of this thread."""
        self._trial.names = names
        try:
            yield
        finally:
            self._trial.names = frozenset()

    def learn(self, operation: str, names: frozenset[str]) -> None:
        """Leave something out of every request of an operation from now on."""
        self._refused[operation] = self._refused.get(operation, frozenset()) | names
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


_WORDS = {_CHECKSUM: "any checksum but Content-MD5"}


def is_unknown(error: S3Error) -> bool:
    """Tell whether a server has no such operation at all."""
    return error.status in {405, 501} or error.code in {"NotImplemented", "MethodNotAllowed"}
