"""Runs as processes of their own that are killed or interrupted at a chosen request.

The proxy sees every request, so it knows the moment: it sends the signal while the server has
done what was asked, or has not, and the process never learns which.
"""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from tests import fault_proxy as faults
from tests.fault_proxy import PASS, SECONDS_TO_WAIT, Fault, FaultProxy, Request

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

    from tests.buckets import Buckets
    from tests.fault_fixture import FaultFixture

DELETES = ("DeleteObject", "DeleteObjects")


def fill(buckets: Buckets, count: int) -> dict[str, bytes]:
    """Upload objects, no two of them alike."""
    bodies = {f"{n % 7}/{n:04}": f"object {n} ".encode() * (n % 50 + 1) for n in range(count)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: buckets.put(key, body=bodies[key]), bodies))
    return bodies


def contents(buckets: Buckets, bucket: str) -> dict[str, bytes]:
    keys = [entry["Key"] for entry in buckets._list(bucket)]

    def fetch(key: str) -> bytes:
        body: bytes = buckets.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(keys, pool.map(fetch, keys), strict=True))


def assert_all_is_there_once(fault_fixture: FaultFixture, bodies: dict[str, bytes]) -> None:
    assert fault_fixture.buckets._list(fault_fixture.buckets.source) == []
    assert contents(fault_fixture.buckets, fault_fixture.buckets.destination) == bodies


# A moment: the n-th request of some operations, before or after the server has seen it.
@dataclass(frozen=True)
class Moment:
    operations: tuple[str, ...]
    number: int
    when: str

    def comes_with(self, proxy: FaultProxy, request: Request) -> bool:
        if request.is_probe or request.operation not in self.operations:
            return False
        met = proxy.of(*self.operations)
        return len(met) >= self.number and met[self.number - 1] is request


STAGES = [
    Moment(("CopyObject",), 1, "after"),
    Moment(("CopyObject",), 60, "after"),
    Moment(DELETES, 1, "before"),
    Moment(DELETES, 1, "after"),
]


def kill(fault_fixture: FaultFixture, moment: Moment, *arguments: str) -> int:
    """Run a command as a process of its own and kill it at a moment; returns its exit code."""
    started: list[subprocess.Popen[bytes]] = []
    killed = Event()

    def decide(request: Request) -> Fault:
        if moment.when == "before" and moment.comes_with(fault_fixture.proxy, request):
            started[0].kill()
            killed.set()
        # A dead process sends nothing more.
        return faults.DROP_BEFORE if killed.is_set() else PASS

    def passed(request: Request) -> None:
        if moment.when == "after" and moment.comes_with(fault_fixture.proxy, request):
            started[0].kill()
            killed.set()

    fault_fixture.proxy.reset(decide)
    fault_fixture.proxy.passed = passed
    with fault_fixture.frogmove.process(
        *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        started.append(process)
        code = process.wait(4 * SECONDS_TO_WAIT)
    fault_fixture.proxy.reset()
    return code


@contextmanager
def interrupted(
    fault_fixture: FaultFixture,
    number: signal.Signals,
    operation: str,
    in_flight: int,
    *arguments: str,
) -> Iterator[tuple[subprocess.Popen[bytes], Event]]:
    """Interrupt a command while all its requests of one operation are held up.

    Args:
        fault_fixture: where.
        number: the signal.
        operation: ``CopyObject`` …
        in_flight: how many such requests there are to be before the signal.
        arguments: the command.

    Yields:
        the process, which has said that it heard, and what lets the requests go.
    """
    go = Event()

    def hold(request: Request) -> Fault:
        if request.operation == operation and not request.is_probe:
            go.wait(SECONDS_TO_WAIT)
        return PASS

    fault_fixture.proxy.reset(hold)
    with fault_fixture.frogmove.process(
        *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            fault_fixture.proxy.wait_for(
                lambda: len(fault_fixture.proxy.of(operation)) >= in_flight
            )
            process.send_signal(number)
            assert process.stderr is not None
            assert any(b"finishing the objects in flight" in line for line in process.stderr)
            yield process, go
        finally:
            go.set()
            process.kill()
    fault_fixture.proxy.reset()
