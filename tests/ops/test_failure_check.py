"""Failures are of the past once no object of them waits and the function has worked since."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core import selection
from frogmove.ops import failure_check
from frogmove.ops.aws_request import AwsRequestError
from frogmove.ops.check import Check, State
from frogmove.ops.failure_check import check_failures, read_failures
from frogmove.ops.function_log import FunctionLog
from frogmove.s3.errors import S3Error
from tests.fake_s3 import FakeS3
from tests.fake_s3_state import FakeS3State
from tests.interceptors import before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The fake S3's clock starts at the beginning of 2026.
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPTION = "--function f"

Line = tuple[int, "Mapping[str, Any] | str"]

FAILED = {"level": "ERROR", "outcome": "failed", "key": "a", "reason": "S3 denied access"}
CRASHED = {"level": "ERROR", "message": "no such setting"}
SWEPT = {"_aws": {}, "sweeps": [1.0]}
MOVED = {"_aws": {}, "moved": [2.0]}


class Logs:
    """A log of lines, each with the minutes since it was written."""

    def __init__(self, *lines: Line) -> None:
        self._events = [
            {
                "timestamp": int((NOW - timedelta(minutes=minutes)).timestamp() * 1000),
                "message": text if isinstance(text, str) else json.dumps(text),
            }
            for minutes, text in lines
        ]

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        since = request["startTime"]
        return {"events": [each for each in self._events if each["timestamp"] >= since]}


@pytest.fixture
def state() -> FakeS3State:
    """An empty source."""
    return FakeS3State({"in": {}})


def check(state: FakeS3State, *lines: Line) -> Check:
    log = FunctionLog(Logs(*lines), "/aws/lambda/f")
    found = read_failures(log, NOW - timedelta(hours=1))
    return check_failures(found, log, FakeS3(state), "in", NOW, OPTION)


def test_check_failures_is_well_without_any(state: FakeS3State) -> None:
    found = check(state, (10, MOVED))
    assert (found.state, found.message) == (State.OK, "none in the last day")


def test_check_failures_tells_those_of_the_day_as_past(state: FakeS3State) -> None:
    found = check(state, (120, FAILED))
    expected = "none since 2026-01-01 10:00; before that 1 (1 x failed: S3 denied access)"
    assert (found.state, found.message) == (State.OK, f"{expected} in the last day")
    assert (found.facts["count"], found.facts["within"]) == (1, "day")


def test_check_failures_warns_while_an_object_of_them_waits(state: FakeS3State) -> None:
    state.put("in", "a", b"frogs")
    found = check(state, (20, FAILED), (15, FAILED), (5, MOVED))
    assert found.state is State.WARNING
    assert "1 object still waits: 'a'" in found.message
    assert "last 2026-01-01 11:45" in found.message
    assert (found.remedy, found.facts["still_waiting"]) == (
        f"frogmove lambda logs --failed {OPTION}",
        1,
    )


def test_check_failures_is_well_once_no_object_of_them_waits(state: FakeS3State) -> None:
    found = check(state, (20, FAILED), (15, FAILED))
    assert found.state is State.OK
    assert found.message == (
        "none since 2026-01-01 11:45; before that 2 (2 x failed: S3 denied access) in the last hour"
    )
    assert (found.facts["within"], found.facts["still_waiting"]) == ("hour", 0)


def test_check_failures_does_not_take_a_later_upload_for_the_one_that_failed(
    state: FakeS3State,
) -> None:
    state.clock = 12 * 3600 - 60
    state.put("in", "a", b"frogs")
    assert check(state, (20, FAILED)).state is State.OK


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], State.WARNING),
        ([(5, SWEPT)], State.OK),
        ([(5, MOVED)], State.OK),
        ([(5, MOVED | {"failed": [1.0]})], State.WARNING),
        ([(5, {"_aws": {}, "rejected": [1.0]})], State.WARNING),
        ([(30, SWEPT)], State.WARNING),
        # What a dry run, as of `frogmove doctor`, or a duplicate event leaves.
        ([(5, {"_aws": {}, "gone": [1.0]})], State.WARNING),
        ([(5, {"_aws": {}, "skipped": [1.0]})], State.WARNING),
        ([(5, "Task timed out after 3.00 seconds"), (2, SWEPT)], State.OK),
        ([(5, SWEPT), (2, "Task timed out after 3.00 seconds")], State.WARNING),
    ],
)
def test_check_failures_that_are_about_no_object_are_over_once_an_invocation_has_worked(
    state: FakeS3State, later: list[Line], expected: State
) -> None:
    lines: list[Line] = sorted([(20, CRASHED), *later], key=lambda line: -line[0])
    found = check(state, *lines)
    assert found.state is expected
    if expected is State.WARNING:
        assert "no invocation has worked since" in found.message
        assert f"once it is fixed: frogmove lambda invoke sweep {OPTION}" in found.remedy


def test_check_failures_warns_if_the_objects_cannot_be_looked_up(state: FakeS3State) -> None:
    def deny() -> None:
        raise S3Error("HeadObject", "AccessDenied", 403, "")

    log = FunctionLog(Logs((20, FAILED)), "/aws/lambda/f")
    found = read_failures(log, NOW - timedelta(hours=1))
    s3 = FakeS3(state, before({"HeadObject"}, deny))
    checked = check_failures(found, log, s3, "in", NOW, OPTION)
    assert checked.state is State.WARNING
    assert "whether their objects still wait is not known" in checked.message


def test_check_failures_names_what_waits_beside_what_cannot_be_looked_up(
    state: FakeS3State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.put("in", "waits", b"frogs")

    def head_each(*asked: Any) -> Iterator[tuple[str, Any]]:
        for key, seen in selection.head_each(*asked):
            yield key, S3Error("HeadObject", "AccessDenied", 403, "") if key == "a" else seen

    monkeypatch.setattr(failure_check, "head_each", head_each)
    found = check(state, *((20, FAILED | {"key": key}) for key in ("a", "waits")))
    assert "1 object still waits: 'waits'" in found.message
    assert "whether other objects still wait is not known" in found.message


@pytest.mark.parametrize("key", ["", "\ud800", "k" * 1025, "\u00e9" * 513])
def test_check_failures_does_not_look_for_a_key_that_s3_cannot_have(
    state: FakeS3State, key: str
) -> None:
    assert check(state, (20, FAILED | {"key": key})).state is State.OK


def test_log_of_a_number_that_json_does_not_have_is_printed_as_json() -> None:
    text = '{"level": "ERROR", "a": NaN, "b": -1e999, "c": 1.5, "d": [Infinity]}'
    (line,) = FunctionLog(Logs((1, text)), "/aws/lambda/f").failures(NOW - timedelta(hours=1))
    assert line.fields == {"level": "ERROR", "a": "NaN", "b": "-1e999", "c": 1.5, "d": ["Infinity"]}


def test_check_failures_warns_if_not_all_objects_were_looked_up(
    state: FakeS3State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_check, "_MAX_KEYS", 2)
    state.put("in", "k0", b"frogs")
    lines: list[Line] = [(20 - number, FAILED | {"key": f"k{number}"}) for number in range(3)]
    found = check(state, *lines)
    assert found.state is State.WARNING
    assert "of 3 objects, only 2 were looked up" in found.message


def test_log_that_returns_the_same_page_again_is_not_read_forever() -> None:
    page = {"events": [], "nextToken": "t"}
    log = FunctionLog(SimpleNamespace(filter_log_events=lambda **_: page), "/aws/lambda/f")
    with pytest.raises(AwsRequestError, match="the same page"):
        read_failures(log, NOW)


@pytest.mark.parametrize("time", [10**30, -(10**30), "today", None])
def test_log_with_a_time_that_is_none_is_not_read(time: object) -> None:
    page = {"events": [{"timestamp": time, "message": "x"}]}
    log = FunctionLog(SimpleNamespace(filter_log_events=lambda **_: page), "/aws/lambda/f")
    with pytest.raises(AwsRequestError, match="a line has the time"):
        read_failures(log, NOW)


def test_check_failures_warns_if_not_all_were_read(
    state: FakeS3State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_check, "MAX_FAILURES", 2)
    found = check(state, (20, FAILED), (15, FAILED), (10, FAILED))
    assert found.state is State.WARNING
    assert found.message.startswith("2 or more (")
    assert "later ones were not read" in found.message
