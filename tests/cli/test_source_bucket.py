"""A source bucket that is not there, or no longer: never "gone", by either engine."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.fault_fixture import FaultFixture
from tests.fault_proxy import Fault, Request

if TYPE_CHECKING:
    from tests.fault_proxy import FaultProxy
    from tests.servers import Server

DENIED = Fault("denied", "never", (403, "AccessDenied"))


@pytest.fixture
def scene(ministack: Server, ministack_proxy: FaultProxy, few_retries: str) -> FaultFixture:
    return FaultFixture.make(ministack, ministack_proxy)


def remove_source(scene: FaultFixture) -> None:
    buckets = scene.buckets
    for key in buckets.keys_here():
        buckets.client.delete_object(Bucket=buckets.source, Key=key)
    buckets.client.delete_bucket(Bucket=buckets.source)


@pytest.mark.parametrize("command", ["move a", "move --all", "copy a", "sync", "move a -n"])
def test_a_command_refuses_a_source_that_is_not_there(scene: FaultFixture, command: str) -> None:
    remove_source(scene)
    ran = scene.frogmove(*command.split(), "-o", "json")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "does not exist" in ran.err.replace("\n", " ")


def test_a_resume_refuses_a_source_that_is_not_there_any_more(scene: FaultFixture) -> None:
    scene.buckets.put("a", "b")
    scene.proxy.reset(lambda request: DENIED if _copies(request, "a") else Fault("pass"))
    assert scene.frogmove("move", "--all").code == 1
    scene.proxy.reset()
    remove_source(scene)
    ran = scene.frogmove("resume", "-o", "json")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "does not exist" in ran.err.replace("\n", " ")


@pytest.mark.parametrize("command", ["move", "copy"])
def test_objects_of_a_source_that_goes_in_the_middle_are_not_gone(
    scene: FaultFixture, command: str
) -> None:
    scene.buckets.put("a", "b", "c")

    def remove(request: Request) -> Fault:
        if request.operation == "CopyObject" and not request.is_probe:
            with suppress(scene.buckets.client.exceptions.ClientError):
                remove_source(scene)
        return Fault("pass")

    scene.proxy.reset(remove)
    ran = scene.frogmove(command, "--all", "--concurrency", "1", "-o", "json")
    assert ran.code == 1, ran
    assert set(ran.outcomes.values()) == {"failed"}
    assert "NoSuchBucket" in ran.of("result")[0]["reason"]
    assert "frogmove resume" in ran.err


def _copies(request: Request, key: str) -> bool:
    return request.operation == "CopyObject" and request.key == key
