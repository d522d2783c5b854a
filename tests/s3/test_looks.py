"""Where a server holds no delete to a condition, each attempt has a look right before it.

The answer to a delete gets lost, a new upload takes the key, and a delete that is sent again
without another look deletes the upload.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from frogmove import connection
from frogmove.run_store import journals
from frogmove.s3.capabilities import ALL_SUPPORTED
from tests import fault_proxy as faults
from tests.aws_events import batch, message, notification
from tests.fault_proxy import Fault, Request

if TYPE_CHECKING:
    from frogmove.s3.capabilities import Capabilities
    from tests.fault_fixture import FaultFixture
    from tests.function.invoke import Invoke

IGNORED = replace(ALL_SUPPORTED, delete=False, delete_many=False)
REFUSED = replace(IGNORED, refused=frozenset({"delete", "delete_many"}))
UNTOLD = replace(IGNORED, unknown=frozenset({"delete", "delete_many"}))

# The delete took place, and its sender does not know.
LOST = [faults.DROP_AFTER, faults.FAIL_AFTER]
# It did not, and somebody uploads before it is sent again.
NOT_DONE = [faults.DROP_BEFORE, faults.SLOW_DOWN, faults.EXPIRED]


def by_name(value: object) -> str | None:
    return value.name if isinstance(value, Fault) else None


@pytest.fixture
def fault_fixture(
    fault_fixture: FaultFixture, few_retries: str, monkeypatch: pytest.MonkeyPatch
) -> FaultFixture:
    # The server honours conditions; it is spoken to as one that does not.
    monkeypatch.setattr(connection, "probe", lambda *_: IGNORED)
    return fault_fixture


def upload_after_the_first_delete(
    fault_fixture: FaultFixture, fault: Fault, key: str = "a"
) -> None:
    """Let the first delete of the source fail, and have the key uploaded anew right after."""
    deletes: list[Request] = []

    def decide(request: Request) -> Fault:
        if request.operation != "DeleteObject" or request.bucket != fault_fixture.buckets.source:
            return faults.PASS
        deletes.append(request)
        if len(deletes) > 1:
            return faults.PASS
        if fault.reaches == "never":
            fault_fixture.buckets.put(key, body=b"newer")
        return fault

    def passed(request: Request) -> None:
        if deletes == [request]:
            fault_fixture.buckets.put(key, body=b"newer")

    fault_fixture.proxy.schedule, fault_fixture.proxy.passed = decide, passed


def assert_each_delete_follows_a_look(fault_fixture: FaultFixture) -> None:
    last: dict[str, str] = {}
    for request in fault_fixture.proxy.requests:
        if request.operation == "DeleteObject":
            assert last.get(request.target) == "HeadObject", "a delete was sent unseen"
        last[request.target] = request.operation
    assert not [each for each in fault_fixture.proxy.requests if each.operation == "DeleteObjects"]


@pytest.mark.parametrize("fault", [*LOST, *NOT_DONE], ids=by_name)
def test_upload_after_a_delete_that_failed_is_not_deleted(
    fault_fixture: FaultFixture, fault: Fault
) -> None:
    fault_fixture.buckets.put("a", body=b"seen")
    upload_after_the_first_delete(fault_fixture, fault)
    ran = fault_fixture.frogmove("move", "a", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"a": "superseded"}), ran
    assert fault_fixture.buckets.here() == {"a": b"newer"}
    assert fault_fixture.buckets.there() == {"a": b"seen"}
    assert_each_delete_follows_a_look(fault_fixture)


@pytest.mark.parametrize("honours", [REFUSED, UNTOLD], ids=["refused", "untold"])
def test_condition_that_is_not_relied_upon_does_not_stand_for_a_look(
    fault_fixture: FaultFixture, honours: Capabilities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "probe", lambda *_: honours)
    fault_fixture.buckets.put("a", body=b"seen")
    upload_after_the_first_delete(fault_fixture, faults.DROP_AFTER)
    assert fault_fixture.frogmove("move", "a").code == 0
    assert fault_fixture.buckets.here() == {"a": b"newer"}
    assert_each_delete_follows_a_look(fault_fixture)


@pytest.mark.parametrize("fault", [*LOST, *NOT_DONE], ids=by_name)
def test_delete_that_failed_is_made_up_for(fault_fixture: FaultFixture, fault: Fault) -> None:
    fault_fixture.buckets.put("a", "b", "c")
    fault_fixture.fail(fault, "DeleteObject")
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys("abc", "moved")), ran
    assert (fault_fixture.buckets.here(), sorted(fault_fixture.buckets.there())) == (
        {},
        ["a", "b", "c"],
    )
    assert_each_delete_follows_a_look(fault_fixture)


@pytest.mark.parametrize("fault", [faults.DROP_AFTER, faults.SLOW_DOWN], ids=by_name)
def test_undo_deletes_nothing_unseen(fault_fixture: FaultFixture, fault: Fault) -> None:
    fault_fixture.buckets.put("a", body=b"seen")
    assert fault_fixture.frogmove("move", "a").code == 0
    backwards = fault_fixture.backwards()
    backwards.proxy.reset()
    upload_after_the_first_delete(backwards, fault)
    ran = fault_fixture.frogmove("undo", journals()[-1].stem, "-o", "json")
    assert ran.outcomes == {"a": "superseded"}, ran
    assert fault_fixture.buckets.here() == {"a": b"seen"}
    assert fault_fixture.buckets.there() == {"a": b"newer"}
    assert_each_delete_follows_a_look(fault_fixture)


@pytest.mark.parametrize("sender", ["queue", "job", "move", "sweep"])
def test_function_deletes_nothing_unseen(
    fault_fixture: FaultFixture,
    invoke: Invoke,
    sender: str,
) -> None:
    source = fault_fixture.buckets.source
    task = {"taskId": "1", "s3Bucket": source, "s3Key": "a"}
    event = {
        "queue": batch(message("1", notification(source, "a"))),
        "job": {"invocationSchemaVersion": "2.0", "invocationId": "i", "tasks": [task]},
        "move": {"action": "move", "keys": ["a"]},
        "sweep": {"action": "sweep", "age": 0},
    }[sender]
    fault_fixture.buckets.put("a", body=b"seen")
    upload_after_the_first_delete(fault_fixture, faults.DROP_AFTER)
    invoke(fault_fixture.frogmove.buckets, event)
    assert fault_fixture.buckets.here() == {"a": b"newer"}
    assert fault_fixture.buckets.there() == {"a": b"seen"}
    assert_each_delete_follows_a_look(fault_fixture)
