"""Remembers multipart uploads from one delivery of an event to the next, in S3 itself.

S3 does not tell which content the parts of an upload were copied from. So beside each upload
another one is begun, its marker, which never gets a part and whose key says it:
``.frogmove/uploads/<what goes where>/<content>/<upload id>`` under the destination prefix. Uploads
in flight are durable and listed at once, no reader sees them, they set nothing off, only who may
write to the destination can make one, and the lifecycle rule that a bucket needs against abandoned
uploads clears them away.

Two deliveries of one event at the same time may find the same upload, or begin two. Either is
safe: only parts that were copied under one source ETag are in an upload whose marker says so, and
who comes second finds the object complete, or the upload gone, and looks again.
"""

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from frogmove.core.journal import NoJournal
from frogmove.core.models import Route
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Copy, Head, S3Object, UnfinishedUpload

FOLDER = ".frogmove/uploads/"


class ResumableUploads(NoJournal):
    """A journal of uploads alone; see :class:`frogmove.core.journal.Journal`.

    It asks S3 and waits for the answers, which only happens for objects that take far longer.

    Args:
        s3: where the destination is.
        route: the route of the run.
    """

    keeps_uploads = True
    keeps_failed_uploads = True

    def __init__(self, s3: S3, route: Route) -> None:
        self._s3 = s3
        self._route = route
        self._markers: dict[str, UnfinishedUpload] = {}

    def upload_to_resume(self, item: S3Object, destination_key: str, part_size: int) -> str | None:
        """See :class:`frogmove.core.journal.Journal`.

        Uploads of what the source no longer holds are thrown away.

        Raises:
            S3Error: when the markers cannot be listed.
        """
        folder, wanted = self._folder(item, destination_key), _content(item, part_size)
        found = None
        for marker in self._s3.list_uploads(self._bucket, folder).result():
            content, _, quoted = marker.key.removeprefix(folder).partition("/")
            upload_id = unquote(quoted)
            if content != wanted:
                self._abort(destination_key, upload_id)
                self._abort(marker.key, marker.upload_id)
            elif found is None:
                found = upload_id
                self._markers[upload_id] = marker
        return found

    def upload_begun(
        self, item: S3Object, destination_key: str, upload_id: str, part_size: int
    ) -> None:
        """See :class:`frogmove.core.journal.Journal`.

        Raises:
            S3Error: when the marker cannot be made.
        """
        folder, content = self._folder(item, destination_key), _content(item, part_size)
        key = f"{folder}{content}/{quote(upload_id, safe='')}"
        nothing = S3Object(key, 0, "", datetime.now(UTC))
        copy = Copy(self._bucket, nothing, self._bucket, key)
        marker_id = self._s3.create_upload(copy, Head(nothing), {}, None).result()
        self._markers[upload_id] = UnfinishedUpload(key, marker_id)

    def upload_ended(self, upload_id: str) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        marker = self._markers.pop(upload_id, None)
        if marker is not None:
            # One that stays is found to mark nothing, the next time or by the lifecycle rule.
            with contextlib.suppress(S3Error):
                self._abort(marker.key, marker.upload_id)

    @property
    def _bucket(self) -> str:
        return self._route.destination.bucket

    def _folder(self, item: S3Object, destination_key: str) -> str:
        source = self._route.source.bucket
        place = _digest(destination_key, source, item.key, item.version_id)
        return f"{self._route.destination.prefix}{FOLDER}{place}/"

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self._s3.abort_upload(self._bucket, key, upload_id).result()
        except S3Error as error:
            if error.kind is not Kind.NO_UPLOAD:
                raise


def _content(item: S3Object, part_size: int) -> str:
    return _digest(item.etag, item.size, part_size)


def _digest(*facts: object) -> str:
    """Return a name for facts: keys may be long and hold anything, and names in S3 may not."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
