"""The packaged function in the real runtime: function zip and layer, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from frogmove import __version__
from tests.aws_events import (
    TEST_EVENT,
    batch,
    bridged,
    delivery,
    enveloped,
    job,
    message,
    notification,
    task,
)
from tests.keys import KEYS
from tests.runtime.emulator import children, environment_of, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.buckets import Buckets
    from tests.runtime.emulator import Kit, Runtime


@pytest.fixture
def runtime(kit: Kit, buckets: Buckets) -> Iterator[Runtime]:
    with running(kit, environment_of(buckets)) as started:
        yield started


def facts(runtime: Runtime) -> list[dict[str, Any]]:
    return [json.loads(line) for line in runtime.log]


# How each way for an upload to be reported, or wanted to be moved, looks to the function.
EVENTS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "queue": lambda bucket, key: batch(message("1", notification(bucket, key))),
    "topic to queue": lambda bucket, key: batch(message("1", enveloped(notification(bucket, key)))),
    "bridge to queue": lambda bucket, key: batch(message("1", bridged(bucket, key))),
    "notification": notification,
    "topic": lambda bucket, key: delivery(notification(bucket, key)),
    "bridge": bridged,
    "batch job": lambda bucket, key: job(task(bucket, key)),
    "batch job 2.0": lambda bucket, key: job(task(bucket, key), version="2.0"),
    "move": lambda _, key: {"action": "move", "keys": [key]},
    "sweep": lambda *_: {"action": "sweep", "age": 0},
}


def test_events_all_move_their_object(buckets: Buckets, runtime: Runtime) -> None:
    """In one process, as they may come to one function."""
    key = "in/2026 été+1%.csv"
    for name, event in EVENTS.items():
        buckets.put(key, body=name.encode())
        answer = runtime.invoke(event(buckets.source, key))
        assert answer.status == 200, name
        assert "errorMessage" not in answer.value, name
        assert not answer.value.get("batchItemFailures"), name
        assert (buckets.here(), buckets.there()) == ({}, {key: name.encode()}), name
    assert len(runtime.starts) == 1


def test_queue_has_its_uploads_moved_and_poison_handed_back(
    buckets: Buckets, runtime: Runtime
) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    reports = [message(str(n), notification(buckets.source, key)) for n, key in enumerate(keys)]
    poison = [
        message("garbage", "{not json"),
        message("foreign", notification("another-bucket", "a")),
        message("odd", {"Records": [{"s3": None}]}),
    ]
    duplicate = message("duplicate", notification(buckets.source, keys[0]))
    test_event = message("test", TEST_EVENT | {"Bucket": buckets.source})

    answer = runtime.invoke(batch(poison[0], *reports, duplicate, *poison[1:], test_event))

    assert answer.status == 200
    again = {item["itemIdentifier"] for item in answer.value["batchItemFailures"]}
    assert again == {"garbage", "foreign", "odd"}
    assert (buckets.here(), buckets.there()) == ({}, {key: key.encode() for key in keys})


def test_log_of_the_function_is_json_and_inert(buckets: Buckets, runtime: Runtime) -> None:
    key = KEYS["escape sequence"]
    buckets.put(key)
    runtime.invoke(batch(message("1", notification(buckets.source, key)), message("2", "\x1b[31m")))
    assert all(line.isprintable() for line in runtime.log)
    reported = facts(runtime)
    (moved,) = [fact for fact in reported if fact.get("key") == key]
    assert moved["outcome"] == "moved"
    (metrics,) = [fact for fact in reported if "_aws" in fact]
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "frogmove"
    assert directive["Dimensions"] == [["service", "route"]]
    assert metrics["route"] == f"s3://{buckets.source} -> s3://{buckets.destination}"
    assert metrics["moved"] == [1.0]


def test_ping_tells_the_version_and_settings(buckets: Buckets, runtime: Runtime) -> None:
    answer = runtime.invoke({"action": "ping"})
    assert answer.value["version"] == __version__
    assert answer.value["settings"]["source"] == f"s3://{buckets.source}/"


def test_event_of_no_known_kind_is_an_error_that_names_it(runtime: Runtime) -> None:
    answer = runtime.invoke({"action": "explode"})
    assert answer.status == 200
    assert answer.value["errorType"].endswith("EventError")
    assert "explode" in answer.value["errorMessage"]


@pytest.mark.parametrize(
    "variables",
    [
        {"FROGMOVE_ON_CONFLICT": "shrug"},
        {"FROGMOVE_PART_SIZE": "tiny"},
        {"FROGMOVE_DESTINATION": "nowhere"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_setting_that_is_wrong_fails_the_start_and_says_why(
    kit: Kit, buckets: Buckets, variables: dict[str, str]
) -> None:
    with running(kit, environment_of(buckets, **variables)) as runtime:
        answer = runtime.invoke(notification(buckets.source, "a"))
    assert answer.status == 502
    assert answer.value["errorType"].endswith("UsageError")
    (value,) = variables.values()
    assert value in answer.value["errorMessage"]


# Runs before the handler is asked for anything: what does a function that is about to move hold?
_SPY = """
import sys
from frogmove.lambda_handler import handler as real

def handler(event, context):
    real(event, context)
    return {name: getattr(sys.modules[name], "__file__", "") for name in sys.modules}
"""


def test_function_takes_its_libraries_from_the_layer_and_nothing_for_a_terminal(
    kit: Kit, buckets: Buckets, tmp_path: Path
) -> None:
    (tmp_path / "spy.py").write_text(_SPY)
    buckets.put("a")
    with running(kit.with_extra(tmp_path), environment_of(buckets), handler="spy.handler") as spied:
        modules = spied.invoke(batch(message("1", notification(buckets.source, "a")))).value
    assert buckets.there() == {"a": b"a"}
    assert (
        not {
            "click",
            "rich",
            "platformdirs",
            "frogmove.cli",
            "frogmove.local_aws",
            "frogmove.packaging",
        }
        & modules.keys()
    )
    for name in ("botocore", "urllib3", "aws_lambda_powertools"):
        assert modules[name].startswith(str(kit.layer)), name
    assert modules["frogmove"].startswith(str(kit.task))


def test_emulator_leaves_no_process(runtime: Runtime) -> None:
    runtime.invoke({"action": "ping"})
    pids = [runtime.process.pid, *children(runtime.process.pid)]
    assert len(pids) == 2
    runtime.end()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
