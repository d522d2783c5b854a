"""Bucket features that decide what a copy or a delete loses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.uri import is_directory_bucket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from frogmove.s3.future import Future
    from frogmove.s3.interface import S3


class Feature(StrEnum):
    """A feature that is enabled for a whole bucket."""

    WEBSITE = "website hosting"
    OBJECT_LOCK = "Object Lock"
    ACLS = "ACLs"
    VERSIONS = "versions"


# Features whose objects may have attributes that S3 does not copy.
_OF_ATTRIBUTES = (Feature.WEBSITE, Feature.OBJECT_LOCK, Feature.ACLS)


@dataclass(frozen=True, slots=True)
class BucketFeatures:
    """Which features a bucket has.

    Attributes:
        on: the enabled features.
        unknown: the features that may not be read.
    """

    on: frozenset[Feature] = frozenset()
    unknown: frozenset[Feature] = frozenset()


def request_features(s3: S3, bucket: str) -> Mapping[Feature, Future[bool]]:
    """Ask for the features of a source bucket that matter to copies, with one request each.

    A directory bucket has none of them.
    """
    if is_directory_bucket(bucket):
        return {}
    return {feature: s3.has_feature(bucket, feature) for feature in _OF_ATTRIBUTES}


def read_features(asked: Mapping[Feature, Future[bool]]) -> BucketFeatures:
    """Read the responses to :func:`request_features`.

    Raises:
        S3Error: when no further request can succeed.
    """
    on: set[Feature] = set()
    unknown: set[Feature] = set()
    for feature, response in asked.items():
        error = response.exception()
        if error is None:
            if response.result():
                on.add(feature)
        elif not isinstance(error, S3Error) or error.ends_the_run:
            raise error
        elif error.kind is not Kind.REFUSED:
            # A server that does not support the request does not have the feature.
            unknown.add(feature)
    return BucketFeatures(frozenset(on), frozenset(unknown))
