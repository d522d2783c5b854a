from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from frogmove.boto_session import make_boto_client
from frogmove.config import Config
from frogmove.core.preflight import check, restore_warning
from frogmove.errors import UnreachableError
from frogmove.s3.boto import BotoS3
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.canned_server import nobody_listening
from tests.fake_s3 import FakeS3

if TYPE_CHECKING:
    from frogmove.s3.bucket_features import Feature
    from frogmove.s3.future import Future
    from tests.fake_s3_state import FakeS3State
    from tests.servers import Server


def refused(s3: BotoS3, bucket: str) -> UnreachableError:
    with pytest.raises(UnreachableError) as caught:
        check(s3, Location(bucket))
    s3.close()
    assert repr(bucket) in caught.value.message
    assert caught.value.remedy
    return caught.value


def test_preflight_passes_for_a_bucket_empty_or_not(buckets: Buckets, s3: BotoS3) -> None:
    check(s3, Location(buckets.source))
    buckets.put("a")
    check(s3, Location(buckets.source, "folder/"))


def test_preflight_names_a_missing_bucket(s3: BotoS3) -> None:
    assert "does not exist" in refused(s3, "frogmove-has-no-such-bucket").message


def test_preflight_reports_an_unknown_access_key(ministack: Server) -> None:
    buckets = Buckets.make(ministack)
    s3 = BotoS3(ministack.spoken_to_as("AKIANOBODY", "nothing").client(), 1)
    assert "AWS_ACCESS_KEY_ID" in refused(s3, buckets.source).remedy


def test_preflight_reports_a_wrong_secret(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    s3 = BotoS3(seaweedfs.spoken_to_as("AKADMIN", "wrong").client(), 1)
    assert "refused the credentials" in refused(s3, buckets.source).message


def test_preflight_passes_without_permission_to_list(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    s3 = BotoS3(seaweedfs.spoken_to_as("AKBOB", "SKBOB").client(), 1)
    check(s3, Location(buckets.source))
    s3.close()


def test_preflight_names_the_permission_to_list_where_it_is_needed(seaweedfs: Server) -> None:
    buckets = Buckets.make(seaweedfs)
    bob = BotoS3(seaweedfs.spoken_to_as("AKBOB", "SKBOB").client(), 1)
    with pytest.raises(UnreachableError, match="permission: s3:ListBucket"):
        check(bob, Location(buckets.source), must_list=[Location(buckets.source)])


def test_preflight_without_credentials_names_the_ways_to_give_them(moto: Server) -> None:
    buckets = Buckets.make(moto)
    s3 = BotoS3(make_boto_client(Config(endpoint_url=moto.endpoint_url), 1), 1)
    problem = refused(s3, buckets.source)
    assert "credentials" in problem.message
    assert "--profile" in problem.remedy


def test_preflight_names_an_endpoint_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with nobody_listening() as endpoint_url:
        s3 = BotoS3(make_boto_client(Config(endpoint_url=endpoint_url), 1), 1)
        problem = refused(s3, "external")
    assert endpoint_url in problem.message
    assert "--endpoint-url" in problem.remedy


class Versioned(FakeS3):
    """Says of every bucket that it keeps versions, as AWS does if it cannot tell."""

    def has_feature(self, bucket: str, feature: Feature) -> Future[bool]:
        return self._answer(f"Has {feature} {bucket}", lambda: True)


@pytest.mark.parametrize(
    ("bucket", "warns"), [("internal", False), ("internal--use1-az4--x-s3", True)]
)
def test_restore_warning_does_not_ask_a_directory_bucket_which_keeps_no_versions(
    state: FakeS3State, bucket: str, warns: bool
) -> None:
    assert ("keeps no versions" in restore_warning(Versioned(state), bucket)) is warns
