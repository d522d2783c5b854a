"""The benchmarks' own server refuses what S3 refuses, so that no program gets away with less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.benchmarks import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

A, B = servers.BUCKETS
OTHER = '"0"'


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with servers.in_memory(0, ()) as server:
        session = boto3.Session("test", "test", region_name="us-east-1")
        server.fill(A, "in/", 2500, 1024)
        yield session.client("s3", endpoint_url=server.endpoint_url)


def keys(client: Any, bucket: str, **options: object) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, **options)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def test_listing_has_every_key_once_and_in_order(client: Any) -> None:
    found = keys(client, A)
    assert len(found) == 2500
    assert found == sorted(set(found))
    assert keys(client, A, StartAfter=found[-2]) == found[-1:]


@pytest.mark.parametrize("size", [1, 1000])
def test_listing_of_a_folder_has_every_folder_in_it_once(client: Any, size: int) -> None:
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=A, Prefix="in/2026/", Delimiter="/", PaginationConfig={"PageSize": size}
    )
    folders = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
    assert folders == [f"in/2026/{number:04}/" for number in range(3)]


def test_conditions_are_honoured(client: Any) -> None:
    (key,) = keys(client, A, StartAfter=keys(client, A)[-2])
    etag = client.head_object(Bucket=A, Key=key)["ETag"]
    copy = {"Bucket": B, "Key": "copy", "CopySource": {"Bucket": A, "Key": key}}
    refused: list[Callable[[], Any]] = [
        lambda: client.copy_object(**copy, CopySourceIfMatch=OTHER),
        lambda: client.copy_object(**copy, IfNoneMatch="*"),
        lambda: client.copy_object(**copy, IfMatch=OTHER),
        lambda: client.delete_object(Bucket=A, Key=key, IfMatch=OTHER),
    ]
    client.copy_object(**copy, CopySourceIfMatch=etag, IfNoneMatch="*")
    for request in refused:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            request()
    objects = [{"Key": key, "ETag": OTHER}, {"Key": keys(client, A)[0], "ETag": etag}]
    done = client.delete_objects(Bucket=A, Delete={"Objects": objects})
    assert [each["Key"] for each in done["Errors"]] == [key]
    assert [each["Key"] for each in done["Deleted"]] == [objects[1]["Key"]]
    assert len(keys(client, A)) == 2499
