"""What the function writes: lines for people to search, metrics for alarms to watch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from frogmove.core.options import Multipart
from frogmove.errors import FrogmoveError
from frogmove.function.telemetry import read_level
from frogmove.s3.errors import S3Error
from tests.aws_events import batch, bridged, message, notification, record
from tests.fake_s3_state import FakeS3State
from tests.function.fake_lambda import CONTEXT, ENDS, Clock, lambda_app, state_of, stopping
from tests.interceptors import RequestHook
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

BODY = b"12345"
WHOLE = Multipart()


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Return what has been written so far, each line as what it says."""

    def read() -> list[dict[str, Any]]:
        text = capsys.readouterr().out
        assert text.isascii()
        assert all(line.isprintable() for line in text.splitlines())
        return [json.loads(line) for line in text.splitlines()]

    return read


def metrics(lines: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return all values of each metric, and hold each blob to what CloudWatch takes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
    CloudWatch_Embedded_Metric_Format_Specification.html
    """
    found: dict[str, list[float]] = {}
    for blob in (line for line in lines if "_aws" in line):
        (directive,) = blob["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "frogmove"
        assert directive["Dimensions"] == [["service", "route"]]
        assert (blob["service"], blob["route"]) == ("frogmove", "s3://external -> s3://internal")
        for each in directive["Metrics"]:
            assert each["Unit"] == {"bytes": "Bytes", "age": "Seconds", "oldest": "Seconds"}.get(
                each["Name"], "Count"
            )
            assert 1 <= len(blob[each["Name"]]) <= 100
            found.setdefault(each["Name"], []).extend(blob[each["Name"]])
    return found


def event_of(*keys: str) -> dict[str, Any]:
    return batch(*(message(key, notification("external", key)) for key in keys))


def test_metrics_count_every_outcome(written: Callable[[], list[dict[str, Any]]]) -> None:
    def fail() -> None:
        raise S3Error("CopyObject", "AccessDenied", 403, "No")

    state = state_of("a", "b", "there", "forbidden", body=BODY)
    state.put("internal", "there", b"other")
    interceptor = RequestHook({3: fail}, only="CopyObject")
    made = lambda_app(state, interceptor, WHOLE, FROGMOVE_ON_CONFLICT="fail")
    made.handle(event_of("a", "b", "there", "gone", "forbidden"), CONTEXT)
    found = metrics(written())
    assert {name: values for name, values in found.items() if name != "age"} == {
        "moved": [2],
        "gone": [1],
        "conflict": [1],
        "failed": [1],
        "rejected": [2],
        "bytes": [10],
    }
    assert len(found["age"]) == 2
    assert all(age > 0 for age in found["age"])


def test_metrics_of_hundreds_of_ages_go_out_in_blobs_that_are_taken(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    keys = [f"k{number}" for number in range(250)]
    lambda_app(state_of(*keys, body=BODY), parts=WHOLE).handle(
        {"action": "sweep", "age": 0}, CONTEXT
    )
    found = metrics(written())
    assert (len(found["age"]), found["moved"], found["bytes"]) == (250, [250], [1250])


def test_log_has_a_line_for_each_object_and_one_for_the_invocation(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    keys = list(KEYS.values())
    lambda_app(state_of(*keys, body=BODY), parts=WHOLE).handle(event_of(*keys), CONTEXT)
    lines = [line for line in written() if "_aws" not in line]
    assert {line["request_id"] for line in lines} == {CONTEXT.aws_request_id}
    *objects, end = lines
    assert Counter(line["key"] for line in objects) == Counter(keys)
    for line in objects:
        assert (line["level"], line["outcome"], line["bytes"]) == ("INFO", "moved", 5)
        assert line["milliseconds"] >= 0
    assert end["message"] == "invocation"
    assert (end["event"], end["counts"]) == ("queue", {"moved": len(keys)})


def test_invocation_that_raises_has_its_metrics_too(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    def fail() -> None:
        raise S3Error("CopyObject", "AccessDenied", 403, "No")

    made = lambda_app(
        state_of("a", "b", body=BODY), RequestHook({1: fail}, only="CopyObject"), WHOLE
    )
    with pytest.raises(FrogmoveError):
        made.handle(notification("external", "a", "b"), CONTEXT)
    lines = written()
    assert {"moved": [1], "failed": [1]}.items() <= metrics(lines).items()
    assert [line["response"] for line in lines if "response" in line] == ["error"]


def test_event_that_cannot_be_read_is_reported_in_plain_words(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    for event in ({"action": "\x1b[31m\n"}, None, {"action": "move", "keys": ["\x1b"], "\n": 1}):
        with pytest.raises(FrogmoveError):
            lambda_app(state_of()).handle(event, CONTEXT)
    lines = written()
    assert metrics(lines) == {}
    assert [line["message"] for line in lines].count("invocation") == 3


def test_invocation_tells_nothing_of_another(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    made = lambda_app(state_of("a", "b", body=BODY))
    made.handle(event_of("a"), CONTEXT)
    first = metrics(written())
    made.handle(event_of("b"), CONTEXT)
    assert metrics(written()).keys() == first.keys() == {"moved", "bytes", "age"}
    made.handle({"action": "ping"}, CONTEXT)
    assert metrics(written()) == {}


def test_object_that_takes_several_invocations_is_no_failure(
    written: Callable[[], list[dict[str, Any]]], flags: list[Event]
) -> None:
    state = state_of("a", body=BODY)
    interceptor = RequestHook({0: stopping(flags)}, only="UploadPartCopy")
    assert lambda_app(state, interceptor).handle(event_of("a"), CONTEXT)["batchItemFailures"]
    lines = written()
    assert metrics(lines) == {"unfinished": [1]}
    assert {line["level"] for line in lines if "_aws" not in line} == {"INFO"}
    lambda_app(state).handle(event_of("a"), CONTEXT)
    assert metrics(written())["moved"] == [1]


def test_sweep_tells_that_it_was_and_how_long_the_oldest_waits(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    state = state_of("a", "there", body=BODY)
    state.put("internal", "there", b"other")
    app = lambda_app(state, parts=WHOLE, FROGMOVE_ON_CONFLICT="fail")
    app.handle({"action": "sweep", "age": 0, "dry_run": True}, CONTEXT)
    assert metrics(written()) == {}
    app.handle({"action": "sweep", "age": 0}, CONTEXT)
    found = metrics(written())
    assert (found["sweeps"], found["conflict"]) == ([1], [1])
    assert found["oldest"][0] > 0
    app.handle({"action": "sync"}, CONTEXT)
    assert "sweeps" not in metrics(written())


def test_sweep_whose_time_ran_out_is_not_counted(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    app = lambda_app(state_of("a"), parts=WHOLE)
    assert app.handle({"action": "sweep", "age": 0}, Clock(0))["finished"] is False
    assert "sweeps" not in metrics(written())
    assert app.handle({"action": "sweep", "age": 0}, CONTEXT)["finished"] is True
    assert metrics(written())["sweeps"] == [1]


def test_route_is_written_as_it_was_set() -> None:
    assert lambda_app(state_of()).config.client_config.source == ENDS["FROGMOVE_SOURCE"]


def test_ignored_events_are_counted_and_reported(
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    removed = {"Records": [record("external", "a", "ObjectRemoved:Delete")]}
    function = lambda_app(FakeS3State({"external": {}, "internal": {}}))
    assert function.handle(removed, CONTEXT) == {"counts": {"ignored": 1}}
    lines = written()
    (told,) = [line for line in lines if line.get("message") == "ignored"]
    assert (told["key"], "ObjectRemoved:Delete" in told["reason"]) == ("a", True)
    assert metrics(lines)["ignored"] == [1.0]

    event = batch(message("1", removed), message("2", bridged("external", "b", "Object Deleted")))
    assert function.handle(event, CONTEXT) == {"batchItemFailures": []}
    lines = written()
    assert [line["about"] for line in lines if line.get("message") == "ignored"] == ["1", "2"]
    (end,) = [line for line in lines if line.get("message") == "invocation"]
    assert end["counts"] == {"ignored": 2}


@pytest.mark.parametrize(
    ("variables", "level", "wrong"),
    [
        ({}, "INFO", ""),
        ({"LOG_LEVEL": ""}, "INFO", ""),
        ({"LOG_LEVEL": "debug"}, "DEBUG", ""),
        ({"LOG_LEVEL": "TRACE"}, "DEBUG", ""),
        ({"LOG_LEVEL": "FATAL"}, "CRITICAL", ""),
        ({"LOG_LEVEL": "20"}, "INFO", "LOG_LEVEL"),
        ({"POWERTOOLS_LOG_LEVEL": "loud"}, "INFO", "POWERTOOLS_LOG_LEVEL"),
        ({"POWERTOOLS_LOG_LEVEL": "warn", "LOG_LEVEL": "loud"}, "WARNING", ""),
    ],
)
def test_log_level_that_is_none_is_named_and_info_is_used(
    variables: dict[str, str], level: str, wrong: str
) -> None:
    read, complaint = read_level(variables)
    assert (read, complaint.partition(" ")[0]) == (level, wrong)


@pytest.mark.parametrize("name", ["POWERTOOLS_LOG_LEVEL", "LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"])
@pytest.mark.parametrize(
    "level", ["loud", *(pytest.param(level, marks=pytest.mark.matrix) for level in ("TRACE", "10"))]
)
def test_log_level_never_stops_the_function_at_import(name: str, level: str) -> None:
    script = "import frogmove.lambda_handler"
    done = subprocess.run(
        [sys.executable, "-c", script], env={name: level}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    if level != "TRACE" and name != "AWS_LAMBDA_LOG_LEVEL":
        assert name in done.stdout
