"""Parses invocations by S3 Batch Operations, and formats the responses.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from frogmove.function.s3_events import EXPECTED, EventError, Upload, decode_key, shown

VERSIONS = ("1.0", "2.0")

# Not documented; the job's report shows one line of it.
MAX_RESULT_LENGTH = 1024


class Code(StrEnum):
    """The result codes of S3 Batch Operations."""

    SUCCEEDED = "Succeeded"
    TEMPORARY = "TemporaryFailure"
    PERMANENT = "PermanentFailure"


@dataclass(frozen=True, slots=True)
class Task:
    """One object of a job.

    Attributes:
        id: its id in the response.
        upload: its bucket and key; None if the task cannot be parsed.
        version_id: the version in the manifest, if any.
        alternative_key: another possible key, if the key is written with a ``+``.
        error: why the task cannot be parsed.
    """

    id: str
    upload: Upload | None = None
    version_id: str | None = None
    alternative_key: str | None = None
    error: EventError | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One invocation by S3 Batch Operations."""

    version: str
    invocation_id: str
    tasks: tuple[Task, ...]

    def response(self, ends: Sequence[tuple[Code, str]]) -> dict[str, Any]:
        """Return the response.

        Args:
            ends: for each task in order, its result code and text.
        """
        return {
            "invocationSchemaVersion": self.version,
            # A task without a result is one that was not reached.
            "treatMissingKeysAs": Code.TEMPORARY.value,
            "invocationId": self.invocation_id,
            "results": [
                {
                    "taskId": task.id,
                    "resultCode": code.value,
                    "resultString": ascii(words)[1:-1][:MAX_RESULT_LENGTH],
                }
                for task, (code, words) in zip(self.tasks, ends, strict=True)
            ],
        }


def read_job(event: Mapping[str, Any]) -> Job:
    """Parse an invocation by S3 Batch Operations, version 1.0 or 2.0.

    A job's user arguments are ignored: only the function's settings apply.

    Raises:
        EventError: when it is not valid, so that no response is possible.
    """
    version, identity = event.get("invocationSchemaVersion"), event.get("invocationId")
    tasks = event.get("tasks")
    if version not in VERSIONS:
        raise EventError(
            f"The invocation by S3 Batch Operations has the schema version {shown(version)}.",
            f"Expected {' or '.join(VERSIONS)}.",
        )
    if not isinstance(version, str) or not isinstance(identity, str):
        raise EventError("The invocation by S3 Batch Operations has no id.", EXPECTED)
    if not isinstance(tasks, list):
        raise EventError("The invocation by S3 Batch Operations has no tasks.", EXPECTED)
    return Job(version, identity, tuple(_read_task(task, version) for task in tasks))


def _read_task(task: object, version: str) -> Task:
    identity = task.get("taskId") if isinstance(task, Mapping) else None
    if not isinstance(task, Mapping) or not isinstance(identity, str):
        raise EventError("A task of S3 Batch Operations has no id.", EXPECTED)
    name = "s3BucketArn" if version == "1.0" else "s3Bucket"
    bucket, key, version_id = task.get(name), task.get("s3Key"), task.get("s3VersionId")
    if not isinstance(bucket, str) or not isinstance(key, str):
        return Task(identity, error=EventError(f"The task has no {name} or no s3Key.", EXPECTED))
    if version_id is not None and not isinstance(version_id, str):
        return Task(identity, error=EventError("The task's s3VersionId is not a string.", EXPECTED))
    try:
        key, alternative_key = _read_key(key)
    except EventError as error:
        return Task(identity, error=error)
    return Task(
        identity, Upload(bucket.rpartition(":")[2], key), version_id or None, alternative_key
    )


def _read_key(written: str) -> tuple[str, str | None]:
    """Decode a key of a manifest, and return the other key that it may mean.

    Manifests are URL-encoded, and S3 passes their keys on unchanged. S3 Inventory writes a space as
    ``+`` and a plus sign as ``%2B``; other writers write a space as ``%20``, and some do not encode
    a plus sign. Each writer encodes the whole key in one way.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/specify-batchjob-manifest.html

    Raises:
        EventError: when it is not UTF-8.
    """
    as_plus = decode_key(written.replace("+", "%2B"))
    if "%20" in written:
        return as_plus, None
    as_space = decode_key(written)
    is_sure = as_space == as_plus or "%2B" in written.upper()
    return as_space, None if is_sure else as_plus
