"""Two buckets whose operator reaches them only through the fault proxy."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from frogmove.s3.limits import Limits
from tests.buckets import Buckets
from tests.cli.cli_runner import FrogmoveRunner
from tests.fault_proxy import PASS, Fault, FaultProxy, Request

if TYPE_CHECKING:
    from frogmove.core.run_spec import RunSpec
    from tests.servers import Server

# Whatever sends the requests, the same faults must do the same harm: none.
ENGINES = [
    "boto3",
    pytest.param(
        "crt",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("awscrt") is None, reason="awscrt is not installed"
        ),
    ),
]


@dataclass(frozen=True)
class FaultFixture:
    """The buckets, seen directly, and the proxy before the operator.

    Attributes:
        buckets: for what a test arranges and asserts.
        proxy: everything the operator asks goes through it.
        frogmove: the operator.
    """

    buckets: Buckets
    proxy: FaultProxy
    frogmove: FrogmoveRunner

    @classmethod
    def make(cls, server: Server, proxy: FaultProxy) -> FaultFixture:
        """Put a new pair of buckets behind a proxy of the server."""
        proxy.reset()
        buckets = Buckets.make(server)
        through = replace(buckets, server=replace(server, endpoint_url=proxy.endpoint_url))
        return cls(buckets, proxy, FrogmoveRunner(through))

    def backwards(self) -> FaultFixture:
        """Return the same with source and destination exchanged."""
        runner = FrogmoveRunner(_exchanged(self.frogmove.buckets))
        return FaultFixture(_exchanged(self.buckets), self.proxy, runner)

    def fail(self, fault: Fault, *operations: str, times: int = 1) -> None:
        """Let the next requests of some operations fail."""
        left = iter(range(times))

        def decide(request: Request) -> Fault:
            if request.operation not in operations or request.is_probe:
                return PASS
            return PASS if next(left, None) is None else fault

        self.proxy.schedule = decide

    def sent(self, operation: str) -> int:
        """Return how many requests of an operation there were."""
        return len(self.proxy.of(operation))


def _exchanged(buckets: Buckets) -> Buckets:
    return replace(buckets, source=buckets.destination, destination=buckets.source)


def limits_of_few_retries(spec: RunSpec) -> Limits:
    """Return the limits of an operator of little patience."""
    return Limits(spec.concurrency, attempts=4, first_delay=0.001, max_delay=0.01)
