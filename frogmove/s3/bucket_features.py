"""What a bucket has switched on that makes its objects more than a copy carries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from frogmove.s3.interface import S3


class Feature(StrEnum):
    """Something that is switched on for a whole bucket, in words."""

    WEBSITE = "website hosting"
    OBJECT_LOCK = "Object Lock"
    ACLS = "ACLs"


@dataclass(frozen=True, slots=True)
class BucketFeatures:
    """Which features a bucket has.

    Attributes:
        on: those it has.
        unknown: those of which it may not be asked.
    """

    on: frozenset[Feature] = frozenset()
    unknown: frozenset[Feature] = frozenset()


def read_features(s3: S3, bucket: str) -> BucketFeatures:
    """Ask a bucket for its features, one request each.

    A directory bucket has none of them.

    Raises:
        S3Error: when no further request can succeed.
    """
    on: set[Feature] = set()
    unknown: set[Feature] = set()
    if is_directory_bucket(bucket):
        return BucketFeatures()
    asked = {feature: s3.has_feature(bucket, feature) for feature in Feature}
    for feature, answer in asked.items():
        error = answer.exception()
        if error is None:
            if answer.result():
                on.add(feature)
        elif not isinstance(error, S3Error) or error.ends_the_run:
            raise error
        elif error.kind is not Kind.REFUSED:
            # A server that does not know the question has no such thing.
            unknown.add(feature)
    return BucketFeatures(frozenset(on), frozenset(unknown))
