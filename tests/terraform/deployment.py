"""The module's plan on ministack: its names, its policies, its people."""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from frogmove.core.models import Route
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.terraform.module import ACCOUNT, NAMES, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.servers import Server


MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Deployment:
    """A plan under names of its own on a server, with nothing created yet but the buckets.

    Attributes:
        server: a ministack, which keeps to policies and their conditions.
        plan: the plan, under the names of this deployment.
        name: of the function, and the beginning of other names.
        buckets: its buckets, as somebody who may do everything.
    """

    server: Server
    plan: Plan
    name: str
    buckets: Buckets

    @classmethod
    def make(cls, server: Server, plan: Plan) -> Deployment:
        """Create the buckets of a plan, under names that no other test knows."""
        buckets = Buckets.make(server)
        name = f"frogmove-{uuid.uuid4().hex[:8]}"
        account = server.session().client("sts", endpoint_url=server.endpoint_url)
        names = {
            NAMES["name"]: name,
            NAMES["source_bucket"]: buckets.source,
            NAMES["destination_bucket"]: buckets.destination,
            ACCOUNT: account.get_caller_identity()["Account"],
        }
        return cls(server, plan.named(names), name, buckets)

    @property
    def route(self) -> Route:
        """What the function moves along."""
        return Route(Location(self.buckets.source), Location(self.buckets.destination))

    def client(self, service: str) -> Any:
        """Return a boto3 client of somebody who may do everything."""
        session: Any = self.server.session()
        return session.client(service, endpoint_url=self.server.endpoint_url)

    def person(self, kind: str, lacking: str = "") -> Person:
        """Create a user who has one of the policies for people attached.

        Args:
            kind: the policy.
            lacking: a condition key that the server does not know, whose conditions are left out.
        """
        iam, user = self.client("iam"), f"{kind}-{uuid.uuid4().hex[:8]}"
        values = self.plan.resources[f"aws_iam_policy.{kind}"]
        # ministack evaluates conditions but fills in no variables.
        document = values["policy"].replace("${aws:username}", user)
        document = with_batch_actions(document)
        if lacking:
            document = without_condition(lacking, document)
        made = iam.create_policy(PolicyName=f"{values['name']}-{user}", PolicyDocument=document)
        iam.create_user(UserName=user)
        iam.attach_user_policy(UserName=user, PolicyArn=made["Policy"]["Arn"])
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return Person(
            user, self.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"]), None
        )

    def role(self, kind: str) -> Person:
        """Create one of the roles and take it on.

        Its trust names an AWS service, which nobody here is; so the copy that is taken on trusts
        this account.
        """
        iam = self.client("iam")
        name = self.create_role(kind)
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        key = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        server = self.server.spoken_to_as(key["AccessKeyId"], key["SecretAccessKey"])
        return Person(name, server, key["SessionToken"])

    def create_role(self, kind: str) -> str:
        """Create one of the roles with its policy, and return its name."""
        iam = self.client("iam")
        index = "" if kind == "function" else "[0]"
        role = self.plan.resources[f"aws_iam_role.{kind}{index}"]
        policy = self.plan.resources[f"aws_iam_role_policy.{kind}{index}"]
        iam.create_role(RoleName=role["name"], AssumeRolePolicyDocument=role["assume_role_policy"])
        iam.put_role_policy(
            RoleName=role["name"], PolicyName=policy["name"], PolicyDocument=policy["policy"]
        )
        return str(role["name"])


@dataclass(frozen=True, slots=True)
class Running:
    """A deployment whose resources have been created as planned.

    Attributes:
        deployment: the plan, and where.
        outputs: what ``terraform output -json`` would print.
    """

    deployment: Deployment
    outputs: dict[str, dict[str, Any]]

    def output(self, name: str) -> Any:
        """Return the value of an output."""
        return self.outputs[name]["value"]


