"""Credentials that expire while a run is in flight."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from frogmove.core.run_spec import RunSpec
from frogmove.s3.boto import BotoS3
from frogmove.s3.errors import S3Error
from tests import fault_proxy as faults
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_fixture import FaultFixture, limits_of_few_retries
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, Request
from tests.request_hooks import ALWAYS, Reply, RequestHooks, refusal

if TYPE_CHECKING:
    from tests import request_hooks
    from tests.buckets import Buckets
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
    reported = fault_fixture.frogmove.environment().items()
    environment = {name: value for name, value in reported if name not in CREDENTIALS}
    monkeypatch.setattr(FrogmoveRunner, "environment", lambda _: environment)
    _become(monkeypatch, old)

    def decide(request: Request) -> Fault:
        if old[0] not in request.headers["authorization"]:
            return PASS
        if not any(fault_fixture.proxy.of(operation)[(operation == "CopyObject") * 4 :]):
            return PASS
        # As a helper that renews a session does, before the old one is refused.
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


# aws-cli#6709, s5cmd#678: credentials that expire in a long run fail all that is left.
def test_credentials_that_expire_are_read_anew_once_and_the_run_goes_on(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    keys = [f"{number:02}" for number in range(20)]
    seaweedfs_buckets.put(*keys)
    served = iter(range(ALWAYS))

    def expire(request: request_hooks.Request) -> Reply | None:
        expired = request.client == 0 and request.operation != "HeadObject" and next(served) > 6
        return refusal(400, "ExpiredToken") if expired else None

    hooks.serve(expire)
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(keys, "moved"))
    assert hooks.clients == 2
    assert (seaweedfs_buckets.here(), sorted(seaweedfs_buckets.there())) == ({}, keys)


def test_credentials_that_cannot_be_renewed_end_the_run_and_nothing_is_lost(
    seaweedfs_buckets: Buckets, hooks: RequestHooks
) -> None:
    keys = [f"{number:02}" for number in range(20)]
    seaweedfs_buckets.put(*keys)
    hooks.answer("CopyObject", refusal(400, "ExpiredToken"), skip=3, times=ALWAYS)
    ran = FrogmoveRunner(seaweedfs_buckets)("move", "--all", "-o", "json", "--concurrency", "2")
    assert ran.code == 1
    assert "ended early" in ran.err
    assert len(hooks.of("CopyObject")) < 12
    here, there = seaweedfs_buckets.here(), seaweedfs_buckets.there()
    assert sorted(here | there) == keys
    assert all(body == key.encode() for key, body in (here | there).items())


class _Client:
    """Answers as its credentials let it."""

    def __init__(self, code: str = "") -> None:
        self.code = code
        self.meta = MagicMock(endpoint_url="http://127.0.0.1:9")

    def put_object(self, **_: object) -> dict[str, str]:
        if self.code:
            answer: Any = {"Error": {"Code": self.code}, "ResponseMetadata": {}}
            raise ClientError(answer, "PutObject")
        return {"ETag": '"e"'}

    def close(self) -> None:
        """Have no connections to end."""


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"])
def test_credentials_are_renewed_after_each_code_for_expired(code: str) -> None:
    made: list[_Client] = []

    def renew() -> Any:
        made.append(_Client())
        return made[-1]

    s3 = BotoS3(_Client(code), 4, renew)  # type: ignore[arg-type]
    answers = [s3.put("bucket", "key", b"") for _ in range(8)]
    assert {answer.result().etag for answer in answers} == {"e"}
    assert len(made) == 1
    s3.close()


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "AccessDenied"])
def test_credentials_are_not_renewed_where_that_does_not_help(code: str) -> None:
    def renew() -> Any:
        raise AssertionError

    s3 = BotoS3(_Client(code), 1, renew)  # type: ignore[arg-type]
    with pytest.raises(S3Error):
        s3.put("bucket", "key", b"").result()
    s3.close()
