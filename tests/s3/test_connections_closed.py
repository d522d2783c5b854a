"""A server that closes its connections after each answer, and does not say so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from frogmove.core.run_spec import RunSpec
from frogmove.s3.limits import Limits
from tests import fault_proxy as faults
from tests.fault_fixture import FaultFixture
from tests.fault_proxy import PASS, FaultProxy

if TYPE_CHECKING:
    from tests.servers import Server

BODIES = {f"{number:04}": b"x" for number in range(120)}


@pytest.fixture
def fault_fixture(engine: str, ministack: Server, ministack_proxy: FaultProxy) -> FaultFixture:
    return FaultFixture.make(ministack, ministack_proxy)


def test_connections_that_the_server_closes_cost_hardly_a_retry(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # boto3 looks whether a connection is still there; one may be closed just after that.
    retry_quota = 100 if os.environ["FROGMOVE_ENGINE"] == "boto3" else 12
    monkeypatch.setattr(RunSpec, "limits", lambda _: Limits(concurrency=8, retry_quota=retry_quota))
    fault_fixture.buckets.put(*BODIES, body=b"x")
    fault_fixture.proxy.schedule = lambda _: faults.CLOSE
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(BODIES, "moved"))
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, BODIES)


def test_connections_are_kept_where_the_server_keeps_them(fault_fixture: FaultFixture) -> None:
    fault_fixture.buckets.put(*list(BODIES)[:100], body=b"x")
    fault_fixture.proxy.schedule = lambda _: PASS
    ran = fault_fixture.frogmove("move", "--all", "--concurrency", "4")
    assert ran.code == 0
    assert len({request.connection for request in fault_fixture.proxy.of("CopyObject")}) <= 8
