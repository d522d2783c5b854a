"""Doctor tells whether the buckets keep what the route relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.config import Config
from frogmove.ops.bucket_checks import BucketChecks
from frogmove.ops.check import State
from frogmove.ops.clients import Services
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.canned_server import canned_server, error

if TYPE_CHECKING:
    from tests.servers import Server


@pytest.mark.parametrize("is_gated", [True, False])
def test_scanned_source_must_keep_versions(ministack: Server, is_gated: bool) -> None:
    buckets = Buckets.make(ministack)
    examined = BucketChecks(
        buckets.client, "source", Location(buckets.source), None, is_gated=is_gated
    )
    warned = State.WARNING if is_gated else State.OK
    for status, expected in ((None, warned), ("Enabled", State.OK), ("Suspended", warned)):
        if status is not None:
            buckets.client.put_bucket_versioning(
                Bucket=buckets.source, VersioningConfiguration={"Status": status}
            )
        found = {check.name: check for check in examined.checks()}["source versions"]
        assert (status, found.state) == (status, expected)
        assert ("put-bucket-versioning" in found.remedy) is (expected is State.WARNING)


def test_bucket_without_a_default_encryption_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with canned_server((404, error("ServerSideEncryptionConfigurationNotFoundError"))) as server:
        s3 = Services().s3(Config(endpoint_url=server.endpoint_url, region="us-east-1"))
        checks = BucketChecks(s3, "source", Location("b"), None)
        found = checks._check("encryption", checks._encryption)
    assert (found.state, found.facts["algorithm"]) == (State.OK, None)
    assert found.message == "no default encryption is set"
