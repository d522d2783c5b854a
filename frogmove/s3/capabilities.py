"""Detects which conditional requests a server honours; many silently ignore some."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from threading import Event
from typing import Any

from frogmove.s3.empty_upload import create_empty_upload
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.future import Future
from frogmove.s3.interface import S3
from frogmove.s3.models import NULL_VERSION, Copied, Copy, Deletion, S3Object

# The ETag of no object.
OTHER_ETAG = "0" * 32

# The beginning of the names of temporary keys.
PROBE = ".frogmove-probe-"

_BODY = b"frogmove asks which conditions this server honours"


class Support(StrEnum):
    """How a server treats a condition."""

    HONOURED = "honours"
    IGNORED = "ignores"
    REFUSED = "refuses"
    UNKNOWN = "may not support"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Which conditions a server honours; the others are not relied on.

    Attributes:
        copy_source: a copy is conditional on the source's ETag.
        copy_destination: a copy is refused if the destination key exists.
        delete: a delete is conditional on the ETag.
        delete_many: the same for each key of DeleteObjects.
        copy_replace: a copy is conditional on the destination's ETag.
        refused: the names of those that it rejects, so that they cannot be sent.
        unknown: the names of those that could not be tested: sent, but not relied on.
        is_aws: whether the server is AWS, where every object has one name, except through access
            points.
    """

    copy_source: bool
    copy_destination: bool
    delete: bool
    delete_many: bool
    copy_replace: bool = False
    refused: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    is_aws: bool = field(default=False, compare=False)

    def sends(self, name: str) -> bool:
        """Tell whether requests are sent with a condition."""
        return getattr(self, name) or name in self.unknown

    @property
    def shortcomings(self) -> list[str]:
        """Descriptions of the conditions that cannot be relied on; empty if all can."""
        kinds = (Support.IGNORED, Support.REFUSED, Support.UNKNOWN)
        found = ((kind, self._words(kind)) for kind in kinds)
        return [f"{kind.value} {', '.join(words)}" for kind, words in found if words]

    def _words(self, support: Support) -> list[str]:
        return [words for name, words in _WORDS.items() if self._support(name) is support]

    def _support(self, name: str) -> Support:
        if getattr(self, name):
            return Support.HONOURED
        if name in self.refused:
            return Support.REFUSED
        return Support.UNKNOWN if name in self.unknown else Support.IGNORED


_WORDS = {
    "copy_source": "copy-source-if-match",
    "copy_destination": "if-none-match on copies",
    "copy_replace": "if-match on copies",
    "delete": "if-match on deletes",
    "delete_many": "ETags in batched deletes",
}

# Conditional copies and deletes, also per key in batches, since 2025.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
ALL_SUPPORTED = Capabilities(
    copy_source=True, copy_destination=True, delete=True, delete_many=True, copy_replace=True
)

AWS = replace(ALL_SUPPORTED, is_aws=True)

# Assumed before the server was tested.
NONE_SUPPORTED = Capabilities(
    copy_source=False, copy_destination=False, delete=False, delete_many=False
)


def probe(s3: S3, bucket: str, prefix: str, stop: Event | None = None) -> Capabilities:
    """Find out which conditions a server honours, by requests whose conditions do not hold.

    Uses two temporary keys under the destination's prefix and deletes them again. If they could not
    be deleted, none is written and nothing is tested. The source is not used, because objects there
    may trigger notifications.

    Args:
        s3: the client.
        bucket: the destination bucket.
        prefix: the destination prefix.
        stop: once set, no further test is started, and the temporary keys are deleted.

    Raises:
        S3Error: when the temporary keys cannot be written, or every request fails.
    """
    return _Probe(s3, bucket, prefix + probe_name(), stop or Event()).capabilities()


def probe_name() -> str:
    """Return the name of a temporary key that no other process uses."""
    return f"{PROBE}{uuid.uuid4().hex}"


