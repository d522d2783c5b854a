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
def fault_fixture(ministack: Server, ministack_proxy: FaultProxy, few_retries: str) -> FaultFixture:
    return FaultFixture.make(ministack, ministack_proxy)


def remove_source(fault_fixture: FaultFixture) -> None:
    buckets = fault_fixture.buckets
    for key in buckets.keys_here():
        buckets.client.delete_object(Bucket=buckets.source, Key=key)
    buckets.client.delete_bucket(Bucket=buckets.source)


@pytest.mark.parametrize("command", ["move a", "move --all", "copy a", "sync", "move a -n"])
def test_command_refuses_a_source_that_is_not_there(
    fault_fixture: FaultFixture, command: str
) -> None:
    remove_source(fault_fixture)
    ran = fault_fixture.frogmove(*command.split(), "-o", "json")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "does not exist" in ran.err.replace("\n", " ")


def test_resume_refuses_a_source_that_is_not_there_any_more(fault_fixture: FaultFixture) -> None:
    fault_fixture.buckets.put("a", "b")
    fault_fixture.proxy.reset(lambda request: DENIED if _copies(request, "a") else Fault("pass"))
    assert fault_fixture.frogmove("move", "--all").code == 1
    fault_fixture.proxy.reset()
    remove_source(fault_fixture)
    ran = fault_fixture.frogmove("resume", "-o", "json")
    assert (ran.code, ran.out) == (2, ""), ran
    assert "does not exist" in ran.err.replace("\n", " ")


@pytest.mark.parametrize("command", ["move", "copy"])
def test_objects_of_a_source_that_goes_in_the_middle_are_not_gone(
    fault_fixture: FaultFixture, command: str
) -> None:
    fault_fixture.buckets.put("a", "b", "c")

    def remove(request: Request) -> Fault:
        if request.operation == "CopyObject" and not request.is_probe:
            with suppress(fault_fixture.buckets.client.exceptions.ClientError):
                remove_source(fault_fixture)
        return Fault("pass")

    fault_fixture.proxy.reset(remove)
    ran = fault_fixture.frogmove(command, "--all", "--concurrency", "1", "-o", "json")
    assert ran.code == 1, ran
    assert set(ran.outcomes.values()) == {"failed"}
    assert "NoSuchBucket" in ran.of("result")[0]["reason"]
    assert "frogmove resume" in ran.err


def _copies(request: Request, key: str) -> bool:
    return request.operation == "CopyObject" and request.key == key
