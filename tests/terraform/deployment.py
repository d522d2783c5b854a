"""The module's plan on ministack: its names, its policies, its people."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from frogmove.core.route import Route
from frogmove.s3.uri import Location
from tests.buckets import Buckets
from tests.terraform.module import ACCOUNT, NAMES, Plan

if TYPE_CHECKING:
    from tests.servers import Server


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
        return self.server.session().client(service, endpoint_url=self.server.endpoint_url)

    def person(self, kind: str) -> Person:
        """Create a user who has one of the policies for people attached."""
        iam, user = self.client("iam"), f"{kind}-{uuid.uuid4().hex[:8]}"
        values = self.plan.resources[f"aws_iam_policy.{kind}"]
        # ministack evaluates conditions but fills in no variables.
        document = values["policy"].replace("${aws:username}", user)
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
        return self.session().client(service, endpoint_url=self.server.endpoint_url)

    def environment(self) -> dict[str, str]:
        """Return the variables that make frogmove this one."""
        token = {} if self.token is None else {"AWS_SESSION_TOKEN": self.token}
        return self.server.environment() | token


def allowed(document: dict[str, Any]) -> set[str]:
    """Return the actions that a policy allows on anything."""
    actions: set[str] = set()
    for statement in document["Statement"]:
        named = statement["Action"]
        actions |= {named} if isinstance(named, str) else set(named)
    return actions
