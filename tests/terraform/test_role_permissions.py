"""The roles of the function and of what serves it, tried as the people's policies are.

Who may take on a role is in its trust; here a copy is taken on that trusts this account.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from frogmove.local_aws.iam_policies import role_policy
from tests.aws_events import batch, message, notification
from tests.cli.cli_runner import ROOT
from tests.terraform.deployment import (
    Deployment,
    Person,
    allowed,
    annotate,
    is_annotated,
    is_refused,
    put_large,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# Run with the function's own rights alone. AWS is known to honour conditions; any other server is
# asked under throw-away keys, which the function's policy for AWS does not cover.
INVOKE = """
import json, sys
from frogmove import client
client.is_aws = lambda url: True
from frogmove.lambda_handler import handler
class Context:
    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    function_name = "frogmove"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:frogmove:live"
    def get_remaining_time_in_millis(self):
        return 300_000
print("ANSWER" + json.dumps(handler(json.load(sys.stdin), Context())))
"""


def invoke(deployment: Deployment, function: Person, event: Any, **environment: str) -> Any:
    """Return what the handler answers, run with the planned environment as somebody."""
    (planned,) = deployment.plan.resources["aws_lambda_function.move"]["environment"]
    done = subprocess.run(
        [sys.executable, "-c", INVOKE],
        cwd=ROOT,
        env={**os.environ, **function.environment(), **planned["variables"], **environment},
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.rpartition("ANSWER")[2])


def test_function_moves_with_the_rights_it_has(deployment: Deployment) -> None:
    buckets = deployment.buckets
    function = deployment.role("function")
    buckets.put("a", "tagged", Tagging="kind=report")
    annotate(deployment, "tagged")
    buckets.put_there("a", body=b"what was there before")
    event = batch(
        message("1", notification(buckets.source, "a")),
        message("2", notification(buckets.source, "tagged")),
        message("3", notification(buckets.source, "gone")),
    )
    assert invoke(deployment, function, event) == {"batchItemFailures": []}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a", "tagged": b"tagged"})
    assert is_annotated(deployment, "tagged")


def test_function_moves_a_large_object_in_parts(deployment: Deployment) -> None:
    buckets = deployment.buckets
    function = deployment.role("function")
    put_large(deployment, "large")
    event = batch(message("1", notification(buckets.source, "large")))
    sizes = {"FROGMOVE_MULTIPART_THRESHOLD": "5MiB", "FROGMOVE_PART_SIZE": "5MiB"}
    assert invoke(deployment, function, event, **sizes) == {"batchItemFailures": []}
    assert (set(buckets.here()), set(buckets.there())) == (set(), {"large"})
    assert is_annotated(deployment, "large")


def test_function_moves_what_it_rarely_meets(deployment: Deployment) -> None:
    """The requests of versions named by Batch Operations, of resumed and of given-up copies."""
    buckets = deployment.buckets
    here, there = buckets.source, buckets.destination
    buckets.version()
    named = buckets.client.put_object(Bucket=here, Key="a", Tagging="kind=report")["VersionId"]
    buckets.put("a", body=b"newer")
    s3 = deployment.role("function").client("s3")

    assert s3.list_objects_v2(Bucket=here)["KeyCount"] == 1
    assert s3.list_objects_v2(Bucket=there)["KeyCount"] == 0
    assert s3.head_object(Bucket=here, Key="a", VersionId=named)["VersionId"] == named
    assert s3.get_object_tagging(Bucket=here, Key="a", VersionId=named)["TagSet"]
    version: Any = {"Bucket": here, "Key": "a", "VersionId": named}
    assert s3.list_object_annotations(**version)["AnnotationCount"] == 0
    with pytest.raises(ClientError, match="NoSuchAnnotation"):
        s3.get_object_annotation(**version, AnnotationName="summary")
    upload = s3.create_multipart_upload(Bucket=there, Key="a", Tagging="kind=report")["UploadId"]
    s3.upload_part_copy(
        Bucket=there, Key="a", UploadId=upload, PartNumber=1, CopySource=f"{here}/a"
    )
    assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=there)["Uploads"]]
    assert len(s3.list_parts(Bucket=there, Key="a", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket=there, Key="a", UploadId=upload)
    s3.copy_object(Bucket=there, Key="a", CopySource=f"{here}/a")
    s3.put_object_tagging(Bucket=there, Key="a", Tagging={"TagSet": []})


def test_function_may_do_nothing_else(deployment: Deployment) -> None:
    buckets = deployment.buckets
    function = deployment.role("function")
    s3, here, there = function.client("s3"), buckets.source, buckets.destination
    buckets.put("a")
    buckets.put_there("a")
    elsewhere = buckets.make(deployment.server)
    elsewhere.put("a")
    sqs = deployment.client("sqs")
    dead = sqs.create_queue(QueueName=f"{deployment.name}-uploads-dead")["QueueUrl"]
    refused: list[Callable[[], object]] = [
        lambda: s3.put_object(Bucket=here, Key="new"),
        lambda: s3.delete_object(Bucket=there, Key="a"),
        lambda: s3.delete_object(Bucket=here, Key="a", VersionId="null"),
        lambda: s3.copy_object(Bucket=elsewhere.destination, Key="a", CopySource=f"{here}/a"),
        lambda: s3.copy_object(Bucket=there, Key="b", CopySource=f"{elsewhere.source}/a"),
        lambda: s3.get_object(Bucket=elsewhere.source, Key="a"),
        lambda: s3.delete_object(Bucket=elsewhere.source, Key="a"),
        lambda: s3.list_objects_v2(Bucket=elsewhere.source),
        lambda: s3.put_object_acl(Bucket=there, Key="a", ACL="public-read"),
        lambda: s3.delete_bucket(Bucket=here),
        lambda: s3.put_bucket_policy(Bucket=there, Policy="{}"),
        lambda: function.client("sqs").receive_message(QueueUrl=dead),
        lambda: function.client("lambda").invoke(FunctionName=deployment.name),
        lambda: function.client("iam").list_users(),
    ]
    assert [index for index, request in enumerate(refused) if not is_refused(request)] == []


def test_function_may_what_it_may_on_the_embedded_aws(deployment: Deployment) -> None:
    """The two lists of actions are one, but for what only one of the two places has."""
    embedded = allowed(role_policy("source", ["destination"], "queue", "logs"))
    planned = allowed(deployment.plan.policy("aws_iam_role_policy.function"))
    # The throw-away keys of servers other than AWS; the module creates the log group itself.
    assert embedded - planned <= {"logs:CreateLogGroup", "s3:DeleteObjectVersion"}
    # Manifests of S3 Batch Operations may name versions; failed sweeps are kept.
    versions = {"Version", "VersionTagging", "VersionAnnotation"}
    extra = {f"s3:GetObject{name}" for name in versions}
    extra |= {"s3:ListObjectVersionAnnotations", "sqs:SendMessage"}
    in_parts = {"s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts"}
    assert planned - embedded <= extra | in_parts


def test_scheduler_may_start_the_function_and_keep_what_failed(
    deployment: Deployment,
) -> None:
    scheduler = deployment.role("scheduler")
    sqs = deployment.client("sqs")
    url = sqs.create_queue(QueueName=f"{deployment.name}-sweeps-dead")["QueueUrl"]
    scheduler.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    s3 = scheduler.client("s3")
    assert is_refused(lambda: s3.list_objects_v2(Bucket=deployment.buckets.source))
    assert is_refused(lambda: scheduler.client("lambda").invoke(FunctionName="another-function"))
    assert is_refused(lambda: scheduler.client("sqs").receive_message(QueueUrl=url))


def test_batch_operations_reads_manifests_and_writes_reports(deployment: Deployment) -> None:
    buckets = deployment.buckets
    s3 = deployment.role("batch").client("s3")
    buckets.put("a")
    buckets.put_there("frogmove-batch/manifest.csv", "a")
    here, there = buckets.source, buckets.destination
    assert s3.get_object(Bucket=there, Key="frogmove-batch/manifest.csv")["ETag"]
    s3.put_object(Bucket=there, Key="frogmove-batch/report.csv")
    refused: list[Callable[[], object]] = [
        lambda: s3.get_object(Bucket=there, Key="a"),
        lambda: s3.put_object(Bucket=there, Key="a"),
        lambda: s3.delete_object(Bucket=there, Key="frogmove-batch/manifest.csv"),
        lambda: s3.get_object(Bucket=here, Key="a"),
        lambda: s3.delete_object(Bucket=here, Key="a"),
        lambda: s3.list_objects_v2(Bucket=there),
    ]
    assert [index for index, request in enumerate(refused) if not is_refused(request)] == []


def test_buckets_answer_nothing_without_tls(deployment: Deployment) -> None:
    """ministack speaks plain HTTP, which is what the buckets' policies refuse."""
    buckets = deployment.buckets
    buckets.put_there("a")
    s3 = deployment.person("readers").client("s3")
    assert s3.get_object(Bucket=buckets.destination, Key="a")["ETag"]
    policy = deployment.plan.resources['aws_s3_bucket_policy.this["destination"]']
    buckets.client.put_bucket_policy(Bucket=buckets.destination, Policy=policy["policy"])
    assert is_refused(lambda: s3.get_object(Bucket=buckets.destination, Key="a"))


def test_scheduler_alone_takes_on_its_role(deployment: Deployment) -> None:
    """Not even an administrator of the account does, as the trust names another."""
    name = deployment.create_role("scheduler")
    arn = deployment.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    sts = deployment.client("sts")
    assert is_refused(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="test"))