def build(
    deployment: Deployment, package: bytes, *, is_deployer: bool = False, **environment: str
) -> Running:
    """Create what is planned by the calls that the AWS provider makes, but for the notification.

    Some things are as this server needs them: the queue does not refuse requests without TLS, as
    notifications come without here; the runtime is its own interpreter, which has
    boto3 without a layer; the role may also remove the throw-away keys by which a server other
    than AWS is asked what it honours; messages are hidden for a second only; and no
    more than two workers are started, each of which is a process here.

    Args:
        deployment: the plan, and where.
        package: the function's zip.
        is_deployer: whether the calls are made by the deployer, who gives the role no more than
            is planned.
        environment: variables of the function that are to be otherwise than planned.
    """
    plan, buckets = deployment.plan.resources, deployment.buckets
    (versioning,) = plan['aws_s3_bucket_versioning.this["destination"]']["versioning_configuration"]
    buckets.client.put_bucket_versioning(
        Bucket=buckets.destination, VersioningConfiguration={"Status": versioning["status"]}
    )
    queues = _queues(deployment)
    role = deployment.create_role("function")
    if "aws_iam_role.quarantine[0]" in plan:
        deployment.create_role("quarantine")
    if not is_deployer:
        _allow_throw_away_keys(deployment, role)
    alias, version = _function(deployment, role, package, environment)
    mapping = plan["aws_lambda_event_source_mapping.uploads"]
    deployment.client("lambda").create_event_source_mapping(
        EventSourceArn=queues["uploads"][1],
        FunctionName=alias,
        Enabled=mapping["enabled"],
        BatchSize=mapping["batch_size"],
        ScalingConfig={"MaximumConcurrency": 2},
        FunctionResponseTypes=mapping["function_response_types"],
    )
    values = deployment.plan.outputs | {
        "queue_url": queues["uploads"][0],
        "queue_arn": queues["uploads"][1],
        "dead_letter_url": queues["dead_letters"][0],
        "sweep_dead_letter_url": queues["sweep_dead_letters"][0],
        "function_arn": alias,
        "function_version": version,
    }
    return Running(deployment, {name: {"value": value} for name, value in values.items()})


def connect(running: Running) -> None:
    """Set the planned notification of the source bucket."""
    deployment = running.deployment
    (planned,) = deployment.plan.resources["aws_s3_bucket_notification.uploads[0]"]["queue"]
    deployment.buckets.client.put_bucket_notification_configuration(
        Bucket=deployment.buckets.source,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": planned["id"],
                    "QueueArn": running.output("queue_arn"),
                    "Events": planned["events"],
                }
            ]
        },
    )


