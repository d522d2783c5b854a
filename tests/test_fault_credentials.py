"""Credentials that expire while a run is under way."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from frogmove.cli.policy import Policy
from tests import proxy as fates
from tests.cli.operator import Operator
from tests.proxy import PASS, PATIENCE, Fate, Request, proxied
from tests.scene import ENGINES, Scene, impatient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

BODIES = {f"{number:02}": f"{number:02}".encode() for number in range(10)}
LARGE = b"more than one part" * 400_000
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(params=ENGINES)
def scene(
    request: pytest.FixtureRequest, seaweedfs: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    monkeypatch.setenv("FROGMOVE_ENGINE", request.param)
    monkeypatch.setattr(Policy, "limits", impatient)
    with proxied(seaweedfs) as proxy:
        scene = Scene.make(seaweedfs, proxy)
        scene.buckets.put(*BODIES)
        yield scene


@pytest.mark.parametrize("operation", ["CopyObject", "HeadObject", "DeleteObjects"])
def test_credentials_that_expire_in_the_middle_are_read_anew(
    scene: Scene, operation: str, seaweedfs: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its HEAD comes when copies have been made, and a HEAD's refusal does not say why.
    scene.buckets.put("10", body=LARGE)
    old, new = (_make_user(seaweedfs, f"{name}-{scene.buckets.source}") for name in ("old", "new"))
    # The operator's environment is the process's own, which changes under way.
    told = scene.frogmove.environment().items()
    environment = {name: value for name, value in told if name not in CREDENTIALS}
    monkeypatch.setattr(Operator, "environment", lambda _: environment)
    _become(monkeypatch, old)

    def decide(request: Request) -> Fate:
        if old[0] not in request.headers["authorization"]:
            return PASS
        if not any(scene.proxy.of(operation)[(operation == "CopyObject") * 4 :]):
            return PASS
        # As whoever renews an operator's session does, before the old one is refused.
        _become(monkeypatch, new)
        return fates.EXPIRED

    scene.proxy.schedule = decide
    limits = ["--concurrency", "2", "--multipart-threshold", "5MiB"]
    ran = scene.frogmove("move", "--all", "-o", "json", *limits)
    bodies = BODIES | {"10": LARGE}
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(bodies, "moved")), ran
    assert (scene.buckets.here(), scene.buckets.there()) == ({}, bodies)
    users = [each.headers["authorization"] for each in scene.proxy.of("CopyObject", operation)]
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
    deadline = time.monotonic() + PATIENCE
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


def test_credentials_that_stay_expired_end_the_run_and_say_so(scene: Scene) -> None:
    scene.proxy.schedule = lambda request: (
        fates.EXPIRED if request.number > 20 and scene.sent("CopyObject") > 3 else PASS
    )
    ran = scene.frogmove("move", "--all", "--concurrency", "1")
    assert ran.code == 1
    assert "ExpiredToken" in ran.err
    assert "resume" in ran.err
    assert {**scene.buckets.here(), **scene.buckets.there()} == BODIES
    scene.proxy.forget()
    assert scene.frogmove("move", "--all").code == 0
    assert (scene.buckets.here(), scene.buckets.there()) == ({}, BODIES)
