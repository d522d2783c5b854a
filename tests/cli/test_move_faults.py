"""Single faults on the wire, by name: what an operator gets to see and where the bytes are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.run_spec import RunSpec
from frogmove.s3 import timeouts
from frogmove.s3.limits import ConcurrencyLimiter
from frogmove.s3.retry import RetryingS3
from tests import fault_proxy as faults
from tests.fault_fixture import FaultFixture, limits_of_few_retries
from tests.fault_proxy import PASS, Fault, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.cli_runner import Ran

MIB = 1024 * 1024
KEYS = [f"{number:02}" for number in range(6)]
DELETES = ("DeleteObject", "DeleteObjects")
BODIES = {key: key.encode() for key in KEYS}

# The server has done it, and nobody is told.
LOST_ANSWERS = [faults.DROP_AFTER, faults.TRUNCATE, faults.ERROR_IN_200_AFTER]
NOT_DONE = [faults.DROP_BEFORE, faults.SLOW_DOWN, faults.ERROR_IN_200]


def by_name(value: object) -> str | None:
    return value.name if isinstance(value, Fault) else None


@pytest.fixture
def fault_fixture(fault_fixture: FaultFixture, few_retries: str) -> FaultFixture:
    fault_fixture.buckets.put(*KEYS)
    return fault_fixture


def assert_moved(fault_fixture: FaultFixture, ran: Ran, bodies: dict[str, bytes] = BODIES) -> None:
    assert (ran.code, ran.outcomes) == (0, dict.fromkeys(bodies, "moved")), ran
    assert fault_fixture.buckets.here() == {}
    assert fault_fixture.buckets.there() == bodies


@pytest.mark.parametrize("fault", [*LOST_ANSWERS, *NOT_DONE], ids=by_name)
def test_copy_that_failed_on_the_way_is_tried_again_and_recognised(
    fault_fixture: FaultFixture, fault: Fault
) -> None:
    fault_fixture.fail(fault, "CopyObject")
    assert_moved(fault_fixture, fault_fixture.frogmove("move", "--all", "-o", "json"))
    assert fault_fixture.sent("CopyObject") == len(KEYS) + 1


@pytest.mark.parametrize("fault", [*LOST_ANSWERS, *NOT_DONE], ids=by_name)
def test_batch_of_deletes_that_failed_on_the_way_is_recognised(
    fault_fixture: FaultFixture, fault: Fault
) -> None:
    fault_fixture.fail(fault, "DeleteObjects")
    assert_moved(fault_fixture, fault_fixture.frogmove("move", "--all", "-o", "json"))
    assert len(fault_fixture.proxy.of(*DELETES)) >= 2


@pytest.mark.parametrize("fault", [*LOST_ANSWERS, *NOT_DONE], ids=by_name)
def test_delete_that_failed_on_the_way_is_recognised(
    fault_fixture: FaultFixture, fault: Fault
) -> None:
    fault_fixture.fail(fault, "DeleteObject")
    ran = fault_fixture.frogmove("move", "03", "-o", "json")
    assert (ran.code, ran.outcomes) == (0, {"03": "moved"})
    assert "03" not in fault_fixture.buckets.here()
    assert fault_fixture.buckets.there() == {"03": b"03"}


@pytest.mark.parametrize("engine", ["boto3"], indirect=True)
@pytest.mark.parametrize("fault", [faults.DROP_AFTER, faults.ERROR_IN_200], ids=by_name)
@pytest.mark.parametrize(
    "operation",
    [
        *("HeadObject", "GetObjectTagging", "CreateMultipartUpload", "UploadPartCopy"),
        *("CompleteMultipartUpload", "DeleteObject"),
    ],
)
def test_multipart_copy_loses_no_step_on_the_way(
    fault_fixture: FaultFixture, operation: str, fault: Fault
) -> None:
    body = b"sixteen bytes and" * (6 * MIB // 17)
    own = {"ContentType": "text/csv", "Metadata": {"owner": "frog", "zone": "pond"}}
    fault_fixture.buckets.put("large", body=body, Tagging="team=pond", **own)
    fault_fixture.fail(fault, operation)
    ran = fault_fixture.frogmove("move", "large", "-o", "json", "--multipart-threshold", "5MiB")
    assert (ran.code, ran.outcomes) == (0, {"large": "moved"}), ran
    assert "large" not in fault_fixture.buckets.here()
    where = {"Bucket": fault_fixture.buckets.destination, "Key": "large"}
    there = fault_fixture.buckets.client.get_object(**where)
    assert there["Body"].read() == body
    assert {name: there[name] for name in own} == own
    tags = fault_fixture.buckets.client.get_object_tagging(**where)["TagSet"]
    assert tags == [{"Key": "team", "Value": "pond"}]


@pytest.mark.parametrize(
    "fault", [faults.ERROR_IN_200, faults.ERROR_IN_200_AFTER, faults.DROP_AFTER], ids=by_name
)
def test_copy_that_is_never_confirmed_keeps_its_source(
    fault_fixture: FaultFixture, fault: Fault
) -> None:
    fault_fixture.proxy.schedule = lambda request: (
        fault
        if request.operation in {"CopyObject", "HeadObject"} and not request.is_probe
        else PASS
    )
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(KEYS, "failed"))
    assert fault_fixture.buckets.here() == BODIES
    assert fault_fixture.proxy.of(*DELETES) == []


def test_deletes_that_are_never_confirmed_are_reported_with_both_places(
    fault_fixture: FaultFixture,
) -> None:
    fault_fixture.fail(faults.ERROR_IN_200, *DELETES, times=1000)
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(KEYS, "failed"))
    assert fault_fixture.buckets.here() == fault_fixture.buckets.there() == BODIES
    for record in ran.of("result"):
        place = f"s3://{fault_fixture.buckets.destination}/{record['key']}"
        assert place in record["reason"]
        assert "source may still exist" in record["reason"]
    fault_fixture.proxy.reset()
    assert_moved(fault_fixture, fault_fixture.frogmove("move", "--all", "-o", "json"))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operations", [("CopyObject",), DELETES], ids=["copy", "delete"])
def test_upload_meanwhile_stays_and_the_next_run_moves_it(
    fault_fixture: FaultFixture, operations: tuple[str, ...], when: str
) -> None:
    def upload(request: Request) -> Fault:
        is_about_it = request.key == "03" or b"<Key>03</Key>" in request.body
        if request.operation in operations and is_about_it:
            fault_fixture.buckets.put("03", body=b"newer")
        return PASS

    if when == "before":
        fault_fixture.proxy.schedule = upload
    else:
        fault_fixture.proxy.passed = upload
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    rest = {key: body for key, body in BODIES.items() if key != "03"}
    # After the delete it is a new object, and the earlier one was moved.
    outcome = "moved" if (operations, when) == (DELETES, "after") else "superseded"
    assert ran.outcomes == dict.fromkeys(rest, "moved") | {"03": outcome}
    assert (ran.code, fault_fixture.buckets.here()) == (0, {"03": b"newer"})
    fault_fixture.proxy.reset()
    assert fault_fixture.frogmove("move", "--all", "--on-conflict", "overwrite").code == 0
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == (
        {},
        rest | {"03": b"newer"},
    )


def test_object_put_at_the_destination_just_before_a_copy_stays(
    fault_fixture: FaultFixture,
) -> None:
    def put(request: Request) -> Fault:
        if request.operation == "CopyObject" and request.key == "03":
            fault_fixture.buckets.put_there("03", body=b"theirs")
        return PASS

    fault_fixture.proxy.schedule = put
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    rest = {key: body for key, body in BODIES.items() if key != "03"}
    assert (ran.code, ran.outcomes) == (1, dict.fromkeys(rest, "moved") | {"03": "conflict"})
    assert fault_fixture.buckets.here() == {"03": b"03"}
    assert fault_fixture.buckets.there() == rest | {"03": b"theirs"}


def test_slow_down_lowers_the_concurrency_and_success_raises_it_again(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [f"more/{number:02}" for number in range(90)]
    fault_fixture.buckets.put(*more)
    pressures = _watch(monkeypatch)
    seen: list[int] = []

    def decide(request: Request) -> Fault:
        if request.operation != "CopyObject" or request.is_probe:
            return PASS
        seen.append(pressures[-1].limit)
        return faults.SLOW_DOWN if len(seen) > 10 and min(seen) > 2 else PASS

    fault_fixture.proxy.schedule = decide
    ran = fault_fixture.frogmove("move", "--all", "-o", "json", "--concurrency", "8")
    assert_moved(fault_fixture, ran, BODIES | {key: key.encode() for key in more})
    assert seen[0] == 8
    assert min(seen) <= 2
    assert seen[-1] == 8


def _watch(monkeypatch: pytest.MonkeyPatch) -> list[ConcurrencyLimiter]:
    """Return a list that will hold the pressure of each connection."""
    pressures: list[ConcurrencyLimiter] = []
    make = ConcurrencyLimiter.__init__

    def remember(self: ConcurrencyLimiter, most: int) -> None:
        make(self, most)
        pressures.append(self)

    monkeypatch.setattr(ConcurrencyLimiter, "__init__", remember)
    return pressures


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page of a listing hold two objects, so that six make three pages."""
    page = RetryingS3.list_page

    def short(
        self: RetryingS3,
        bucket: str,
        prefix: str,
        token: str | None = None,
        limit: int = 1000,
        **more: Any,
    ) -> Any:
        return page(self, bucket, prefix, token, min(limit, 2), **more)

    monkeypatch.setattr(RetryingS3, "list_page", short)


