"""The automatic move, from an upload to the other bucket, with nothing replaced by a double."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from frogmove.errors import RunError
from frogmove.local_aws.clients import Clients, clients_for
from frogmove.local_aws.server import Server
from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.packaging.function_zip import build_package
from tests.local_aws.conftest import Eventually

KEYS = (
    "reports/2026 été+1%.csv",
    "photos/🐸.jpg",
    "logs//app.log",
    "/leading",
    "trailing ",
    "a&b=c?#.txt",
    "esc\x1b[31m.pdf",
    "[bold]x[/bold]",
)


@pytest.fixture
def stack(clients: Clients, stack_config: StackConfig) -> Stack:
    return build_stack(clients, build_package(), stack_config)


def _contents(clients: Clients, bucket: str) -> dict[str, bytes]:
    contents = {}
    for entry in clients.s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        try:
            answer = clients.s3.get_object(Bucket=bucket, Key=entry["Key"])
        except ClientError as error:
            # The function is at work meanwhile: what was listed may be gone.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        else:
            contents[entry["Key"]] = answer["Body"].read()
    return contents


def _upload(clients: Clients, stack: Stack, key: str, body: bytes) -> None:
    clients.s3.put_object(Bucket=stack.config.source_bucket, Key=key, Body=body)


def _has_moved(clients: Clients, stack: Stack, files: dict[str, bytes]) -> Callable[[], bool]:
    return lambda: (
        _contents(clients, stack.config.source_bucket) == {}
        and _contents(clients, stack.config.destination_bucket) == files
    )


def _waiting(clients: Clients, url: str) -> int:
    """How many messages a queue holds, hidden ones included."""
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(count) for count in answer["Attributes"].values())


def _dead_letters(clients: Clients, stack: Stack) -> list[str]:
    # Visible at once again, so that a second look finds them too.
    answer = clients.sqs.receive_message(
        QueueUrl=stack.dead_letter_url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [message["Body"] for message in answer.get("Messages", ())]


def _notification(bucket: str, key: str) -> str:
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": 1, "eTag": "0" * 32, "sequencer": "01"},
        },
    }
    return json.dumps({"Records": [record]})


def test_upload_is_moved_by_the_lambda(
    clients: Clients, stack: Stack, eventually: Eventually
) -> None:
    connect(clients, stack)
    files = {key: key.encode() for key in KEYS}
    for key, body in files.items():
        _upload(clients, stack, key, body)
    eventually(_has_moved(clients, stack, files))
    eventually(lambda: _waiting(clients, stack.queue_url) == 0)
    assert _waiting(clients, stack.dead_letter_url) == 0


def test_upload_stays_until_the_notification_is_connected(
    clients: Clients, stack: Stack, eventually: Eventually
) -> None:
    _upload(clients, stack, "early", b"1")
    connect(clients, stack)
    _upload(clients, stack, "late", b"2")
    eventually(lambda: "late" in _contents(clients, stack.config.destination_bucket))
    eventually(lambda: _waiting(clients, stack.queue_url) == 0)
    assert _contents(clients, stack.config.source_bucket) == {"early": b"1"}


def test_object_with_metadata_and_tags_arrives_with_them(
    clients: Clients, stack: Stack, eventually: Eventually
) -> None:
    connect(clients, stack)
    clients.s3.put_object(
        Bucket=stack.config.source_bucket,
        Key="tagged",
        Body=b"x",
        ContentType="text/csv",
        Metadata={"pond": "north"},
        Tagging="kind=report",
    )
    eventually(_has_moved(clients, stack, {"tagged": b"x"}))
    bucket = stack.config.destination_bucket
    head = clients.s3.head_object(Bucket=bucket, Key="tagged")
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"pond": "north"})
    tags = clients.s3.get_object_tagging(Bucket=bucket, Key="tagged")["TagSet"]
    assert tags == [{"Key": "kind", "Value": "report"}]


@pytest.mark.matrix
@pytest.mark.parametrize("poison", ["garbage", _notification("a-foreign-bucket", "key")])
def test_message_that_is_poisoned_ends_in_the_dead_letter_queue(
    clients: Clients, stack: Stack, eventually: Eventually, poison: str
) -> None:
    connect(clients, stack)
    clients.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=poison)
    _upload(clients, stack, "neighbour", b"fine")
    eventually(_has_moved(clients, stack, {"neighbour": b"fine"}))
    eventually(lambda: _dead_letters(clients, stack) == [poison])
    eventually(lambda: _waiting(clients, stack.queue_url) == 0)


@pytest.mark.matrix
def test_message_that_is_poisoned_waits_for_no_visibility_timeout(
    clients: Clients, stack_config: StackConfig, eventually: Eventually
) -> None:
    """The function itself asks the queue to deliver it again, by its role's right."""
    stack = build_stack(clients, build_package(), replace(stack_config, visibility_seconds=600))
    connect(clients, stack)
    clients.sqs.send_message(QueueUrl=stack.queue_url, MessageBody="garbage")
    eventually(lambda: _dead_letters(clients, stack) == ["garbage"])


