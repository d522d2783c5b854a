"""A pair of buckets that belongs to one test, and what is in it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frogmove.core.models import Route
from frogmove.s3.boto_shapes import unquoted
from frogmove.s3.models import S3Object
from frogmove.s3.uri import Location

if TYPE_CHECKING:
    from tests.servers import Server


@dataclass(frozen=True, slots=True)
class Buckets:
    """A source and a destination on one server.

    Attributes:
        server: where they are.
        client: a client of it, for what a test arranges and asserts.
        source: the source bucket's name.
        destination: the destination bucket's name.
    """

    server: Server
    client: Any
    source: str
    destination: str

    @classmethod
    def make(cls, server: Server) -> Buckets:
        """Create a pair that no other test knows."""
        client = server.client()
        unique = uuid.uuid4().hex[:12]
        names = (f"external-{unique}", f"internal-{unique}")
        for name in names:
            client.create_bucket(Bucket=name)
        return cls(server, client, *names)

    @property
    def route(self) -> Route:
        """The route from all of the source to all of the destination."""
        return Route(Location(self.source), Location(self.destination))

    @property
    def ends(self) -> list[str]:
        """The route as options of a command."""
        return ["--source", f"s3://{self.source}", "--destination", f"s3://{self.destination}"]

    def put(self, *keys: str, body: bytes | None = None, **more: Any) -> None:
        """Write objects to the source; each holds its own key unless a body is given."""
        for key in keys:
            self._put(self.source, key, body, more)

    def put_there(self, *keys: str, body: bytes | None = None, **more: Any) -> None:
        """Write objects to the destination."""
        for key in keys:
            self._put(self.destination, key, body, more)

    def _put(self, bucket: str, key: str, body: bytes | None, more: dict[str, Any]) -> None:
        content = key.encode() if body is None else body
        self.client.put_object(Bucket=bucket, Key=key, Body=content, **more)

    def put_in_parts(self, bucket: str, key: str, body: bytes, **checksum: Any) -> None:
        """Write an object whose ETag says nothing about its bytes."""
        where = {"Bucket": bucket, "Key": key}
        upload = self.client.create_multipart_upload(**where, **checksum)["UploadId"]
        part = self.client.upload_part(
            **where, UploadId=upload, PartNumber=1, Body=body, **checksum
        )
        sums = {name: value for name, value in part.items() if name in {"ETag", "ChecksumSHA256"}}
        self.client.complete_multipart_upload(
            **where, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, **sums}]}
        )

    def here(self) -> dict[str, bytes]:
        """Return the source's objects by key."""
        return self._contents(self.source)

    def there(self) -> dict[str, bytes]:
        """Return the destination's objects by key."""
        return self._contents(self.destination)

    def keys_here(self) -> list[str]:
        """Return the keys of the source's objects."""
        return [entry["Key"] for entry in self._list(self.source)]

    def _contents(self, bucket: str) -> dict[str, bytes]:
        return {
            entry["Key"]: self.client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for entry in self._list(bucket)
        }

    def seen(self, key: str) -> S3Object:
        """Return a source object as a HEAD shows it."""
        head = self.client.head_object(Bucket=self.source, Key=key)
        return S3Object(key, head["ContentLength"], unquoted(head["ETag"]), head["LastModified"])

    def state(self) -> list[tuple[object, ...]]:
        """Return every version of every object on both sides: what a dry run must not change."""
        return [
            (bucket, kind, item["Key"], item["VersionId"], item.get("ETag"), item["LastModified"])
            for bucket in (self.source, self.destination)
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket)
            for kind in ("Versions", "DeleteMarkers")
            for item in page.get(kind, [])
        ]

    def version(self) -> None:
        """Make both buckets keep every version."""
        for bucket in (self.source, self.destination):
            self.client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )

    def _list(self, bucket: str, prefix: str = "") -> list[Any]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry for page in pages for entry in page.get("Contents", [])]