def _on_page_two(bucket: str, fault: Fault, times: int) -> Callable[[Request], Fault]:
    met: list[Request] = []

    def decide(request: Request) -> Fault:
        if request.bucket == bucket and "continuation-token" in request.query:
            met.append(request)
            return fault if len(met) <= times else PASS
        return PASS

    return decide


BROKEN = [faults.TRUNCATE, faults.FAIL]


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("fault", BROKEN, ids=by_name)
def test_listing_that_breaks_moves_what_was_seen(fault_fixture: FaultFixture, fault: Fault) -> None:
    fault_fixture.proxy.schedule = _on_page_two(fault_fixture.buckets.source, fault, 1000)
    ran = fault_fixture.frogmove("move", "--all")
    assert ran.code == 1
    assert "the remaining objects could not be listed" in ran.err
    assert "everything else is still at the source" in ran.err
    assert "frogmove resume 2" in ran.err
    assert "Traceback" not in ran.err
    assert sorted(fault_fixture.buckets.there()) == KEYS[:2]
    assert sorted(fault_fixture.buckets.here()) == KEYS[2:]
    fault_fixture.proxy.reset()
    assert fault_fixture.frogmove("resume").code == 0
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, BODIES)


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("fault", BROKEN, ids=by_name)
@pytest.mark.parametrize("command", ["move", "sync"])
def test_page_that_comes_at_the_second_attempt_is_no_trouble(
    fault_fixture: FaultFixture, fault: Fault, command: str
) -> None:
    fault_fixture.proxy.schedule = _on_page_two(fault_fixture.buckets.source, fault, 1)
    assert fault_fixture.frogmove(command, *(["--all"] if command == "move" else [])).code == 0
    assert fault_fixture.buckets.there() == BODIES


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("fault", BROKEN, ids=by_name)
@pytest.mark.parametrize("side", ["source", "destination"])
def test_sync_whose_listing_breaks_overwrites_and_loses_nothing(
    fault_fixture: FaultFixture, fault: Fault, side: str
) -> None:
    there = dict.fromkeys(KEYS[1:], b"theirs")
    fault_fixture.buckets.put_there(*there, body=b"theirs")
    fault_fixture.proxy.schedule = _on_page_two(getattr(fault_fixture.buckets, side), fault, 1000)
    ran = fault_fixture.frogmove("sync")
    assert ran.code == 1
    assert "the remaining objects could not be listed" in ran.err
    assert fault_fixture.buckets.here() == BODIES
    # What was not seen on both sides stands as it was.
    unseen = KEYS[2:] if side == "source" else KEYS[3:]
    after = fault_fixture.buckets.there()
    assert {key: after[key] for key in unseen} == dict.fromkeys(unseen, b"theirs")
    fault_fixture.proxy.reset()
    assert fault_fixture.frogmove("sync").code == 0
    assert fault_fixture.buckets.there() == BODIES


