"""What holds for every listing holds for runs of several processes, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.client import Client
from frogmove.config import Config
from frogmove.engine import Engine
from frogmove.s3.errors import S3Error
from frogmove.s3.range_listing import KeyRange, RangeListing
from tests.buckets import Buckets
from tests.canned_server import XML, canned_server
from tests.cli.cli_runner import FrogmoveRunner

if TYPE_CHECKING:
    from tests.servers import Server


def test_server_with_an_order_of_its_own_is_moved_whole(
    seaweedfs: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = Buckets.make(seaweedfs)
    keys = ["a-1", "a/1", "a.txt", "b"]
    buckets.put(*keys)
    for name, value in seaweedfs.environment().items():
        monkeypatch.setenv(name, value)
    ran = FrogmoveRunner(buckets)("move", "--all", "--processes", "3", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved")), ran
    assert (buckets.keys_here(), sorted(buckets.there())) == ([], sorted(keys))


EMPTY_PAGE = (
    f"{XML}<ListBucketResult><IsTruncated>true</IsTruncated>"
    "<NextContinuationToken>again</NextContinuationToken></ListBucketResult>"
)


@pytest.mark.parametrize("engine", Engine)
def test_listing_that_never_ends_is_refused(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with canned_server((200, EMPTY_PAGE)) as server:
        config = Config(endpoint_url=server.endpoint_url, region="us-east-1", engine=engine)
        with Client(config) as client:
            listing = RangeListing(client.s3, "bucket", "", KeyRange("", None))
            with pytest.raises(S3Error, match="would never end"):
                listing.begin()
