"""An incident: an infected upload, another replaced after its scan, and a function that breaks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.packaging.function_zip import build_package
from tests.aws_events import PLAN, scan_result

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from tests.local_aws.conftest import Eventually

CLEAN = "GuardDutyMalwareScanStatus=NO_THREATS_FOUND"


def set_variables(clients: Clients, stack: Stack, **variables: str) -> None:
    name = stack.config.name
    there = clients.functions.get_function_configuration(FunctionName=name)
    given = there["Environment"]["Variables"] | variables
    clients.functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": given}
    )


def allow(clients: Clients, stack: Stack, quarantine: str) -> None:
    """Let the function write to the quarantine, as the module does."""
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{quarantine}{under}"}
        for under in ("", "/*")
    ]
    clients.iam.put_role_policy(
        RoleName=stack.config.name,
        PolicyName="quarantine",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )


def scan(clients: Clients, stack: Stack, key: str, status: str) -> dict[str, Any]:
    """Return what GuardDuty would report of what the source holds now."""
    bucket = stack.config.source_bucket
    head = clients.s3.head_object(Bucket=bucket, Key=key)
    return scan_result(bucket, key, head["ETag"].strip('"'), head["VersionId"], status)


def keys(clients: Clients, bucket: str) -> list[str]:
    """Return a bucket's keys, but for those that ask what a server other than AWS honours."""
    listed = clients.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return [each["Key"] for each in listed if ".frogmove-probe-" not in each["Key"]]


def contents(clients: Clients, bucket: str) -> dict[str, bytes]:
    return {
        key: clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in keys(clients, bucket)
    }


def test_only_what_was_scanned_arrives_whatever_happens_meanwhile(
    clients: Clients, stack_config: StackConfig, eventually: Eventually
) -> None:
    stack = build_stack(clients, build_package(), replace(stack_config, tries=100))
    source, destination = stack.config.source_bucket, stack.config.destination_bucket
    aside = f"aside-{stack.config.name}"
    clients.s3.create_bucket(Bucket=aside)
    clients.s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Enabled"})
    allow(clients, stack, aside)
    gate = {
        "FROGMOVE_REQUIRE_TAG": CLEAN,
        "FROGMOVE_SCAN_PLAN": PLAN,
        "FROGMOVE_QUARANTINE": f"s3://{aside}/threats/",
    }
    set_variables(clients, stack, **gate)
    connect(clients, stack)

    def upload(key: str, body: bytes) -> None:
        clients.s3.put_object(Bucket=source, Key=key, Body=body)

    def report(*events: dict[str, Any]) -> None:
        for event in events:
            clients.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=json.dumps(event))

    def is_idle() -> bool:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = clients.sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=names)
        return not any(int(count) for count in answer["Attributes"].values())

    for key, body in (("good", b"good"), ("infected", b"evil"), ("replaced", b"first")):
        upload(key, body)
    eventually(is_idle)
    assert (len(contents(clients, source)), contents(clients, destination)) == (3, {})

    # The function is broken when the results come, twice, and one object is replaced after its own.
    set_variables(clients, stack, FROGMOVE_QUARANTINE="nowhere")
    first = scan(clients, stack, "replaced", "NO_THREATS_FOUND")
    upload("replaced", b"second")
    results = [
        first,
        scan(clients, stack, "good", "NO_THREATS_FOUND"),
        scan(clients, stack, "infected", "THREATS_FOUND"),
    ]
    report(*results, *results)
    set_variables(clients, stack, **gate)
    eventually(is_idle)
    assert contents(clients, destination) == {"good": b"good"}
    assert contents(clients, aside) == {"threats/infected": b"evil"}
    assert contents(clients, source) == {"replaced": b"second"}

    report(scan(clients, stack, "replaced", "NO_THREATS_FOUND"))
    eventually(lambda: not keys(clients, source))
    assert contents(clients, destination) == {"good": b"good", "replaced": b"second"}
    assert contents(clients, aside) == {"threats/infected": b"evil"}
    dead = clients.sqs.receive_message(QueueUrl=stack.dead_letter_url).get("Messages", [])
    assert dead == []
