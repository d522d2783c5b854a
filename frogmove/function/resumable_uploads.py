"""Remembers multipart uploads in S3 between deliveries of an event.

S3 does not record from which content the parts of an upload were copied. So for each upload a
second one is created, its marker, which never gets a part. Its key contains that information:
``.frogmove/uploads/<what goes where>/<content>/<upload id>`` under the destination prefix.
Incomplete uploads are durable and listed immediately, are invisible to readers, trigger no
notifications, can be created only with write permission for the destination, and are removed by the
lifecycle rule for incomplete uploads.

Two concurrent deliveries of one event may find the same upload, or create two. Both are safe: an
upload contains only parts of the source ETag in its marker, and the slower one finds the object
complete or the upload gone, and checks again.
"""

import contextlib
import hashlib
import json
from urllib.parse import quote, unquote

from frogmove.core.journal import NoJournal
from frogmove.core.models import Route
from frogmove.s3.empty_upload import create_empty_upload
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import S3Object, UnfinishedUpload

FOLDER = ".frogmove/uploads/"


class ResumableUploads(NoJournal):
    """A journal that records only uploads; see :class:`frogmove.core.journal.Journal`.

    Its methods wait for requests to S3; they are called only for large objects, which take far
    longer.

    Args:
        s3: the client.
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

        Uploads for other content than the source's current one are aborted.

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
            S3Error: when the marker cannot be created.
        """
        folder, content = self._folder(item, destination_key), _content(item, part_size)
        key = f"{folder}{content}/{quote(upload_id, safe='')}"
        marker_id = create_empty_upload(self._s3, self._bucket, key).result()
        self._markers[upload_id] = UnfinishedUpload(key, marker_id)

    def upload_ended(self, upload_id: str) -> None:
        """See :class:`frogmove.core.journal.Journal`."""
        marker = self._markers.pop(upload_id, None)
        if marker is not None:
            # A marker that remains is removed by the next invocation or by the lifecycle rule.
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
    """Return a short name for some values; keys may be too long and contain any character."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
