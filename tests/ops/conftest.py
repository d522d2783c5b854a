"""The embedded AWS, as its own tests have it; one stack that is only looked at; operators."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from frogmove.local_aws.stack import Stack, StackConfig, build_stack, connect
from frogmove.ops.clients import Services
from frogmove.packaging.function_zip import build_package
from tests.local_aws.conftest import clients, eventually, server, stack_config

if TYPE_CHECKING:
    from frogmove.local_aws.clients import Clients
    from frogmove.local_aws.server import Server

__all__ = ["clients", "eventually", "server", "stack_config"]


@pytest.fixture(scope="session")
def quiet_stack(clients: Clients) -> Stack:
    """A connected stack for tests that upload nothing and change nothing."""
    unique = uuid.uuid4().hex[:12]
    config = StackConfig(f"external-{unique}", f"internal-{unique}", f"frogmove-{unique}")
    stack = build_stack(clients, build_package(), config)
    connect(clients, stack)
    return stack


@pytest.fixture
def services(server: Server, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Clients of somebody who may do everything."""
    for name, value in server.client_environment().items():
        monkeypatch.setenv(name, value)
    return Services()


def keys_of_user(clients: Clients, actions: list[str]) -> dict[str, str]:
    """Create a user who may do these things, and return the variables with the user's keys."""
    name = f"user-{uuid.uuid4().hex[:12]}"
    clients.iam.create_user(UserName=name)
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    clients.iam.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=policy)
    key = clients.iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
