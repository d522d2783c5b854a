"""The packaged function in the real runtime: function zip and layer, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws_events import TEST_EVENT, batch, message, notification
from tests.keys import KEYS
from tests.runtime.emulator import children, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.buckets import Buckets
    from tests.runtime.emulator import Kit, Runtime


def route(buckets: Buckets, **more: str) -> dict[str, str]:
    """Return the function's environment."""
    return {
        **buckets.server.environment(),
        "FROGMOVE_SOURCE": f"s3://{buckets.source}",
        "FROGMOVE_DESTINATION": f"s3://{buckets.destination}",
        **more,
    }


@pytest.fixture
def runtime(kit: Kit, buckets: Buckets) -> Iterator[Runtime]:
    with running(kit, route(buckets)) as started:
        yield started


def test_what_a_queue_reports_is_moved_and_poison_is_handed_back(
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
    assert {item["itemIdentifier"] for item in answer.value["batchItemFailures"]} == {
        "garbage",
        "foreign",
        "odd",
    }
    assert (buckets.here(), buckets.there()) == ({}, {key: key.encode() for key in keys})


def test_one_process_serves_many_invocations(buckets: Buckets, runtime: Runtime) -> None:
    for key in "abc":
        buckets.put(key)
        answer = runtime.invoke(batch(message(key, notification(buckets.source, key))))
        assert answer.value == {"batchItemFailures": []}
    assert sorted(buckets.there()) == ["a", "b", "c"]
    assert len(runtime.starts) == 1


def test_what_the_function_logs_is_json_and_inert(buckets: Buckets, runtime: Runtime) -> None:
    key = KEYS["escape sequence"]
    buckets.put(key)
    runtime.invoke(batch(message("1", notification(buckets.source, key)), message("2", "\x1b[31m")))
    told = facts(runtime)
    assert [fact for fact in told if fact.get("key") == key]
    assert all(line.replace("\t", " ").isprintable() for line in runtime.log)


def test_a_wrong_setting_fails_the_start_and_says_why(kit: Kit, buckets: Buckets) -> None:
    with running(kit, route(buckets, FROGMOVE_ON_CONFLICT="shrug")) as runtime:
        answer = runtime.invoke(notification(buckets.source, "a"))
    assert answer.status == 502
    assert answer.value["errorType"].endswith("UsageError")
    assert "shrug" in answer.value["errorMessage"]


def test_the_emulator_leaves_nothing_running(kit: Kit, buckets: Buckets) -> None:
    with running(kit, route(buckets)) as runtime:
        runtime.invoke(batch())
        pids = children(runtime.process.pid)
        assert pids
    for pid in (runtime.process.pid, *pids):
        assert not Path(f"/proc/{pid}").exists()


def facts(runtime: Runtime) -> list[dict[str, Any]]:
    """Read the lines of a log; the runtime may put level, time and request before the JSON."""
    return [json.loads(line[line.index("{") :]) for line in runtime.log]