def _wait_no_longer_than(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "QUICK", seconds)


def test_server_that_never_answers_is_given_up(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_no_longer_than(0.1, monkeypatch)
    fault_fixture.proxy.schedule = lambda _: faults.SILENCE
    ran = fault_fixture.frogmove("move", "--all")
    assert ran.code == 2
    assert "cannot be reached" in ran.err
    assert "Traceback" not in ran.err
    assert fault_fixture.buckets.here() == BODIES


@pytest.mark.matrix
def test_server_that_falls_silent_in_the_middle_loses_nothing(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_no_longer_than(1.0, monkeypatch)
    monkeypatch.setattr(
        RunSpec, "limits", lambda flags: replace(limits_of_few_retries(flags), attempts=2)
    )
    fault_fixture.proxy.schedule = lambda request: (
        faults.SILENCE if fault_fixture.sent("CopyObject") > 3 and not request.is_probe else PASS
    )
    ran = fault_fixture.frogmove("move", "--all", "-o", "json")
    assert ran.code == 1
    assert set(ran.outcomes.values()) <= {"failed", "moved"}
    assert {**fault_fixture.buckets.here(), **fault_fixture.buckets.there()} == BODIES
    fault_fixture.proxy.reset()
    _wait_no_longer_than(30.0, monkeypatch)
    assert fault_fixture.frogmove("resume").code == 0
    assert (fault_fixture.buckets.here(), fault_fixture.buckets.there()) == ({}, BODIES)


def test_silence_once_is_waited_out(
    fault_fixture: FaultFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_no_longer_than(1.0, monkeypatch)
    fault_fixture.fail(faults.SILENCE, "CopyObject")
    assert_moved(fault_fixture, fault_fixture.frogmove("move", "--all", "-o", "json"))
