"""What the contract of :class:`frogmove.s3.interface.S3` is checked on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.s3.boto import BotoS3
from frogmove.s3.capabilities import ALL_SUPPORTED, Capabilities
from frogmove.s3.crt import CrtS3
from frogmove.s3.errors import S3Error
from frogmove.s3.transport import Transport
from tests.buckets import Buckets
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frogmove.s3.interface import S3
    from frogmove.s3.models import S3Object
    from tests.servers import Server


@dataclass(frozen=True, slots=True)
class ContractCase:
    """An S3, two empty buckets of it, and what its server is known not to do.

    Attributes:
        s3: the implementation.
        source: the name of one bucket.
        destination: the name of another.
        name: the server's.
        honours: the conditions it does not ignore.
        lacks: the names of the keys it does not keep as they are.
        ordered: whether listings come in S3's order.
        client: speaks to the server, for what the interface cannot say.
    """

    s3: S3
    source: str
    destination: str
    name: str = "the model"
    honours: Capabilities = ALL_SUPPORTED
    lacks: frozenset[str] = frozenset()
    ordered: bool = True
    client: Any = None

    def needs(self, condition: str) -> None:
        """Skip a test on a server that ignores the condition it is about."""
        if not getattr(self.honours, condition):
            pytest.skip(f"{self.name} ignores {condition} conditions")

    def keep_versions(self, bucket: str) -> None:
        """Have a bucket keep the versions of what is written from now on."""
        if isinstance(self.s3, FakeS3):
            self.s3.state.versioned.add(bucket)
        else:
            self.client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )

    def put(self, *keys: str, bucket: str = "") -> None:
        """Write objects that hold their own keys."""
        for key in keys:
            self.s3.put(bucket or self.source, key, key.encode()).result()

    def seen(self, key: str, bucket: str = "") -> S3Object:
        """Return an object as it is now."""
        return self.s3.head(bucket or self.source, key).result().object

    def keys(self, bucket: str = "") -> list[str]:
        """Return a bucket's first keys."""
        return [item.key for item in self.s3.list_page(bucket or self.source, "").result().objects]


def with_boto(server: Server) -> Iterator[ContractCase]:
    """Speak to a server through boto3."""
    buckets = Buckets.make(server)
    s3 = BotoS3(buckets.client, 16)
    yield _case(server, buckets, s3)
    s3.close()


def with_crt(server: Server) -> Iterator[ContractCase]:
    """Speak to a server through awscrt."""
    buckets = Buckets.make(server)
    s3 = CrtS3(BotoS3(buckets.client, 16), Transport(16, 5, verify=True, proxies={}))
    yield _case(server, buckets, s3)
    s3.close()


def _case(server: Server, buckets: Buckets, s3: S3) -> ContractCase:
    return ContractCase(
        s3,
        buckets.source,
        buckets.destination,
        server.name,
        server.honours,
        server.lacks,
        server.ordered,
        buckets.client,
    )


def on_fake() -> Iterator[ContractCase]:
    """Make an S3 in memory, which has to be like the real ones."""
    unique = uuid.uuid4().hex
    source, destination = f"external-{unique}", f"internal-{unique}"
    yield ContractCase(FakeS3(FakeS3State({source: {}, destination: {}})), source, destination)


# A further implementation is a further line.
IMPLEMENTATIONS: dict[str, Callable[[Server], Iterator[ContractCase]]] = {
    "boto": with_boto,
    "crt": with_crt,
}
SERVERS = ("moto", "ministack", "seaweedfs")


def refusal(error: BaseException | None) -> S3Error:
    """Return an answer that has to be a refusal."""
    assert isinstance(error, S3Error), error
    return error
