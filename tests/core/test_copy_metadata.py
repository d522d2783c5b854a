"""What belongs to an object arrives with its copy, and what cannot be copied keeps its source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.iam_users import denied

if TYPE_CHECKING:
    from tests.request_hooks import RequestHooks
    from tests.servers import Server

MIB = 1024 * 1024


IN_PARTS = ["--multipart-threshold", "5MiB"]


def uploads(buckets: Buckets) -> list[Any]:
    """Return the multipart uploads in flight at the destination, all of which are billed."""
    answer = buckets.client.list_multipart_uploads(Bucket=buckets.destination)
    return list(answer.get("Uploads", []))


# s5cmd 2.3, aws-cli#1145, #2253: metadata, Content-Type, tags, storage class silently reset.
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
def test_metadata_tags_and_storage_class_arrive_with_the_copy(
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


# aws-cli#5375: without the permission for tags, only large objects fail, and unclearly.
def test_copy_in_parts_without_permission_for_tags_keeps_the_source_and_says_so(
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


# aws-cli#3250: what is archived cannot be copied until it is restored, and then it can.
@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_object_stays_until_it_is_restored(
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
