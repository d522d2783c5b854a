"""Credentials that expire while a run is in flight."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from frogmove.core.run_spec import RunSpec
from tests import fault_proxy as faults
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import FaultFixture, limits_of_few_retries
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request

if TYPE_CHECKING:
    from tests.servers import Server

BODIES = {f"{number:02}": f"{number:02}".encode() for number in range(10)}
LARGE = b"more than one part" * 400_000
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def fault_fixture(
    fault_fixture: FaultFixture, engine: str, monkeypatch: pytest.MonkeyPatch
) -> FaultFixture:
    monkeypatch.setattr(RunSpec, "limits", limits_of_few_retries)
    fault_fixture.buckets.put(*BODIES)
    return fault_fixture


@pytest.mark.parametrize("operation", ["CopyObject", "HeadObject", "DeleteObjects"])
def test_credentials_that_expire_in_the_middle_are_read_anew(
    fault_fixture: FaultFixture, operation: str, seaweedfs: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its HEAD comes when copies have been made, and a HEAD's refusal does not say why.
    fault_fixture.buckets.put("10", body=LARGE)
    old, new = (
        _make_user(seaweedfs, f"{name}-{fault_fixture.buckets.source}") for name in ("old", "new")
    )
    # The operator's environment is the process's own, which changes in flight.
    told = fault_fixture.frogmove.environment().items()
    environment = {name: value for name, value in told if name not in CREDENTIALS}
    monkeypatch.setattr(FrogmoveRunner, "environment", lambda _: environment)
    _become(monkeypatch, old)

    def decide(request: Request) -> Fault:
        if old[0] not in request.headers["authorization"]:
            return PASS
        if not any(fault_fixture.proxy.of(operation)[(operation == "CopyObject") * 4 :]):
            return PASS
        # As whoever renews an operator's session does, before the old one is refused.
        _become(monkeypatch, new)
        return faults.EXPIRED

    fault_fixture.proxy.schedule = decide
    limits = ["--concurrency", "2", "--multipart-threshold", "5MiB"]
    ran = fault_fixture.frogmove("move", "--all", "-o", "json", *limits)
    bodies = BODIES | {"10": LARGE}
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(bodies, "moved")), ran
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, bodies)
    users = [
        each.headers["authorization"] for each in fault_fixture.proxy.of("CopyObject", operation)
    ]
    assert any(old[0] in each for each in users)
    assert any(new[0] in each for each in users)


def _become(monkeypatch: pytest.MonkeyPatch, user: tuple[str, str]) -> None:
    for name, value in zip(CREDENTIALS, user, strict=True):
        monkeypatch.setenv(name, value)


def _make_user(server: Server, name: str) -> tuple[str, str]:
    iam = server.iam()
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    user = made["AccessKeyId"], made["SecretAccessKey"]
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not _is_known(server.spoken_to_as(*user)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return user


def _is_known(server: Server) -> bool:
    """Tell whether a user can do anything yet: new ones are told of from place to place."""
    try:
        server.client().list_buckets()
    except ClientError:
        return False
    return True


def test_credentials_that_stay_expired_end_the_run_and_say_so(fault_fixture: FaultFixture) -> None:
    fault_fixture.proxy.schedule = lambda request: (
        faults.EXPIRED if request.number > 20 and fault_fixture.sent("CopyObject") > 3 else PASS
    )
    ran = fault_fixture.frogmove("move", "--all", "--concurrency", "1")
    assert ran.code == 1
    assert "ExpiredToken" in ran.err
    assert "resume" in ran.err
    assert {**fault_fixture.buckets.here(), **fault_fixture.buckets.there()} == BODIES
    fault_fixture.proxy.reset()
    assert fault_fixture.frogmove("move", "--all").code == 0
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, BODIES)