def test_message_that_is_poisoned_does_not_fail_its_batch(
    clients: Clients, stack: Stack, eventually: Eventually
) -> None:
    """All three in one batch: sent at once, before the mapping can have taken the first."""
    source = stack.config.source_bucket
    _upload(clients, stack, "one", b"1")
    _upload(clients, stack, "two", b"2")
    bodies = (_notification(source, "one"), "garbage", _notification(source, "two"))
    clients.sqs.send_message_batch(
        QueueUrl=stack.queue_url,
        Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)],
    )
    eventually(_has_moved(clients, stack, {"one": b"1", "two": b"2"}))
    eventually(lambda: _dead_letters(clients, stack) == ["garbage"])


@pytest.mark.matrix
def test_stacks_live_side_by_side_on_one_server(
    clients: Clients, stack: Stack, eventually: Eventually
) -> None:
    unique = uuid.uuid4().hex[:12]
    stack_config = StackConfig(f"external-{unique}", f"internal-{unique}", f"frogmove-{unique}")
    other = build_stack(clients, build_package(), stack_config)
    connect(clients, stack)
    connect(clients, other)
    _upload(clients, stack, "mine", b"1")
    _upload(clients, other, "yours", b"2")
    eventually(_has_moved(clients, stack, {"mine": b"1"}))
    eventually(_has_moved(clients, other, {"yours": b"2"}))


def test_destination_alone_is_versioned(clients: Clients, stack: Stack) -> None:
    stack_config = stack.config
    assert "Status" not in clients.s3.get_bucket_versioning(Bucket=stack_config.source_bucket)
    status = clients.s3.get_bucket_versioning(Bucket=stack_config.destination_bucket)["Status"]
    assert status == "Enabled"


def test_queue_takes_messages_of_this_bucket_and_account_alone(
    clients: Clients, stack: Stack
) -> None:
    answer = clients.sqs.get_queue_attributes(
        QueueUrl=stack.queue_url, AttributeNames=["Policy", "RedrivePolicy", "VisibilityTimeout"]
    )["Attributes"]
    (statement,) = json.loads(answer["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{stack.config.source_bucket}"},
        "StringEquals": {"aws:SourceAccount": stack.queue_arn.split(":")[4]},
    }
    redrive = json.loads(answer["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == stack.dead_letter_arn
    assert int(redrive["maxReceiveCount"]) == stack.config.tries
    assert int(answer["VisibilityTimeout"]) == stack.config.visibility_seconds


def test_function_answers_for_single_messages(clients: Clients, stack: Stack) -> None:
    (mapping,) = clients.functions.list_event_source_mappings(FunctionName=stack.config.name)[
        "EventSourceMappings"
    ]
    assert mapping["EventSourceArn"] == stack.queue_arn
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def _as_the_function(server: Server, stack: Stack) -> Any:
    """Make an S3 client that may do what the function may do."""
    role = boto3.client(
        "sts",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).assume_role(RoleArn=stack.role_arn, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )


@pytest.mark.parametrize(
    ("operation", "side"),
    [("put_object", "source"), ("delete_bucket", "source"), ("get_object_acl", "destination")],
)
def test_function_may_do_no_more_than_move(
    server: Server, clients: Clients, stack: Stack, operation: str, side: str
) -> None:
    bucket = getattr(stack.config, f"{side}_bucket")
    arguments = {"Bucket": bucket} | ({} if operation == "delete_bucket" else {"Key": "x"})
    clients.s3.put_object(Bucket=stack.config.destination_bucket, Key="x")
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(_as_the_function(server, stack), operation)(**arguments)


def test_name_that_is_taken_is_reported(clients: Clients, stack: Stack) -> None:
    with pytest.raises(RunError, match="creating the stack") as caught:
        build_stack(clients, build_package(), stack.config)
    assert ".[local]" in caught.value.remedy


def test_server_that_is_gone_is_reported() -> None:
    gone = clients_for("http://127.0.0.1:9")
    with pytest.raises(RunError, match="creating the stack"):
        build_stack(gone, build_package())


@pytest.mark.matrix
def test_handler_that_cannot_be_imported_moves_nothing(
    clients: Clients, stack_config: StackConfig, eventually: Eventually
) -> None:
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        # A package of its own: without this the installed frogmove would be found instead.
        archive.writestr("frogmove/__init__.py", "")
        archive.writestr("frogmove/lambda_handler.py", "raise ImportError('no pond')")
    stack = build_stack(clients, broken.getvalue(), stack_config)
    connect(clients, stack)
    _upload(clients, stack, "stays", b"1")
    eventually(lambda: any("stays" in body for body in _dead_letters(clients, stack)))
    assert _contents(clients, stack.config.source_bucket) == {"stays": b"1"}


def test_settings_of_the_user_are_not_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "not-this")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "nor-this")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert "Buckets" in clients_for(server.endpoint_url).s3.list_buckets()
