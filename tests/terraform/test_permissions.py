"""The policies for people, given to real users on a server that keeps to them.

ministack checks action, resource and conditions of every request; it fills in no policy variables
(``${aws:username}`` is written out here), and has no S3 Batch Operations. What the documents say,
conditions included, is asserted by ``terraform/tests/policies.tftest.hcl``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.cli.cli_runner import FrogmoveRunner, run
from tests.terraform.deployment import Deployment, Person, is_annotated, is_refused, put_large

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.cli_runner import Ran


@pytest.fixture
def operator(deployment: Deployment) -> Person:
    return deployment.person("operators")


@pytest.fixture
def frogmove(deployment: Deployment, operator: Person, tmp_path: Path) -> Callable[..., Ran]:
    """The command line, run by an operator with the operators' policy and the module's file."""
    file = tmp_path / "config.toml"
    file.write_text(deployment.plan.outputs["config_toml"], "utf-8")
    environment: dict[str, str | None] = {**operator.environment(), "FROGMOVE_CONFIG": str(file)}

    def invoke(*arguments: str) -> Ran:
        return run(*arguments, environment=environment)

    return invoke


REDRIVE = ("sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:CancelMessageMoveTask")


def may(deployment: Deployment, kind: str, resource: str, *actions: str) -> set[str]:
    """Return which actions on a resource ministack's evaluator finds a policy to allow."""
    answer = deployment.client("iam").simulate_custom_policy(
        PolicyInputList=[deployment.plan.resources[f"aws_iam_policy.{kind}"]["policy"]],
        ActionNames=list(actions),
        ResourceArns=[resource],
    )
    return {
        result["EvalActionName"]
        for result in answer["EvaluationResults"]
        if result["EvalDecision"] == "allowed"
    }


# operators


def test_operators_run_every_command(deployment: Deployment, frogmove: Callable[..., Ran]) -> None:
    buckets = deployment.buckets
    buckets.put("a.txt", "reports/b.txt", Tagging="kind=report")

    assert "a.txt" in frogmove("ls").out
    assert frogmove("move", "--all", "--dry-run").code == 0
    assert frogmove("sync").code == 0
    assert frogmove("move", "--all").code == 0
    assert (buckets.here(), set(buckets.there())) == ({}, {"a.txt", "reports/b.txt"})
    assert "a.txt" in frogmove("ls", "--side", "destination").out

    assert "reports/b.txt" in frogmove("report", "-o", "csv").out
    assert frogmove("resume").code == 0
    last = frogmove("runs", "-o", "json").records[-1]["id"]
    assert frogmove("undo", last, "--while-live").code == 0


def test_operators_bring_a_run_back(deployment: Deployment, frogmove: Callable[..., Ran]) -> None:
    buckets = deployment.buckets
    buckets.put("a.txt", "b.txt")
    assert frogmove("move", "--all").code == 0
    last = frogmove("runs", "-o", "json").records[-1]["id"]
    assert frogmove("undo", last, "--while-live").code == 0
    assert (set(buckets.here()), buckets.there()) == ({"a.txt", "b.txt"}, {})


def test_operators_move_a_named_version(
    deployment: Deployment, frogmove: Callable[..., Ran]
) -> None:
    buckets = deployment.buckets
    buckets.version()
    first = buckets.client.put_object(Bucket=buckets.source, Key="a", Body=b"1")["VersionId"]
    buckets.put("a", body=b"2", Tagging="kind=report")
    assert frogmove("move", "a", "--version-id", first).code == 0
    assert (buckets.here(), buckets.there()) == ({"a": b"2"}, {"a": b"1"})


def test_operators_move_a_large_object_in_parts(
    deployment: Deployment, frogmove: Callable[..., Ran]
) -> None:
    buckets = deployment.buckets
    put_large(deployment, "large")
    assert frogmove("move", "large", "--multipart-threshold", "5MiB").code == 0
    assert (set(buckets.here()), set(buckets.there())) == (set(), {"large"})
    assert is_annotated(deployment, "large")


