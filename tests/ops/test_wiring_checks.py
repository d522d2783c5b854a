"""The path of an upload: notification, queue and its key, mapping, schedule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.local_aws.stack import Stack, build_stack
from frogmove.ops.check import State
from frogmove.ops.deployment import Deployment
from frogmove.ops.wiring_checks import WiringChecks, _accepts_uploads
from frogmove.packaging.function_zip import build_package
from frogmove.s3.uri import parse_location

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.stack import StackConfig
    from frogmove.ops.clients import Services
    from tests.servers import Server


def test_notification_about_other_keys_is_none(
    services: Services, clients: Clients, stack_config: StackConfig
) -> None:
    stack = build_stack(clients, build_package(), stack_config)
    source = parse_location(f"{stack.source}/in")
    for prefix, state in (("", "ok"), ("in/", "ok"), ("in/a", "ok"), ("out/", "broken")):
        rules: Any = [{"Name": "prefix", "Value": prefix}] if prefix else []
        clients.s3.put_bucket_notification_configuration(
            Bucket=source.bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": stack.queue_arn,
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {"Key": {"FilterRules": rules}},
                    }
                ]
            },
        )
        deployment = Deployment(stack.config.name, services)
        first = next(WiringChecks(clients.s3, source, deployment).checks())
        assert (prefix, first.state) == (prefix, state)


def test_notification_that_leaves_out_uploads_is_a_warning(
    services: Services, clients: Clients, stack_config: StackConfig
) -> None:
    stack = build_stack(clients, build_package(), stack_config)
    source = parse_location(stack.source)
    ways: list[Any] = ["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy", "s3:ObjectCreated:Post"]
    large = "s3:ObjectCreated:CompleteMultipartUpload"
    for events, state in (([*ways, large], "ok"), (ways, "warning")):
        clients.s3.put_bucket_notification_configuration(
            Bucket=source.bucket,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": stack.queue_arn, "Events": events}]
            },
        )
        deployment = Deployment(stack.config.name, services)
        first = next(WiringChecks(clients.s3, source, deployment).checks())
        assert (first.state, large in first.message) == (state, True)
    assert "s3:ObjectCreated:*" in first.remedy


@pytest.mark.parametrize(
    ("statement", "is_accepted"),
    [
        ({"Principal": {"Service": "s3.amazonaws.com"}}, True),
        ({"Principal": "*", "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}}, True),
        (
            {
                "Principal": {"AWS": "*"},
                "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:*"}},
            },
            False,
        ),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}}, True),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::c"}}}, False),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
    ],
)
def test_queue_policy_of_one_statement_is_read(
    statement: dict[str, Any], is_accepted: bool
) -> None:
    statement = {"Effect": "Allow"} | statement
    for statements in (statement, [statement]):
        assert _accepts_uploads(json.dumps({"Statement": statements}), "b") is is_accepted


def test_schedule_of_a_function_with_a_longer_name_is_another(
    services: Services, clients: Clients, quiet_stack: Stack
) -> None:
    deployment, source = (
        Deployment(quiet_stack.config.name, services),
        parse_location(quiet_stack.source),
    )
    there = deployment.schedule
    assert there is not None
    for ending, state in (("", "ok"), (":live", "ok"), ("-test", "broken"), ("-a:live", "broken")):
        there["Target"] = {"Arn": f"arn:aws:lambda:r:1:function:{deployment.name}{ending}"}
        *_, found = WiringChecks(clients.s3, source, deployment).checks()
        assert (found.name, ending, found.state) == ("schedule", ending, state)


@pytest.mark.parametrize("form", ["", "arn", "alias", "aws", "missing", "disabled"])
def test_key_of_the_queue_is_examined(
    services: Services,
    clients: Clients,
    quiet_stack: Stack,
    moto: Server,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", moto.endpoint_url)
    kms = services.client("kms")
    arn: str = kms.create_key()["KeyMetadata"]["Arn"]
    if form == "disabled":
        kms.disable_key(KeyId=arn.rpartition("/")[2])
    alias = f"alias/{arn[-12:]}/sqs"
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    deployment = Deployment(quiet_stack.config.name, services)
    keys = {"": None, "alias": alias, "aws": "alias/aws/sqs", "missing": "alias/none"}
    key = keys.get(form, arn)
    if key is not None:
        deployment.queue.attributes["KmsMasterKeyId"] = key
    source = parse_location(quiet_stack.source)
    found = [
        (each.state, each.remedy)
        for each in WiringChecks(clients.s3, source, deployment).checks()
        if each.name == "queue key"
    ]
    expected = {"": [], "arn": [State.OK], "alias": [State.OK]}.get(form, [State.BROKEN])
    assert [state for state, _ in found] == expected
    assert all(remedy for state, remedy in found if state is State.BROKEN)
