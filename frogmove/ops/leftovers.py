"""What interrupted commands leave at the destination: multipart uploads and temporary keys.

Uploads that the function continues are named by markers, see
:mod:`frogmove.function.resumable_uploads`; those of runs are in the journals of this machine.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from frogmove.errors import UsageError
from frogmove.function.resumable_uploads import FOLDER
from frogmove.ops.aws_request import AwsRequestError, send, send_pages
from frogmove.ops.check import Check, State, unknown_check
from frogmove.quoting import in_quotes
from frogmove.run_store import read_journals
from frogmove.s3.capabilities import PROBE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from frogmove.s3.uri import Location

# Younger ones may be in use.
_ABANDONED_AGE = timedelta(days=1)
_MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that is neither completed nor aborted.

    Attributes:
        key: its key.
        upload_id: its id.
        initiated: when it was created.
        owner: ``function``, ``run`` or ``other``.
    """

    key: str
    upload_id: str
    initiated: datetime
    owner: str

    def record(self) -> dict[str, Any]:
        """Return the JSON fields."""
        return {
            "key": self.key,
            "upload_id": self.upload_id,
            "initiated": self.initiated.isoformat(),
            "owner": self.owner,
        }


def check_uploads(client: S3Client, end: str, location: Location, now: datetime) -> Check:
    """Check for abandoned multipart uploads.

    Args:
        client: the client for S3.
        end: ``source`` or ``destination``.
        location: the bucket and the prefix.
        now: the current time.
    """
    name = f"{end} uploads"
    try:
        found = list(find_uploads(client, location))
    except AwsRequestError as error:
        return unknown_check(name, error)
    abandoned = [each for each in found if now - each.initiated > _ABANDONED_AGE]
    facts = {"uploads": len(found), "abandoned": [each.record() for each in abandoned[:100]]}
    if not abandoned:
        message = f"{len(found):,} in progress" if found else "none in progress"
        return Check(name, State.OK, message, facts=facts)
    counts = {
        owner: sum(each.owner == owner for each in abandoned)
        for owner in ("function", "run", "other")
    }
    message = (
        f"{len(abandoned):,} incomplete multipart uploads are older than a day: "
        f"{counts['function']:,} of the function, {counts['run']:,} of runs of this machine, "
        f"{counts['other']:,} of others; such as "
        + ", ".join(in_quotes(each.key) for each in abandoned[:_MAX_SHOWN])
    )
    return Check(name, State.WARNING, message, _remedy(location.bucket, abandoned), facts)


def _remedy(bucket: str, abandoned: list[Upload]) -> str:
    first = abandoned[0]
    if first.owner == "run":
        return "frogmove resume finishes the run, and its uploads."
    return (
        f"aws s3api abort-multipart-upload --bucket {bucket} --key={in_quotes(first.key)} "
        f"--upload-id={in_quotes(first.upload_id)}; a lifecycle rule removes them without that."
    )


def find_uploads(client: S3Client, location: Location) -> Iterator[Upload]:
    """Yield the incomplete multipart uploads, with their owners.

    Raises:
        AwsRequestError: when they cannot be listed.
    """
    uploads = send_pages(
        "s3:ListBucketMultipartUploads",
        client,
        "list_multipart_uploads",
        "Uploads",
        Bucket=location.bucket,
        Prefix=location.prefix,
    )
    markers = location.prefix + FOLDER
    of_function = {
        unquote(each["Key"].rpartition("/")[2])
        for each in uploads
        if each["Key"].startswith(markers)
    }
    # Journals are read only if there is an upload: they may be large.
    of_runs = _of_runs() if uploads else set()
    for each in uploads:
        owner = "run" if each["UploadId"] in of_runs else "other"
        if each["Key"].startswith(markers) or each["UploadId"] in of_function:
            owner = "function"
        yield Upload(each["Key"], each["UploadId"], each["Initiated"].astimezone(UTC), owner)


def _of_runs() -> set[str]:
    """Return the ids of the uploads that the runs of this machine left."""
    ids: set[str] = set()
    # Without its journal, an upload counts as one of others.
    with suppress(UsageError):
        for journal in read_journals()[0]:
            with suppress(UsageError):
                ids.update(journal.uploads().values())
    return ids


def check_probes(client: S3Client, end: str, location: Location, now: datetime) -> Check:
    """Check for temporary keys that an interrupted test of a server has left; see above."""
    name = f"{end} temporary keys"
    try:
        found = send(
            "s3:ListBucket",
            lambda: client.list_objects_v2(
                Bucket=location.bucket, Prefix=location.prefix + PROBE
            ).get("Contents", []),
        )
    except AwsRequestError as error:
        return unknown_check(name, error)
    left = [each["Key"] for each in found if now - each["LastModified"] > timedelta(hours=1)]
    if not left:
        return Check(name, State.OK, "none")
    named = ", ".join(in_quotes(key) for key in left[:_MAX_SHOWN])
    message = f"{len(left):,} of interrupted frogmove commands: {named}"
    remedy = "; ".join(
        f"aws s3 rm {in_quotes(f's3://{location.bucket}/{key}')}" for key in left[:_MAX_SHOWN]
    )
    return Check(name, State.WARNING, message, remedy, {"keys": left[:100]})