def test_operators_send_dead_letters_back(deployment: Deployment, operator: Person) -> None:
    sqs, theirs = deployment.client("sqs"), operator.client("sqs")
    names = (f"{deployment.name}-uploads", f"{deployment.name}-uploads-dead")
    url, dead_url = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in names)
    sqs.send_message(QueueUrl=dead_url, MessageBody="an upload")

    (letter,) = theirs.receive_message(QueueUrl=dead_url)["Messages"]
    theirs.send_message(QueueUrl=url, MessageBody=letter["Body"])
    theirs.delete_message(QueueUrl=dead_url, ReceiptHandle=letter["ReceiptHandle"])
    # ministack does not know which queue a task to move all of them is about, so its evaluator is
    # asked without the request.
    arn = theirs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    assert may(deployment, "operators", arn["Attributes"]["QueueArn"], *REDRIVE) == set(REDRIVE)
    assert is_refused(lambda: theirs.purge_queue(QueueUrl=dead_url))
    assert is_refused(lambda: theirs.delete_queue(QueueUrl=url))
    assert is_refused(lambda: theirs.set_queue_attributes(QueueUrl=url, Attributes={}))
    other = sqs.create_queue(QueueName=f"other-{deployment.name}")["QueueUrl"]
    assert is_refused(lambda: theirs.receive_message(QueueUrl=other))


def test_operators_look_at_both_buckets(deployment: Deployment, operator: Person) -> None:
    """What tells why something does not move, and what an interrupted large copy leaves."""
    buckets, s3 = deployment.buckets, operator.client("s3")
    buckets.version()
    for bucket in (buckets.source, buckets.destination):
        version = s3.put_object(Bucket=bucket, Key="a", Tagging="kind=report")["VersionId"]
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        s3.get_bucket_location(Bucket=bucket)
        for ask in (s3.get_bucket_website, s3.get_object_lock_configuration):
            with pytest.raises(ClientError, match=r"(?i)configuration"):
                ask(Bucket=bucket)
        assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        s3.get_bucket_notification_configuration(Bucket=bucket)
        s3.get_bucket_encryption(Bucket=bucket)
        with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
            s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        assert s3.list_object_versions(Bucket=bucket)["Versions"]
        assert s3.get_object_tagging(Bucket=bucket, Key="a", VersionId=version)["TagSet"]
        s3.put_object_tagging(Bucket=bucket, Key="a", Tagging={"TagSet": []})
        upload = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
        assert s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
        s3.list_parts(Bucket=bucket, Key="b", UploadId=upload)
        s3.abort_multipart_upload(Bucket=bucket, Key="b", UploadId=upload)


def test_operators_change_no_settings(deployment: Deployment, operator: Person) -> None:
    s3, bucket = operator.client("s3"), deployment.buckets.destination
    elsewhere = deployment.buckets.make(deployment.server)
    elsewhere.put("x")
    versioning = {"Status": "Suspended"}
    refused: list[Callable[[], object]] = [
        lambda: s3.put_bucket_policy(Bucket=bucket, Policy="{}"),
        lambda: s3.delete_bucket_policy(Bucket=bucket),
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning),
        lambda: s3.delete_bucket(Bucket=bucket),
        lambda: s3.put_object_acl(Bucket=bucket, Key="x", ACL="public-read"),
        lambda: s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={}
        ),
        lambda: s3.create_bucket(Bucket="another-bucket"),
        lambda: s3.list_objects_v2(Bucket=elsewhere.source),
        lambda: s3.get_object(Bucket=elsewhere.source, Key="x"),
        lambda: s3.delete_object(Bucket=elsewhere.source, Key="x"),
        lambda: operator.client("iam").create_user(UserName="me-too"),
        lambda: operator.client("lambda").delete_function(FunctionName=deployment.name),
        lambda: operator.client("lambda").invoke(FunctionName="another-function"),
    ]
    assert [index for index, request in enumerate(refused) if not is_refused(request)] == []


