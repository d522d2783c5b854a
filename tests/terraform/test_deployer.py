"""The deployer, with the policy that the module renders, on a server that enforces it."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.packaging.function_zip import build_package
from tests.terraform.deployment import Deployment, build, connect, is_refused, without_condition
from tests.terraform.evaluator import is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import Server
    from tests.terraform.module import Plan


@pytest.fixture
def deployer(ministack: Server, plan: Plan) -> Deployment:
    """A deployment whose every call is the deployer's.

    ministack knows no lambda:FunctionArn, takes DeleteAlias for ListAliases, and does not see
    what a CreateFunction or CreatePolicy is about.
    """
    made = Deployment.make(ministack, plan)
    iam, user = made.client("iam"), f"deployer-{uuid.uuid4().hex[:8]}"
    document = without_condition("lambda:FunctionArn", made.plan.outputs["deployer_policy"])
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="deploy", PolicyDocument=document)
    unknown = {
        "Effect": "Allow",
        "Action": ["lambda:CreateFunction", "lambda:ListAliases", "iam:CreatePolicy"],
        "Resource": "*",
    }
    iam.put_user_policy(
        UserName=user,
        PolicyName="not-on-aws",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [unknown]}),
    )
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = ministack.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
    buckets = replace(made.buckets, server=theirs, client=theirs.client())
    return replace(made, server=theirs, buckets=buckets)


def test_deployer_makes_everything_and_takes_it_down(deployer: Deployment) -> None:
    running = build(deployer, package=build_package(), is_deployer=True)
    connect(running)
    name, source = deployer.name, deployer.buckets.source
    s3 = deployer.buckets.client
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    s3.put_public_access_block(Bucket=source, PublicAccessBlockConfiguration=block)
    s3.put_bucket_tagging(Bucket=source, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})

    iam, scheduler = deployer.client("iam"), deployer.client("scheduler")
    for kind in ("uploaders", "readers", "operators"):
        planned = deployer.plan.resources[f"aws_iam_policy.{kind}"]
        made = iam.create_policy(PolicyName=planned["name"], PolicyDocument=planned["policy"])
        iam.get_policy(PolicyArn=made["Policy"]["Arn"])
        iam.delete_policy(PolicyArn=made["Policy"]["Arn"])
    role = deployer.create_role("scheduler")
    planned = deployer.plan.resources["aws_scheduler_schedule.sweep[0]"]
    scheduler.create_schedule(
        Name=planned["name"],
        ScheduleExpression=planned["schedule_expression"],
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": running.output("function_arn"),
            "RoleArn": iam.get_role(RoleName=role)["Role"]["Arn"],
        },
    )
    scheduler.delete_schedule(Name=planned["name"])

    functions, sqs = deployer.client("lambda"), deployer.client("sqs")
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    functions.delete_alias(FunctionName=name, Name="live")
    functions.delete_function(FunctionName=name)
    sqs.delete_queue(QueueUrl=running.output("queue_url"))
    s3.put_bucket_notification_configuration(Bucket=source, NotificationConfiguration={})
    s3.delete_bucket(Bucket=source)
    # From here on everything else would be refused, as it comes without TLS.
    rules = deployer.plan.resources['aws_s3_bucket_policy.this["destination"]']["policy"]
    s3.put_bucket_policy(Bucket=deployer.buckets.destination, Policy=rules)


def test_deployer_touches_nothing_else(deployer: Deployment, ministack: Server) -> None:
    iam, s3 = deployer.client("iam"), deployer.buckets.client
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    other = f"other-{deployer.name}"
    theirs = deployer.buckets.make(ministack)
    theirs.put("secret")
    deployer_can: list[Callable[[], Any]] = [
        lambda: iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust),
        lambda: iam.create_user(UserName=other),
        lambda: iam.create_group(GroupName=other),
        lambda: s3.delete_bucket(Bucket=theirs.destination),
        lambda: s3.get_object(Bucket=theirs.source, Key="secret"),
        lambda: s3.put_object(Bucket=deployer.buckets.source, Key="key"),
        lambda: deployer.client("sqs").create_queue(QueueName=other),
        lambda: deployer.client("lambda").delete_function(FunctionName=other),
    ]
    assert all(is_refused(request) for request in deployer_can)


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("lambda:CreateFunction", "lambda:us-east-1:123456789012:function:the-deployment", True),
        ("lambda:CreateFunction", "lambda:us-east-1:123456789012:function:other", False),
        ("iam:CreatePolicy", "iam::123456789012:policy/the-deployment-us-east-1-readers", True),
        ("iam:CreatePolicy", "iam::123456789012:policy/admins", False),
        ("iam:PutRolePolicy", "iam::123456789012:role/the-deployment-us-east-1-sweep", True),
        ("iam:PutRolePolicy", "iam::123456789012:role/admins", False),
        ("iam:AttachRolePolicy", "iam::123456789012:role/admins", False),
    ],
)
def test_deployer_makes_what_is_named_as_the_deployment(
    plan: Plan, action: str, resource: str, allowed: bool
) -> None:
    policy = json.loads(plan.outputs["deployer_policy"])
    who = "arn:aws:iam::123456789012:user/deployer"
    assert is_allowed(policy, who, action, f"arn:aws:{resource}") is allowed


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        ({}, True),
        ({"s3__x_amz_storage_class": "STANDARD_IA"}, True),
        ({"s3__x_amz_storage_class": "GLACIER_IR"}, True),
        ({"s3__x_amz_storage_class": "GLACIER"}, False),
        ({"s3__x_amz_storage_class": "DEEP_ARCHIVE"}, False),
        ({"s3__x_amz_server_side_encryption_customer_algorithm": "AES256"}, False),
        ({"s3__x_amz_server_side_encryption": "aws:kms"}, True),
        (
            {
                "s3__x_amz_server_side_encryption_aws_kms_key_id": (
                    "arn:aws:kms:us-east-1:210987654321:key/theirs"
                )
            },
            False,
        ),
    ],
)
def test_uploaders_cannot_send_what_cannot_be_moved(
    plan: Plan, keys: dict[str, str], allowed: bool
) -> None:
    policy = json.loads(
        plan.resources["aws_iam_policy.uploaders"]["policy"].replace("${aws:username}", "ana")
    )
    who, item = "arn:aws:iam::123456789012:user/ana", "arn:aws:s3:::the-source/ana/report.csv"
    assert is_allowed(policy, who, "s3:PutObject", item, **keys) is allowed
