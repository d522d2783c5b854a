"""Copies an object's annotations to its copy, where S3 does not.

CopyObject copies them. A multipart copy does not, and an object that was already at the destination
has its own.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from collections.abc import Sequence
from itertools import islice

from frogmove.core.scheduler import wait_for
from frogmove.s3.errors import S3Error
from frogmove.s3.interface import S3
from frogmove.s3.models import Annotation, Copy

# How many payloads are held in memory; each has up to 1 MiB.
_AT_ONCE = 4

# After this many changes of the annotations, the copy fails.
_ATTEMPTS = 4


async def carry_annotations(s3: S3, copy: Copy, etag: str) -> bool:
    """Write the source's annotations to an object that lacks them, and verify them.

    Args:
        s3: the client for both buckets.
        copy: names the source and the object.
        etag: the ETag of the object.

    Returns:
        False when the object has another annotation under one of the names; that one is kept.

    Raises:
        S3Error: when they cannot be copied; of kind CHANGED when the object has changed.
    """
    source = copy.source
    # Annotations that this run wrote may be replaced.
    ours: set[str] = set()
    seen = await _list(s3, copy.bucket, source.key, source.version_id)
    for _ in range(_ATTEMPTS):
        if not seen:
            return True
        there = {each.name for each in await _list(s3, copy.to_bucket, copy.to_key, None)}
        names = iter([each.name for each in seen])
        while batch := list(islice(names, _AT_ONCE)):
            if not await _carry(s3, copy, etag, batch, there - ours):
                return False
        ours.update(each.name for each in seen if each.name not in there)
        before, seen = seen, await _list(s3, copy.bucket, source.key, source.version_id)
        if seen == before:
            return True
    raise S3Error("ListObjectAnnotations", "OperationAborted", 409, "They keep changing")


async def has_other_annotations(s3: S3, copy: Copy) -> bool:
    """Tell, without writing, whether :func:`carry_annotations` would find another annotation.

    Raises:
        S3Error: when they cannot be read.
    """
    source = copy.source
    ours = [each.name for each in await _list(s3, copy.bucket, source.key, source.version_id)]
    if not ours:
        return False
    there = {each.name for each in await _list(s3, copy.to_bucket, copy.to_key, None)}
    names = (name for name in ours if name in there)
    while batch := list(islice(names, _AT_ONCE)):
        payloads = await _read(s3, copy.bucket, source.key, source.version_id, batch)
        if payloads != await _read(s3, copy.to_bucket, copy.to_key, None, batch):
            return True
    return False


async def _list(s3: S3, bucket: str, key: str, version_id: str | None) -> Sequence[Annotation]:
    return await wait_for(s3.list_annotations(bucket, key, version_id))


async def _carry(s3: S3, copy: Copy, etag: str, names: Sequence[str], theirs: set[str]) -> bool:
    """Copy a few annotations, and read them back."""
    key, version_id = copy.source.key, copy.source.version_id
    payloads = await _read(s3, copy.bucket, key, version_id, names)
    missing = [name for name in names if name not in theirs]
    for sent in [
        s3.put_annotation(copy.to_bucket, copy.to_key, etag, name, payloads[name])
        for name in missing
    ]:
        await wait_for(sent)
    there = await _read(s3, copy.to_bucket, copy.to_key, None, names)
    for name in missing:
        if there[name] != payloads[name]:
            raise S3Error(
                "PutObjectAnnotation", "BadDigest", 500, f"{name} was not copied correctly"
            )
    return there == payloads


async def _read(
    s3: S3, bucket: str, key: str, version_id: str | None, names: Sequence[str]
) -> dict[str, bytes]:
    asked = {name: s3.read_annotation(bucket, key, version_id, name) for name in names}
    return {name: await wait_for(payload) for name, payload in asked.items()}
