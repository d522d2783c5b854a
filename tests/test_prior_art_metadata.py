"""How other tools lost data: what was dropped on the way, mistaken, or left behind.

Each test names where it happened to others; see test_prior_art_overwrites.py and
test_prior_art_reporting.py too.
"""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.options import Multipart
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.cli.cli_runner import run as run_command
from tests.iam_users import denied
from tests.request_hooks import ALWAYS, Reply, refusal

if TYPE_CHECKING:
    from tests.request_hooks import Request, RequestHooks
    from tests.servers import Server

MIB = 1024 * 1024
IN_PARTS = ["--multipart-threshold", "5MiB"]


@pytest.fixture
def one_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frogmove.core.run_spec.Multipart", partial(Multipart, at_once=1))


def uploads(buckets: Buckets) -> list[Any]:
    """Return the multipart uploads in flight at the destination, all of which are billed."""
    answer = buckets.client.list_multipart_uploads(Bucket=buckets.destination)
    return list(answer.get("Uploads", []))


# 7. s5cmd 2.3, aws-cli#1145, #2253: metadata, Content-Type, tags, storage class silently reset.

BELONGINGS = {
    "CacheControl": "no-store",
    "ContentDisposition": "attachment; filename=x.csv",
    "ContentEncoding": "identity",
    "ContentLanguage": "fr",
    "ContentType": "text/csv; charset=utf-8",
    "Expires": datetime(2030, 1, 1, tzinfo=UTC),
    "Metadata": {"owner": "frog", "note": "a b+c"},
    "StorageClass": "STANDARD_IA",
}


@pytest.mark.parametrize("server", ["moto", "seaweedfs"], indirect=True)
@pytest.mark.parametrize("size", [1, 6 * MIB], ids=["at-once", "in-parts"])
@pytest.mark.parametrize("command", [["move", "--all"], ["sync"]], ids=["move", "sync"])
def test_what_belongs_to_an_object_arrives_with_it(
    buckets: Buckets, hooks: RequestHooks, size: int, command: list[str]
) -> None:
    buckets.put("a", body=b"x" * size, Tagging="team=pond%20life&a%2Bb=c%3Dd", **BELONGINGS)
    assert FrogmoveRunner(buckets)(*command, *IN_PARTS).code == 0
    where = {"Bucket": buckets.destination, "Key": "a"}
    there = buckets.client.head_object(**where)
    assert {name: there.get(name) for name in BELONGINGS} == BELONGINGS
    tags = buckets.client.get_object_tagging(**where)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "pond life", "a+b": "c=d"}
    assert len(hooks.of("UploadPartCopy")) == (2 if size > 5 * MIB else 0)


# 8. aws-cli#5375: without the permission for tags, only large objects fail, and unclearly.


def test_without_the_permission_for_tags_a_large_object_stays_and_the_reason_is_told(
    ministack_buckets: Buckets,
) -> None:
    ministack_buckets.put("large", body=b"x" * 6 * MIB, Tagging="team=pond")
    runner = denied(ministack_buckets, "s3:GetObjectTagging", "s3:GetObjectVersionTagging")
    ran = runner("move", "large", "-o", "json", *IN_PARTS)
    (result,) = ran.of("result")
    assert (ran.code, result["outcome"]) == (1, "failed")
    assert "GetObjectTagging" in result["reason"]
    assert "permission" in result["reason"]
    assert list(ministack_buckets.here()) == ["large"]
    assert ministack_buckets.there() == {}
    assert uploads(ministack_buckets) == []


# 10. rclone#4300, aws-cli#1428: multipart uploads left behind, and billed for ever.


@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
def test_an_upload_that_fails_is_not_left_behind(
    seaweedfs_buckets: Buckets, hooks: RequestHooks, operation: str
) -> None:
    seaweedfs_buckets.put("a", body=b"x" * 6 * MIB)
    skip = 1 if operation == "UploadPartCopy" else 0
    hooks.answer(operation, refusal(403, "AccessDenied"), skip=skip, times=ALWAYS)
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "a", "-o", "json", *IN_PARTS)
    assert (ran.code, ran.outcomes) == (1, {"a": "failed"})
    assert len(hooks.of("AbortMultipartUpload")) == 1
    assert uploads(seaweedfs_buckets) == []
    assert seaweedfs_buckets.there() == {}


@pytest.mark.usefixtures("one_part_at_a_time")
def test_an_upload_that_is_interrupted_is_kept_only_to_be_resumed(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    body = os.urandom(11 * MIB)
    seaweedfs_buckets.put("a", body=body)
    hooks.before("UploadPartCopy", lambda: os.kill(os.getpid(), signal.SIGINT), skip=1)
    frogmove = FrogmoveRunner(seaweedfs_buckets)
    interrupted = frogmove("move", "a", "-o", "json", *IN_PARTS)
    assert interrupted.code == 130
    (result,) = interrupted.of("result")
    assert "upload is kept to be resumed" in result["reason"]
    assert "frogmove resume" in frogmove("runs").out
    assert len(uploads(seaweedfs_buckets)) == 1
    done = len(hooks.of("UploadPartCopy"))
    assert done < 3
    resumed = frogmove("resume", "-o", "json")
    assert (resumed.code, resumed.outcomes) == (0, {"a": "moved"})
    assert len(hooks.of("UploadPartCopy")) == 3
    assert uploads(seaweedfs_buckets) == []
    assert (seaweedfs_buckets.here(), seaweedfs_buckets.there()) == ({}, {"a": body})


# 15. Keys that are mistaken for one another, or cannot be said in XML.

TWINS = [
    "a",
    "a/",
    "/a",
    "a//b",
    "a/b",
    "a/./b",
    "a/../b",
    "A",
    "é",
    "e\u0301",
    "a+b",
    "a b",
    "a%20b",
]
UNSAYABLE = ["\x01", "a\x1b[2J", "a\rb", "\ufffe"]


def test_keys_that_look_alike_stay_apart(ministack_buckets: Buckets) -> None:
    ministack_buckets.put(*TWINS)
    ran = FrogmoveRunner(ministack_buckets)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(TWINS, "moved"))
    assert (ministack_buckets.here(), ministack_buckets.there()) == (
        {},
        {key: key.encode() for key in TWINS},
    )