def _queues(deployment: Deployment) -> dict[str, tuple[str, str]]:
    sqs, plan = deployment.client("sqs"), deployment.plan.resources
    queues = {}
    for kind in ("uploads", "dead_letters", "sweep_dead_letters"):
        url = sqs.create_queue(QueueName=plan[f"aws_sqs_queue.{kind}"]["name"])["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        queues[kind] = (url, answer["Attributes"]["QueueArn"])
    redrive = json.loads(plan["aws_sqs_queue_redrive_policy.uploads"]["redrive_policy"])
    policy = deployment.plan.policy("aws_sqs_queue_policy.uploads")
    policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    sqs.set_queue_attributes(
        QueueUrl=queues["uploads"][0],
        Attributes={
            "VisibilityTimeout": "1",
            "RedrivePolicy": json.dumps(redrive),
            "Policy": json.dumps(policy),
        },
    )
    return queues


def _allow_throw_away_keys(deployment: Deployment, role: str) -> None:
    throw_away = {
        "Effect": "Allow",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": f"arn:aws:s3:::{deployment.buckets.destination}/*",
    }
    deployment.client("iam").put_role_policy(
        RoleName=role,
        PolicyName="not-on-aws",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [throw_away]}),
    )


def _function(
    deployment: Deployment, role: str, package: bytes, environment: Mapping[str, str]
) -> tuple[str, str]:
    functions, iam = deployment.client("lambda"), deployment.client("iam")
    planned = deployment.plan.resources["aws_lambda_function.move"]
    (variables,) = planned["environment"]
    functions.create_function(
        FunctionName=planned["function_name"],
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=iam.get_role(RoleName=role)["Role"]["Arn"],
        Handler=planned["handler"],
        Code={"ZipFile": package},
        Timeout=planned["timeout"],
        MemorySize=planned["memory_size"],
        Environment={"Variables": variables["variables"] | environment},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=planned["function_name"])
    version = functions.publish_version(FunctionName=planned["function_name"])["Version"]
    alias = functions.create_alias(
        FunctionName=planned["function_name"],
        Name=deployment.plan.resources["aws_lambda_alias.live"]["name"],
        FunctionVersion=version,
    )
    return alias["AliasArn"], version


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with the rights of one policy.

    Attributes:
        name: of the user or the role.
        server: the server, spoken to as this one.
        token: of a role's session.
    """

    name: str
    server: Server
    token: str | None

    def session(self) -> boto3.Session:
        """Return a boto3 session of this one."""
        return boto3.Session(
            self.server.access_key, self.server.secret_key, self.token, region_name="us-east-1"
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client of this one."""
        session: Any = self.session()
        return session.client(service, endpoint_url=self.server.endpoint_url)

    def environment(self) -> dict[str, str]:
        """Return the variables that make frogmove this one."""
        token = {} if self.token is None else {"AWS_SESSION_TOKEN": self.token}
        return self.server.environment() | token


# The actions of SQS that also allow the requests for several messages.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
_WITH_BATCH = {"sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}


def with_batch_actions(document: str) -> str:
    """Return a policy that allows batch requests by the names that ministack has for them."""
    policy = json.loads(document)
    for statement in policy["Statement"]:
        named = statement["Action"]
        actions = [named] if isinstance(named, str) else named
        more = sorted(f"{action}Batch" for action in actions if action in _WITH_BATCH)
        statement["Action"] = [*actions, *more]
    return json.dumps(policy)


def without_condition(key: str, document: str) -> str:
    """Return a policy without the conditions of those statements that ask for a key."""
    policy = json.loads(document)
    for statement in policy["Statement"]:
        if any(key in tests for tests in statement.get("Condition", {}).values()):
            del statement["Condition"]
    return json.dumps(policy)


def allowed(document: dict[str, Any]) -> set[str]:
    """Return the actions that a policy allows on anything."""
    actions: set[str] = set()
    for statement in document["Statement"]:
        named = statement["Action"]
        actions |= {named} if isinstance(named, str) else set(named)
    return actions


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
    """Upload 6 MiB with tags and an annotation.

    Without a checksum: ministack keeps none of the whole over a copy in parts.
    """
    session: Any = deployment.server.session()
    plain = Config(request_checksum_calculation="when_required")
    client = session.client("s3", endpoint_url=deployment.server.endpoint_url, config=plain)
    client.put_object(
        Bucket=deployment.buckets.source, Key=key, Body=bytes(6 * MIB), Tagging="kind=report"
    )
    annotate(deployment, key)


def annotate(deployment: Deployment, key: str) -> None:
    """Give an object at the source an annotation."""
    deployment.buckets.client.put_object_annotation(
        Bucket=deployment.buckets.source,
        Key=key,
        AnnotationName="summary",
        AnnotationPayload=b"a pond",
    )


def is_annotated(deployment: Deployment, key: str) -> bool:
    """Tell whether an object at the destination has that annotation."""
    answer = deployment.buckets.client.get_object_annotation(
        Bucket=deployment.buckets.destination, Key=key, AnnotationName="summary"
    )
    payload: bytes = answer["AnnotationPayload"].read()
    return payload == b"a pond"
