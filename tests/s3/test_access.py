"""Versions, locks, owners, payers, keys and archives: what a bucket may require of requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session

from frogmove import boto_session
from frogmove.config import Config
from frogmove.s3.boto import BotoS3
from frogmove.s3.bucket_features import Feature
from frogmove.s3.interface import S3
from frogmove.s3.models import Checksum, Copy, Deletion, Head, Part
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.factories import an_object
from tests.request_hooks import ALWAYS, Reply, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.request_hooks import Request, RequestHooks
    from tests.servers import Server


@pytest.fixture
def server(ministack: Server) -> Server:
    """It keeps versions, locks and storage classes."""
    return ministack


def versions(buckets: Buckets, bucket: str) -> list[tuple[str, bool]]:
    """Return the kind of each version, and whether it is the latest."""
    answer = buckets.client.list_object_versions(Bucket=bucket)
    return sorted(
        (kind, entry["IsLatest"])
        for kind in ("Versions", "DeleteMarkers")
        for entry in answer.get(kind, [])
    )


# Versions.


@pytest.mark.parametrize("keys", [["a"], ["a", "b"]], ids=["alone", "in-a-batch"])
@pytest.mark.parametrize("server", ["ministack", "seaweedfs", "moto"], indirect=True)
def test_versioned_bucket_keeps_what_was_moved_behind_a_delete_marker(
    buckets: Buckets, frogmove: FrogmoveRunner, keys: list[str]
) -> None:
    buckets.version()
    buckets.put(*keys, body=b"old")
    buckets.put(*keys)
    ran = frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved"))
    assert (buckets.here(), buckets.there()) == ({}, {key: key.encode() for key in keys})
    marked = [("DeleteMarkers", True), ("Versions", False), ("Versions", False)]
    assert versions(buckets, buckets.source) == sorted(marked * len(keys))


def test_versioned_bucket_keeps_what_was_overwritten_as_a_version(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a")
    buckets.put_there("a", body=b"theirs")
    assert frogmove("move", "a", "--on-conflict", "overwrite").code == 0
    assert buckets.there() == {"a": b"a"}
    assert versions(buckets, buckets.destination) == [("Versions", False), ("Versions", True)]


def test_delete_marker_at_the_destination_is_nothing_in_the_way(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a")
    buckets.put_there("a", body=b"theirs")
    buckets.client.delete_object(Bucket=buckets.destination, Key="a")
    ran = frogmove("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert buckets.there() == {"a": b"a"}


def test_key_that_was_moved_already_is_missing_though_its_versions_are_there(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a")
    assert frogmove("move", "a").code == 0
    before = buckets.state()
    assert frogmove("move", "a").code == 2
    assert frogmove("move", "--all", "--allow-empty").code == 0
    assert buckets.state() == before


def test_version_id_of_the_current_version_makes_the_one_before_it_current(
    buckets: Buckets, frogmove: FrogmoveRunner
) -> None:
    buckets.version()
    buckets.put("a", body=b"old")
    buckets.put("a", body=b"current")
    current = buckets.client.head_object(Bucket=buckets.source, Key="a")["VersionId"]
    assert frogmove("move", "a", "--version-id", current).code == 0
    assert (buckets.here(), buckets.there()) == ({"a": b"old"}, {"a": b"current"})


# Object lock. On AWS, too, a simple delete in a bucket with object lock only adds a delete marker,
# which is allowed; to delete the locked version itself is refused as AccessDenied.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html


@pytest.fixture
def locked(buckets: Buckets) -> tuple[list[str], str]:
    """A route from a bucket with object lock, and the locked version of "a" in it."""
    bucket = f"{buckets.source}-locked"
    buckets.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    answer = buckets.client.put_object(
        Bucket=bucket,
        Key="a",
        Body=b"locked",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime(2099, 1, 1, tzinfo=UTC),
    )
    return ["--source", f"s3://{bucket}"], answer["VersionId"]


def test_locked_object_is_moved_and_its_version_stays(
    buckets: Buckets, frogmove: FrogmoveRunner, locked: tuple[list[str], str]
) -> None:
    source, _ = locked
    ran = frogmove("move", "a", *source, "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    assert versions(buckets, f"{buckets.source}-locked") == [
        ("DeleteMarkers", True),
        ("Versions", False),
    ]
    assert buckets.there() == {"a": b"locked"}


def test_locked_version_fails_clearly_and_once(
    buckets: Buckets, frogmove: FrogmoveRunner, locked: tuple[list[str], str], hooks: RequestHooks
) -> None:
    source, version = locked
    ran = frogmove("move", "a", "--version-id", version, *source, "-o", "json")
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (1, "failed")
    assert f"Copied to 's3://{buckets.destination}/a'" in result["reason"]
    assert "Wait until its retention or legal hold ends" in result["reason"]
    assert len(hooks.of("DeleteObject", "DeleteObjects")) == 1
    assert versions(buckets, f"{buckets.source}-locked") == [("Versions", True)]
    assert buckets.there() == {"a": b"locked"}


# What every request of a run carries. The model of S3's API says which requests take it.

OWNER = "111122223333"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/abcd"
STANDING = Config(
    region="us-east-1",
    expected_bucket_owner=OWNER,
    requester_pays="yes",
    kms_key_id=KMS_KEY,
)
ITEM = an_object("a")
COPY = Copy("external", ITEM, "internal", "a")
CRC = Checksum("CRC32", "AAAAAA==", full_object=True)

OPERATIONS: dict[str, Callable[[BotoS3], Any]] = {
    "ListObjectsV2": lambda s3: s3.list_page("external", ""),
    "HeadObject": lambda s3: s3.head("external", "a"),
    "CopyObject": lambda s3: s3.copy(COPY),
    "DeleteObject": lambda s3: s3.delete("external", Deletion("a", ITEM.etag)),
    "DeleteObjects": lambda s3: s3.delete_many("external", [Deletion("a", ITEM.etag)]),
    "GetObjectTagging": lambda s3: s3.tags("external", "a", None),
    "CreateMultipartUpload": lambda s3: s3.create_upload(COPY, Head(ITEM), {}, CRC),
    "UploadPartCopy": lambda s3: s3.copy_part(COPY, "id", 1, 0, 9),
    "CompleteMultipartUpload": lambda s3: s3.complete_upload(COPY, "id", [Part(1, "e")], CRC),
    "AbortMultipartUpload": lambda s3: s3.abort_upload("internal", "a", "id"),
    "ListParts": lambda s3: s3.list_parts("internal", "a", "id"),
    "ListMultipartUploads": lambda s3: s3.list_uploads("internal", ""),
    "ListObjectVersions": lambda s3: s3.list_versions("internal", "a"),
    "PutObject": lambda s3: s3.put("internal", "a", b""),
    "GetObject": lambda s3: s3.read("external", ITEM, 0, 1),
    "GetObject, MD5": lambda s3: s3.read_md5("external", ITEM, 0, 1),
    "GetBucketWebsite": lambda s3: s3.has_feature("external", Feature.WEBSITE),
    "GetObjectRetention": lambda s3: s3.read_lock("external", "a", None, "GetObjectRetention"),
    "GetObjectAcl": lambda s3: s3.read_grants("external", "a", None),
    "ListObjectAnnotations": lambda s3: s3.list_annotations("external", "a", None),
    "GetObjectAnnotation": lambda s3: s3.read_annotation("external", "a", None, "b"),
    "PutObjectAnnotation": lambda s3: s3.put_annotation("internal", "a", "e", "b", b"c"),
}
HEADERS = {
    "ExpectedBucketOwner": ("x-amz-expected-bucket-owner", OWNER),
    "ExpectedSourceBucketOwner": ("x-amz-source-expected-bucket-owner", OWNER),
    "RequestPayer": ("x-amz-request-payer", "requester"),
}
ENCRYPTION = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY,
}
# Encryption is chosen when an object is begun; completing and filling it take none.
WRITES = {"CopyObject", "CreateMultipartUpload", "PutObject"}


def sent(
    hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch, config: Config, name: str
) -> Request:
    """Return a request as it would go out to AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    hooks.serve(lambda _: refusal(403, "AccessDenied"))
    s3 = BotoS3(boto_session.make_boto_client(config, 1), 1)
    assert OPERATIONS[name](s3).exception() is not None
    s3.close()
    (request,) = hooks.requests
    assert request.operation == name.partition(",")[0]
    return request