# readers and uploaders


def test_readers_read_the_destination_and_nothing_else(deployment: Deployment) -> None:
    buckets = deployment.buckets
    buckets.put("not yet")
    buckets.put_there("a", Tagging="kind=report")
    here, there = buckets.source, buckets.destination
    s3 = deployment.person("readers").client("s3")

    assert s3.get_object(Bucket=there, Key="a")["Body"].read() == b"a"
    assert s3.get_object_tagging(Bucket=there, Key="a")["TagSet"]
    assert s3.list_objects_v2(Bucket=there)["KeyCount"] == 1
    refused: list[Callable[[], object]] = [
        lambda: s3.delete_object(Bucket=there, Key="a"),
        lambda: s3.delete_objects(Bucket=there, Delete={"Objects": [{"Key": "a"}]}),
        lambda: s3.put_object(Bucket=there, Key="a"),
        lambda: s3.copy_object(Bucket=there, Key="b", CopySource=f"{there}/a"),
        lambda: s3.put_object_tagging(Bucket=there, Key="a", Tagging={"TagSet": []}),
        lambda: s3.list_object_versions(Bucket=there),
        lambda: s3.list_objects_v2(Bucket=here),
        lambda: s3.get_object(Bucket=here, Key="not yet"),
        lambda: s3.put_object(Bucket=here, Key="x"),
    ]
    # A batched delete may be refused key by key.
    assert [index for index, request in enumerate(refused) if not is_refused(request)] in ([], [1])
    assert set(buckets.there()) == {"a"}


def test_uploaders_write_under_their_own_name_and_nothing_else(deployment: Deployment) -> None:
    buckets = deployment.buckets
    here, there = buckets.source, buckets.destination
    uploader = deployment.person("uploaders")
    s3, mine, others = uploader.client("s3"), f"{uploader.name}/x", "somebody/x"
    buckets.put(others)

    s3.put_object(Bucket=here, Key=mine, Body=b"1")
    upload = s3.create_multipart_upload(Bucket=here, Key=mine)["UploadId"]
    part = s3.upload_part(Bucket=here, Key=mine, UploadId=upload, PartNumber=1, Body=b"2")
    s3.complete_multipart_upload(
        Bucket=here,
        Key=mine,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    given_up = s3.create_multipart_upload(Bucket=here, Key=mine)["UploadId"]
    s3.abort_multipart_upload(Bucket=here, Key=mine, UploadId=given_up)
    refused: list[Callable[[], object]] = [
        lambda: s3.put_object(Bucket=here, Key=others),
        lambda: s3.put_object(Bucket=here, Key="top"),
        lambda: s3.put_object(Bucket=here, Key=f"{uploader.name}2/x"),
        lambda: s3.get_object(Bucket=here, Key=mine),
        lambda: s3.delete_object(Bucket=here, Key=mine),
        lambda: s3.list_objects_v2(Bucket=here),
        lambda: s3.list_objects_v2(Bucket=here, Prefix=f"{uploader.name}/"),
        lambda: s3.copy_object(Bucket=here, Key=mine, CopySource=f"{here}/{others}"),
        lambda: s3.put_object_acl(Bucket=here, Key=mine, ACL="public-read"),
        lambda: s3.get_object(Bucket=there, Key="a"),
        lambda: s3.put_object(Bucket=there, Key=mine),
    ]
    assert [index for index, request in enumerate(refused) if not is_refused(request)] == []
    assert buckets.here() == {mine: b"2", others: others.encode()}


def test_person_without_a_policy_may_do_nothing(deployment: Deployment) -> None:
    """The tests above prove something only if rights are needed at all."""
    iam, name = deployment.client("iam"), f"nobody-{deployment.name}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    server = deployment.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
    deployment.buckets.put("a")
    somebody = FrogmoveRunner(replace(deployment.buckets, server=server))
    assert somebody("ls").code == 2
