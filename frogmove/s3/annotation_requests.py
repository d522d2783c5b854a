"""Object annotations, through boto3, also on servers that may not support them.

A server that does not know ``?annotation`` returns the object itself, which may be large. So a
range of one byte is requested: only a read of an object honours it, with a partial response.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectAnnotations.html
"""

from __future__ import annotations

from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from frogmove.s3 import boto_shapes
from frogmove.s3.aws_hosts import is_aws
from frogmove.s3.errors import Kind, S3Error
from frogmove.s3.models import Annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

LIST = "ListObjectAnnotations"


def list_all(client: S3Client, bucket: str, key: str, version_id: str | None) -> list[Annotation]:
    """List all annotations of an object."""
    pages = client.get_paginator("list_object_annotations").paginate(
        Bucket=bucket, Key=key, **boto_shapes.version(version_id)
    )
    return [
        Annotation(entry["AnnotationName"], boto_shapes.unquoted(entry["ETag"]), entry["Size"])
        for page in pages
        for entry in page.get("Annotations", [])
    ]


def read(client: S3Client, bucket: str, key: str, version_id: str | None, name: str) -> bytes:
    """Read the payload of an annotation."""
    response = client.get_object_annotation(
        Bucket=bucket, Key=key, AnnotationName=name, **boto_shapes.version(version_id)
    )
    # Not the body itself: botocore's context is a stream that does not check its length.
    with closing(response["AnnotationPayload"]) as body:
        return boto_shapes.content(body)


def put(client: S3Client, bucket: str, key: str, etag: str, name: str, payload: bytes) -> None:
    """Add an annotation to an object, if it has this ETag."""
    client.put_object_annotation(
        Bucket=bucket,
        Key=key,
        AnnotationName=name,
        AnnotationPayload=payload,
        ObjectIfMatch=boto_shapes.quoted(etag),
    )


def guard_listing(client: S3Client) -> None:
    """Request only one byte of a listing of annotations, on servers other than AWS."""
    if is_aws(client.meta.endpoint_url):
        return
    client.meta.events.register(f"before-call.s3.{LIST}", _ask_for_one_byte)
    client.meta.events.register(f"before-parse.s3.{LIST}", _refuse_object)


def can_be_none(error: S3Error) -> bool:
    """Tell whether an error from listing annotations means that the object cannot have any."""
    return error.kind is Kind.REFUSED or error.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


def _ask_for_one_byte(params: dict[str, Any], **_: object) -> None:
    params["headers"]["Range"] = "bytes=0-0"


def _refuse_object(response_dict: Mapping[str, Any], **_: object) -> None:
    if response_dict["status_code"] == HTTPStatus.PARTIAL_CONTENT:
        raise S3Error(LIST, "NotImplemented", HTTPStatus.NOT_IMPLEMENTED, "")