def test_operations_are_those_of_the_interface() -> None:
    operations = {name for name in vars(S3) if not name.startswith("_")}
    assert len(operations) == len(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_owner_payer_and_key_go_with_every_request_that_takes_them(
    hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    request = sent(hooks, monkeypatch, STANDING, name)
    model = Session().get_service_model("s3").operation_model(request.operation)
    shape = model.input_shape
    takes = shape.members if shape else {}
    for member, (header, value) in HEADERS.items():
        assert request.headers.get(header) == (value if member in takes else None), member
    assert "ExpectedBucketOwner" in takes
    for header, value in ENCRYPTION.items():
        assert request.headers.get(header) == (value if name in WRITES else None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_owner_payer_and_key_are_not_sent_unasked(
    hooks: RequestHooks, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    request = sent(hooks, monkeypatch, Config(region="us-east-1"), name)
    assert not {header for header, _ in HEADERS.values()} & request.headers.keys()
    assert not ENCRYPTION.keys() & request.headers.keys()


def test_options_of_a_command_reach_every_request_of_a_move(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks
) -> None:
    buckets.put("a")
    options = ["--expected-bucket-owner", OWNER, "--requester-pays", "--kms-key-id", "alias/pond"]
    assert frogmove("move", "a", *options).code == 0
    assert {request.headers["x-amz-expected-bucket-owner"] for request in hooks.requests} == {OWNER}
    (copy,) = hooks.of("CopyObject")
    assert copy.headers["x-amz-source-expected-bucket-owner"] == OWNER
    assert copy.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/pond"
    for request in hooks.of("CopyObject", "HeadObject", "DeleteObject"):
        assert request.headers["x-amz-request-payer"] == "requester"


@pytest.mark.parametrize(("whose", "code"), [("source", 2), ("destination", 1)])
def test_bucket_of_another_owner_is_refused_and_nothing_is_touched(
    buckets: Buckets, frogmove: FrogmoveRunner, hooks: RequestHooks, whose: str, code: int
) -> None:
    """No server here compares owners: the refusals are S3's, given in its place."""
    buckets.put("a", "b")
    foreign = getattr(buckets, whose)

    def refuse(request: Request) -> Reply | None:
        about = f"/{foreign}" in request.url or f"{foreign}/" in request.headers.get(
            "x-amz-copy-source", ""
        )
        wrong = request.headers.get("x-amz-expected-bucket-owner") != "999988887777"
        return refusal(403, "AccessDenied", "Access Denied") if about and wrong else None

    hooks.serve(refuse)
    ran = frogmove("move", "--all", "--expected-bucket-owner", OWNER)
    assert ran.code == code
    assert "permission" in ran.out + ran.err
    assert (sorted(buckets.here()), buckets.there()) == (["a", "b"], {})


# Archives.


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
@pytest.mark.parametrize("code", ["InvalidObjectState", "ObjectNotInActiveTierError"])
@pytest.mark.parametrize("command", [["move", "--all"], ["sync"]], ids=["move", "sync"])
def test_archived_object_is_reported_and_not_asked_for_again(
    buckets: Buckets,
    frogmove: FrogmoveRunner,
    hooks: RequestHooks,
    storage_class: str,
    code: str,
    command: list[str],
) -> None:
    """ministack copies what is archived: the refusals are S3's, given in its place."""
    buckets.put("a", StorageClass=storage_class)
    hooks.answer("CopyObject", refusal(403, code, "Not in the active tier."), times=ALWAYS)
    ran = frogmove(*command, "-o", "json")
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (1, "failed")
    assert "The source is kept. Restore it from its archive first" in result["reason"]
    assert len(hooks.of("CopyObject")) == 1
    assert hooks.of("DeleteObject", "DeleteObjects") == []


def test_restored_object_is_moved_into_the_class_it_had(moto: Server) -> None:
    buckets = Buckets.make(moto)
    buckets.put("a", StorageClass="GLACIER")
    where = {"Bucket": buckets.source, "Key": "a"}
    frogmove = FrogmoveRunner(buckets)
    assert frogmove("move", "a").code == 1
    buckets.client.restore_object(**where, RestoreRequest={"Days": 1})
    assert frogmove("move", "a").code == 0
    there = buckets.client.head_object(**where | {"Bucket": buckets.destination})
    assert there["StorageClass"] == "GLACIER"
    assert "Contents" not in buckets.client.list_objects_v2(Bucket=buckets.source)


@pytest.mark.parametrize("storage_class", ["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"])
def test_storage_class_that_can_be_read_at_once_is_moved_and_kept(
    buckets: Buckets, frogmove: FrogmoveRunner, storage_class: str
) -> None:
    buckets.put("a", StorageClass=storage_class)
    assert frogmove("move", "a").code == 0
    there = buckets.client.head_object(Bucket=buckets.destination, Key="a")
    assert there["StorageClass"] == storage_class
