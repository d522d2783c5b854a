"""The module's policies, given to real users and roles on a server that keeps to them.

ministack checks action, resource and conditions of every request; it fills in no policy variables
(``${aws:username}`` is written out here) and has no S3 Batch Operations and no Scheduler. Who may
take on a role, and under which conditions, is asserted on the documents by
``terraform/tests/policies.tftest.hcl``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from frogmove.cloud.permissions import role_policy
from tests.aws_events import batch, message, notification
from tests.cli.operator import ROOT, Operator, run
from tests.terraform.deployment import Deployment, Person, allowed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.operator import Ran
    from tests.servers import Server
    from tests.terraform.module import Plan

MIB = 1024 * 1024


@pytest.fixture
def deployment(ministack: Server, plan: Plan) -> Deployment:
    return Deployment.make(ministack, plan)


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


def is_refused(request: Callable[[], object]) -> bool:
    """Tell whether a request is refused for want of rights; it has to be answered."""
    try:
        request()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "403"}:
            return True
        raise
    return False


def put_large(deployment: Deployment, key: str) -> None:
    """Upload 6 MiB, without a checksum: ministack keeps none of the whole over a copy in parts."""
    session: Any = deployment.server.session()
    plain = Config(request_checksum_calculation="when_required")
    client = session.client("s3", endpoint_url=deployment.server.endpoint_url, config=plain)
    client.put_object(
        Bucket=deployment.buckets.source, Key=key, Body=bytes(6 * MIB), Tagging="kind=report"
    )


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
    assert "a.txt" in frogmove("ls", "--destination-side").out

    assert "reports/b.txt" in frogmove("report", "-o", "csv").out
    assert frogmove("resume").code == 0
    last = frogmove("runs", "-o", "json").records[-1]["id"]
    assert frogmove("undo", last).code == 0


def test_operators_bring_a_run_back(deployment: Deployment, frogmove: Callable[..., Ran]) -> None:
    buckets = deployment.buckets
    buckets.put("a.txt", "b.txt")
    assert frogmove("move", "--all").code == 0
    last = frogmove("runs", "-o", "json").records[-1]["id"]
    assert frogmove("undo", last).code == 0
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


# the function

# Run with the function's own rights alone. AWS is known to honour conditions; any other server is
# asked under throw-away keys, which the function's policy for AWS does not cover.
INVOKE = """
import json, sys
from frogmove import connection
connection.is_aws = lambda url: True
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


def test_the_function_moves_with_the_rights_it_has(deployment: Deployment) -> None:
    buckets = deployment.buckets
    function = deployment.role("function")
    buckets.put("a", "tagged", Tagging="kind=report")
    buckets.put_there("a", body=b"what was there before")
    event = batch(
        message("1", notification(buckets.source, "a")),
        message("2", notification(buckets.source, "tagged")),
        message("3", notification(buckets.source, "gone")),
    )
    assert invoke(deployment, function, event) == {"batchItemFailures": []}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"a", "tagged": b"tagged"})


def test_the_function_moves_a_large_object_in_parts(deployment: Deployment) -> None:
    buckets = deployment.buckets
    function = deployment.role("function")
    put_large(deployment, "large")
    event = batch(message("1", notification(buckets.source, "large")))
    sizes = {"FROGMOVE_MULTIPART_THRESHOLD": "5MiB", "FROGMOVE_PART_SIZE": "5MiB"}
    assert invoke(deployment, function, event, **sizes) == {"batchItemFailures": []}
    assert (set(buckets.here()), set(buckets.there())) == (set(), {"large"})


def test_the_function_moves_what_it_rarely_meets(deployment: Deployment) -> None:
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
    upload = s3.create_multipart_upload(Bucket=there, Key="a", Tagging="kind=report")["UploadId"]
    s3.upload_part_copy(
        Bucket=there, Key="a", UploadId=upload, PartNumber=1, CopySource=f"{here}/a"
    )
    assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=there)["Uploads"]]
    assert len(s3.list_parts(Bucket=there, Key="a", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket=there, Key="a", UploadId=upload)
    s3.copy_object(Bucket=there, Key="a", CopySource=f"{here}/a")
    s3.put_object_tagging(Bucket=there, Key="a", Tagging={"TagSet": []})


def test_the_function_may_do_nothing_else(deployment: Deployment) -> None:
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


def test_the_function_may_what_it_may_on_the_embedded_aws(deployment: Deployment) -> None:
    """The two lists of actions are one, but for what only one of the two places has."""
    embedded = allowed(role_policy("source", "destination", "queue", "logs"))
    planned = allowed(deployment.plan.policy("aws_iam_role_policy.function"))
    # The throw-away keys of servers other than AWS; the module creates the log group itself.
    assert embedded - planned <= {"logs:CreateLogGroup", "s3:DeleteObjectVersion"}
    # Manifests of S3 Batch Operations may name versions; failed sweeps are kept.
    extra = {"s3:GetObjectVersion", "s3:GetObjectVersionTagging", "sqs:SendMessage"}
    in_parts = {"s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts"}
    assert planned - embedded <= extra | in_parts


# what serves the function


def test_the_scheduler_may_start_the_function_and_keep_what_failed(
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


def test_without_tls_nothing_is_answered(deployment: Deployment) -> None:
    """ministack speaks plain HTTP, which is what the buckets' policies refuse."""
    buckets = deployment.buckets
    buckets.put_there("a")
    s3 = deployment.person("readers").client("s3")
    assert s3.get_object(Bucket=buckets.destination, Key="a")["ETag"]
    policy = deployment.plan.resources['aws_s3_bucket_policy.this["destination"]']
    buckets.client.put_bucket_policy(Bucket=buckets.destination, Policy=policy["policy"])
    assert is_refused(lambda: s3.get_object(Bucket=buckets.destination, Key="a"))


def test_an_operator_without_the_policy_is_told(deployment: Deployment) -> None:
    """The tests above prove something only if rights are needed at all."""
    nobody = deployment.client("iam")
    nobody.create_user(UserName=f"nobody-{deployment.name}")
    key = nobody.create_access_key(UserName=f"nobody-{deployment.name}")["AccessKey"]
    server = deployment.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
    deployment.buckets.put("a")
    somebody = Operator(type(deployment.buckets)(server, None, deployment.buckets.source, "x" * 9))
    assert somebody("ls").code == 2