def test_one_twin_moves_without_the_other(ministack_buckets: Buckets) -> None:
    ministack_buckets.put(*TWINS)
    ran = FrogmoveRunner(ministack_buckets)("move", "--", *TWINS[::2])
    assert ran.code == 0
    assert sorted(ministack_buckets.here()) == sorted(TWINS[1::2])
    assert ministack_buckets.there() == {key: key.encode() for key in TWINS[::2]}


def test_keys_that_xml_cannot_say_are_deleted_one_by_one(
    ministack_buckets: Buckets, hooks: RequestHooks
) -> None:
    ministack_buckets.put("plain", "other", *UNSAYABLE)
    ran = FrogmoveRunner(ministack_buckets)("move", "--all", "-o", "json")
    assert (ran.code, set(ran.outcomes.values())) == (0, {"moved"})
    assert len(hooks.of("DeleteObject")) == len(UNSAYABLE)
    assert ministack_buckets.here() == {}
    assert sorted(ministack_buckets.there()) == sorted(["plain", "other", *UNSAYABLE])


def test_a_folder_is_not_a_prefix(ministack_buckets: Buckets) -> None:
    ministack_buckets.put("logs/a", "logs2/b", "logs")
    for arguments in (
        ["--prefix", "logs"],
        ["--all", "--source", f"s3://{ministack_buckets.source}/logs"],
    ):
        FrogmoveRunner(ministack_buckets)("move", *arguments)
    assert ministack_buckets.here() == {"logs2/b": b"logs2/b"}


# 17. aws-cli#3250: what is archived cannot be copied until it is restored, and then it can.


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_stays_until_it_is_restored(
    moto: Server, hooks: RequestHooks, storage_class: str
) -> None:
    """On moto, as ministack and SeaweedFS copy what is archived."""
    buckets = Buckets.make(moto)
    buckets.put("cold", StorageClass=storage_class)
    buckets.put("warm")
    frogmove = FrogmoveRunner(buckets)
    ran = frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, {"cold": "failed", "warm": "moved"})
    (reason,) = [record["reason"] for record in ran.of("result") if record["key"] == "cold"]
    assert "Restore it from its archive first" in reason
    assert len(hooks.of("CopyObject")) == 2
    where = {"Bucket": buckets.source, "Key": "cold"}
    assert buckets.client.head_object(**where)["StorageClass"] == storage_class
    assert list(buckets.there()) == ["warm"]
    buckets.client.restore_object(**where, RestoreRequest={"Days": 1})
    restored = frogmove("move", "cold", "-o", "json")
    assert (restored.code, restored.outcomes) == (0, {"cold": "moved"})
    assert buckets.here() == {}


# 18. Between two Regions, each request has to go to the Region of the bucket it is about.

REGIONS = {"external": "us-west-2", "internal": "eu-central-1"}
ETAG = "d41d8cd98f00b204e9800998ecf8427e"
ANSWERS = {
    "ListObjectsV2": "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
    "CopyObject": f"<CopyObjectResult><ETag>{ETAG}</ETag></CopyObjectResult>",
}
OBJECT = {
    "Content-Length": "0",
    "ETag": f'"{ETAG}"',
    "Last-Modified": "Mon, 23 Nov 2026 07:30:12 GMT",
}


def two_regions(request: Request) -> Reply:
    """Answer as AWS does: a bucket is served in its own Region and nowhere else."""
    bucket = request.url.removeprefix("https://").partition(".")[0]
    region = REGIONS[bucket]
    if f".s3.{region}." not in request.url:
        return Reply(301, refusal(301, "PermanentRedirect").body, {"x-amz-bucket-region": region})
    assert f"/{region}/s3/" in request.headers["authorization"]
    headers = OBJECT if request.operation == "HeadObject" else {}
    return Reply(200, ANSWERS.get(request.operation, ""), headers)


@pytest.mark.parametrize("region", ["us-west-2", "eu-central-1", "us-east-1"])
def test_the_delete_goes_to_the_region_of_the_source(hooks: RequestHooks, region: str) -> None:
    """No server here has Regions: each request is answered in its place."""
    hooks.serve(two_regions)
    ran = run_command(
        *("move", "a", "-o", "json", "--region", region),
        *("--source", "s3://external", "--destination", "s3://internal"),
        environment={"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
    )
    assert (ran.code, ran.outcomes) == (0, {"a": "moved"})
    last = {request.operation: request.url for request in hooks.requests}
    assert last["DeleteObject"].startswith("https://external.s3.us-west-2.amazonaws.com/a")
    assert last["CopyObject"].startswith("https://internal.s3.eu-central-1.amazonaws.com/a")
