"""A server that closes its connections after each answer, and does not say so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from frogmove.cli.policy import Policy
from frogmove.s3.pressure import Limits
from tests import proxy as fates
from tests.proxy import PASS, proxied
from tests.scene import ENGINES, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

BODIES = {f"{number:04}": b"x" for number in range(200)}


@pytest.fixture(params=ENGINES)
def scene(
    request: pytest.FixtureRequest, ministack: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    monkeypatch.setenv("FROGMOVE_ENGINE", request.param)
    with proxied(ministack) as proxy:
        yield Scene.make(ministack, proxy)


def test_every_object_is_moved_with_hardly_a_retry(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # boto3 looks whether a connection is still there; one may be closed just after that.
    budget = 100 if os.environ["FROGMOVE_ENGINE"] == "boto3" else 12
    monkeypatch.setattr(Policy, "limits", lambda _: Limits(concurrency=8, budget=budget))
    scene.buckets.put(*BODIES, body=b"x")
    scene.proxy.schedule = lambda _: fates.CLOSE
    ran = scene.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(BODIES, "moved"))
    assert (scene.buckets.here(), scene.buckets.there()) == ({}, BODIES)


def test_connections_are_kept_where_the_server_keeps_them(scene: Scene) -> None:
    scene.buckets.put(*list(BODIES)[:100], body=b"x")
    scene.proxy.schedule = lambda _: PASS
    ran = scene.frogmove("move", "--all", "--concurrency", "4")
    assert ran.code == 0
    assert len({request.connection for request in scene.proxy.of("CopyObject")}) <= 8