class _Probe:
    """One run of the tests."""

    def __init__(self, s3: S3, bucket: str, key: str, stop: Event) -> None:
        self._s3 = s3
        self._stop = stop
        self._bucket = bucket
        self._key = key
        self._other = key + "-copy"
        self._etag = ""
        self._sent: list[tuple[str, Future[Copied]]] = []

    def capabilities(self) -> Capabilities:
        """Run all tests: with conditions that do not hold, then with some that do."""
        nothing = Capabilities(*(False,) * 5, unknown=frozenset(_WORDS))
        if not self._may_delete():
            self._check_write()
            return nothing
        if self._stop.is_set():
            return nothing
        try:
            put = self._s3.put(self._bucket, self._key, _BODY)
            self._sent.append((self._key, put))
            written = put.result()
            seen = S3Object(self._key, len(_BODY), written.etag, datetime.now(UTC))
            found = self._test_copies(seen)
            if self._stop.is_set():
                return nothing
            deleted = self._s3.delete(self._bucket, Deletion(self._key, OTHER_ETAG))
            batch = self._send_batch_delete(OTHER_ETAG)
            found |= {"delete": _support_of(deleted), "delete_many": self._read_batch_delete(batch)}
            # In a bucket with versions it would leave delete markers.
            if written.version_id is None:
                self._test_matching_deletes(found, seen.etag)
        finally:
            self._clean_up()
        return Capabilities(
            **{name: support is Support.HONOURED for name, support in found.items()},
            refused=_names(found, Support.REFUSED),
            unknown=_names(found, Support.UNKNOWN),
        )

    def _may_delete(self) -> bool:
        """Test whether deleting is allowed, with a key that does not exist."""
        refusal = self._s3.delete(self._bucket, Deletion(self._key, OTHER_ETAG)).exception()
        if isinstance(refusal, S3Error) and refusal.ends_the_run:
            raise refusal
        return not (isinstance(refusal, S3Error) and refusal.kind is Kind.DENIED)

    def _check_write(self) -> None:
        """Test whether writing is allowed, with a multipart upload that is aborted."""
        upload_id = create_empty_upload(self._s3, self._bucket, self._key).result()
        self._s3.abort_upload(self._bucket, self._key, upload_id).exception()

    def _clean_up(self) -> None:
        """Delete the keys that were written or may have been."""
        left = dict.fromkeys(self._deletion_of(key, sent) for key, sent in self._sent)
        sent = [(each, self._s3.delete(self._bucket, each)) for each in left if each is not None]
        for deletion, deleted in sent:
            error = deleted.exception()
            if isinstance(error, S3Error) and error.kind is Kind.DENIED:
                # Without permission to delete versions, at least hide it with a delete marker.
                self._s3.delete(self._bucket, Deletion(deletion.key, None)).exception()

    def _deletion_of(self, key: str, sent: Future[Copied]) -> Deletion | None:
        """Return a delete for the key that a request wrote; None if it wrote nothing."""
        if sent.exception() is None:
            return as_written(key, sent.result())
        if not _is_lost(sent):
            return None
        head = self._s3.head(self._bucket, key)
        if head.exception() is not None:
            return None
        return Deletion(key, None, seen=head.result().object.etag)

    def _test_copies(self, seen: S3Object) -> dict[str, Support]:
        """Copy once with conditions that hold, so that later refusals are due to conditions."""
        names = ("copy_source", "copy_destination", "copy_replace")
        found = dict.fromkeys(names, Support.UNKNOWN)
        for source, destination in ((True, True), (True, False), (False, True), (False, False)):
            copied = self._copy(seen, guard_source=source, guard_destination=destination)
            if _support_of(copied) not in {Support.REFUSED, Support.HONOURED}:
                break
        if copied.exception() is not None or self._stop.is_set():
            return found
        # A condition that fails although it holds cannot be used.
        found["copy_source"] = found["copy_destination"] = Support.REFUSED
        copy_again = partial(self._send_copy, seen, guard_source=source, guard_destination=True)
        # Now a key exists that a copy must not replace. Together: none depends on another.
        sent = {"copy_replace": copy_again(OTHER_ETAG)}
        if source:
            sent["copy_source"] = self._send_copy(seen._replace(etag=OTHER_ETAG))
        if destination:
            sent["copy_destination"] = copy_again()
        found |= {name: _support_of(copied) for name, copied in sent.items()}
        if set(found.values()) & {Support.IGNORED, Support.UNKNOWN}:
            # Several may have been done. Which one came last is not known, nor the ETag.
            self._copy(seen, guard_source=source)
        if found["copy_replace"] is Support.HONOURED:
            copied = self._copy(seen, self._etag, guard_source=source, guard_destination=True)
            if copied.exception() is not None:
                found["copy_replace"] = Support.REFUSED
        return found

    def _copy(
        self,
        source: S3Object,
        replaces: str | None = None,
        *,
        guard_source: bool = True,
        guard_destination: bool = False,
    ) -> Future[Copied]:
        """Copy, wait for it, and remember the ETag of the copy."""
        copied = self._send_copy(
            source, replaces, guard_source=guard_source, guard_destination=guard_destination
        )
        if copied.exception() is None:
            self._etag = copied.result().etag
        return copied

    def _send_copy(
        self,
        source: S3Object,
        replaces: str | None = None,
        *,
        guard_source: bool = True,
        guard_destination: bool = False,
    ) -> Future[Copied]:
        copied = self._s3.copy(
            Copy(
                self._bucket,
                source,
                self._bucket,
                self._other,
                replaces,
                guard_destination=guard_destination,
                guard_source=guard_source,
            )
        )
        self._sent.append((self._other, copied))
        return copied

    def _send_batch_delete(self, etag: str) -> Future[dict[str, S3Error | None]]:
        return self._s3.delete_many(self._bucket, [Deletion(self._other, etag)])

    def _read_batch_delete(self, sent: Future[dict[str, S3Error | None]]) -> Support:
        if sent.exception() is not None:
            return _support_of(sent)
        return _support(sent.result()[self._other])

    def _test_matching_deletes(self, found: dict[str, Support], etag: str) -> None:
        """Delete with a condition that holds; if that fails, the condition cannot be used."""
        # IGNORED means here that the delete was done, as it should be.
        honoured, done = Support.HONOURED, Support.IGNORED
        batch = deleted = None
        if found["delete_many"] is honoured:
            batch = self._send_batch_delete(self._etag)
        if found["delete"] is honoured:
            deleted = self._s3.delete(self._bucket, Deletion(self._key, etag))
        if batch is not None:
            if self._read_batch_delete(batch) is done:
                self._deleted(self._other)
            else:
                found["delete_many"] = Support.REFUSED
        if deleted is not None:
            if _support_of(deleted) is done:
                self._deleted(self._key)
            else:
                found["delete"] = Support.REFUSED

    def _deleted(self, key: str) -> None:
        """Leave a deleted key out of the cleanup, unless a lost request may still write it."""
        self._sent = [
            (written, sent) for written, sent in self._sent if written != key or _is_lost(sent)
        ]


def as_written(key: str, written: Copied) -> Deletion:
    """Return a delete for a temporary key that applies only to what was written."""
    # In a bucket with versions, a plain delete would leave a delete marker.
    can_be_replaced = written.version_id in {None, NULL_VERSION}
    return Deletion(key, None, written.version_id, written.etag if can_be_replaced else None)


def _is_lost(sent: Future[Copied]) -> bool:
    """Tell whether it is not known if a request was, or will be, done."""
    error = sent.exception()
    return isinstance(error, S3Error) and error.retrying_helps


def _support_of(future: Future[Any]) -> Support:
    """Interpret the response to a request whose condition does not hold.

    Raises:
        S3Error: when every further request would fail too.
    """
    error = future.exception()
    if error is not None and (not isinstance(error, S3Error) or error.ends_the_run):
        raise error
    return _support(error)


def _support(error: S3Error | None) -> Support:
    if error is None:
        return Support.IGNORED
    if error.kind is Kind.CHANGED:
        return Support.HONOURED
    return Support.REFUSED if error.kind is Kind.REFUSED else Support.UNKNOWN


def _names(found: dict[str, Support], support: Support) -> frozenset[str]:
    return frozenset(name for name, each in found.items() if each is support)
