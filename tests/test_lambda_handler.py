from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from frogmove import lambda_handler
from frogmove.errors import RunError, UsageError
from frogmove.function.app import LambdaApp
from frogmove.function.events import EventError
from tests.aws_events import TEST_EVENT, batch, message, notification, record
from tests.buckets import Buckets
from tests.cli.cli_runner import ROOT
from tests.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")


class Function(Protocol):
    """A function that has been started with an environment."""

    def __call__(self, event: dict[str, Any], **environment: str) -> dict[str, Any]: ...


@pytest.fixture
def function(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """Invoke the handler on the test's buckets."""

    def invoke(event: dict[str, Any], **environment: str) -> dict[str, Any]:
        ends = {
            "FROGMOVE_SOURCE": f"s3://{buckets.source}",
            "FROGMOVE_DESTINATION": f"s3://{buckets.destination}",
        }
        for name, value in (buckets.server.environment() | ends | environment).items():
            monkeypatch.setenv(name, value)
        # No request leaves this machine. No server here has the queue.
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", buckets.server.endpoint_url)
        return lambda_handler.handler(event, CONTEXT)

    lambda_handler.app.cache_clear()
    yield invoke
    lambda_handler.app.cache_clear()


def again(answer: dict[str, Any]) -> list[str]:
    """Return the messages that are to be delivered again."""
    assert set(answer) == {"batchItemFailures"}
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_uploads_that_a_queue_reports_are_moved(buckets: Buckets, function: Function) -> None:
    buckets.put("a", "b", "not reported")
    event = batch(
        message("1", notification(buckets.source, "a")),
        message("2", notification(buckets.source, "b")),
    )
    assert function(event) == {"batchItemFailures": []}
    assert buckets.here() == {"not reported": b"not reported"}
    assert buckets.there() == {"a": b"a", "b": b"b"}


def test_notification_alone_is_answered_with_counts(buckets: Buckets, function: Function) -> None:
    buckets.put("a", "b")
    event = notification(buckets.source, "a", "b", "gone", "a")
    assert function(event) == {"counts": {"moved": 2, "gone": 1}}
    assert buckets.there() == {"a": b"a", "b": b"b"}


def test_handler_moves_every_key_unchanged(buckets: Buckets, function: Function) -> None:
    keys = [key for name, key in KEYS.items() if name not in buckets.server.lacks]
    buckets.put(*keys)
    event = batch(*(message(str(n), notification(buckets.source, k)) for n, k in enumerate(keys)))
    assert again(function(event)) == []
    assert buckets.here() == {}
    assert buckets.there() == {key: key.encode() for key in keys}


def test_handler_returns_exactly_the_messages_that_could_not_be_dealt_with(
    buckets: Buckets, function: Function
) -> None:
    buckets.put("good", "twice", "refused", body=b"mine")
    buckets.put_there("refused", body=b"theirs")
    source = buckets.source
    removed = {"Records": [record(source, "good", "ObjectRemoved:Delete")]}
    event = batch(
        message("good", notification(source, "good")),
        message("duplicate-1", notification(source, "twice")),
        message("duplicate-2", notification(source, "twice")),
        message("gone", notification(source, "was moved long ago")),
        message("foreign", notification("another-bucket", "good")),
        message("garbage", "{not json"),
        message("poison", {"Records": [{"s3": None}]}),
        message("test-event", TEST_EVENT | {"Bucket": source}),
        message("removal", removed),
        message("refused", notification(source, "refused")),
        message("half", notification(source, "good", "refused")),
        message("empty", {"Records": []}),
    )
    answer = function(event, FROGMOVE_ON_CONFLICT="fail")
    assert again(answer) == ["foreign", "garbage", "poison", "refused", "half"]
    assert buckets.here() == {"refused": b"mine"}
    assert buckets.there() == {"good": b"mine", "twice": b"mine", "refused": b"theirs"}


def test_redelivery_changes_nothing(buckets: Buckets, function: Function) -> None:
    buckets.put("a")
    event = batch(message("1", notification(buckets.source, "a")))
    function(event)
    before = buckets.state()
    assert again(function(event)) == []
    assert buckets.state() == before


def test_handler_moves_what_replaced_a_reported_upload(
    buckets: Buckets, function: Function
) -> None:
    buckets.put("a", body=b"old")
    event = notification(buckets.source, "a")
    buckets.put("a", body=b"newer")
    assert function(event) == {"counts": {"moved": 1}}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"newer"})


def test_upload_that_is_newer_overwrites_what_was_moved_before(
    buckets: Buckets, function: Function
) -> None:
    buckets.put("a", body=b"new")
    buckets.put_there("a", body=b"old")
    assert function(notification(buckets.source, "a")) == {"counts": {"moved": 1}}
    assert (buckets.here(), buckets.there()) == ({}, {"a": b"new"})


def test_notification_that_fails_raises_so_that_it_is_delivered_again(
    buckets: Buckets, function: Function
) -> None:
    buckets.put("a", "b", body=b"mine")
    buckets.put_there("a", body=b"theirs")
    with pytest.raises(RunError, match="Not all keys were moved"):
        function(notification(buckets.source, "a", "b"), FROGMOVE_ON_CONFLICT="fail")
    assert buckets.here() == {"a": b"mine"}
    assert buckets.there() == {"a": b"theirs", "b": b"mine"}


def test_handler_moves_only_keys_under_the_prefix(buckets: Buckets, function: Function) -> None:
    buckets.put("in/a", "in2/b", "c")
    event = batch(*(message(key, notification(buckets.source, key)) for key in buckets.here()))
    source, destination = f"s3://{buckets.source}/in", f"s3://{buckets.destination}/out"
    answer = function(event, FROGMOVE_SOURCE=source, FROGMOVE_DESTINATION=destination)
    assert again(answer) == []
    assert sorted(buckets.here()) == ["c", "in2/b"]
    assert buckets.there() == {"out/a": b"in/a"}


def test_route_within_one_bucket_does_not_move_what_it_has_moved(
    buckets: Buckets, function: Function
) -> None:
    buckets.put("in/a")
    ends = {
        "FROGMOVE_SOURCE": f"s3://{buckets.source}/in",
        "FROGMOVE_DESTINATION": f"s3://{buckets.source}/out",
    }
    assert function(notification(buckets.source, "in/a"), **ends) == {"counts": {"moved": 1}}
    assert function(notification(buckets.source, "out/a"), **ends) == {"counts": {"skipped": 1}}
    assert buckets.here() == {"out/a": b"in/a"}


def test_event_of_another_kind_raises(buckets: Buckets, function: Function) -> None:
    buckets.put("a")
    events: list[dict[str, Any]] = [{}, {"Records": [{}]}, notification("another-bucket", "a")]
    for event in events:
        with pytest.raises(EventError):
            function(event)
    assert list(buckets.here()) == ["a"]


def test_s3_test_event_is_consumed(function: Function) -> None:
    assert function(dict(TEST_EVENT)) == {"counts": {}}


def test_message_about_a_key_that_s3_cannot_hold_harms_no_other(
    buckets: Buckets, function: Function
) -> None:
    buckets.put("a")
    bodies = [notification(buckets.source, key) for key in ("", "k" * 1025, "a")]
    half = notification(buckets.source, "x")
    half["Records"][0]["s3"]["object"]["key"] = "\ud800"
    event = batch(*(message(str(n), body) for n, body in enumerate([*bodies, half])))
    assert not {"2"} & set(again(function(event)))
    assert {"0", "3"} <= set(again(function(event)))
    assert buckets.there() == {"a": b"a"}


def test_credentials_that_are_refused_have_every_message_delivered_again(
    seaweedfs: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = Buckets.make(seaweedfs)
    buckets.put("a", "b")
    for name, value in seaweedfs.spoken_to_as("AKADMIN", "wrong").environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FROGMOVE_SOURCE", f"s3://{buckets.source}")
    monkeypatch.setenv("FROGMOVE_DESTINATION", f"s3://{buckets.destination}")
    lambda_handler.app.cache_clear()
    event = batch(*(message(key, notification(buckets.source, key)) for key in ("a", "b")))
    assert again(lambda_handler.handler(event, CONTEXT)) == ["a", "b"]
    lambda_handler.app.cache_clear()
    assert (len(buckets.here()), buckets.there()) == (2, {})


def test_log_is_json_and_inert(
    buckets: Buckets, function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    key = KEYS["escape sequence"]
    buckets.put(key)
    function(batch(message("1", notification(buckets.source, key)), message("2", "\x1b[31m")))
    written = capsys.readouterr().out
    assert written.isascii()
    assert all(line.isprintable() for line in written.splitlines())
    lines = [json.loads(line) for line in written.splitlines()]
    logged = [line for line in lines if "_aws" not in line]
    assert {line["request_id"] for line in logged} == {CONTEXT.aws_request_id}
    (moved,) = [line for line in logged if "key" in line]
    assert moved.items() >= {"level": "INFO", "key": key, "outcome": "moved"}.items()
    assert moved["bytes"] == len(key.encode())
    (refused, _) = [line for line in logged if line.get("about") == "2"]
    assert refused["level"] == "WARNING"
    (end,) = [line for line in logged if line["message"] == "invocation"]
    assert end.items() >= {"event": "queue", "counts": {"moved": 1}}.items()


def test_client_is_made_once(buckets: Buckets, function: Function) -> None:
    buckets.put("a", "b")
    function(notification(buckets.source, "a"))
    first = lambda_handler.app()
    function(notification(buckets.source, "b"))
    assert lambda_handler.app() is first
    assert sorted(buckets.there()) == ["a", "b"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"FROGMOVE_SOURCE": "s3://one"},
        {"FROGMOVE_SOURCE": "s3://one", "FROGMOVE_DESTINATION": "two"},
        {"FROGMOVE_SOURCE": "s3://one", "FROGMOVE_DESTINATION": "s3://one/x"},
        {"FROGMOVE_CONCURRENCY": "many"},
        {"FROGMOVE_CONCURRENCY": "0"},
        {"FROGMOVE_CONCURRENCY": "-1"},
        {"FROGMOVE_ON_CONFLICT": "shrug"},
    ],
    ids=lambda value: " ".join(map("=".join, value.items())) or "nothing",
)
def test_settings_that_are_no_route_are_refused(environment: dict[str, str]) -> None:
    if "FROGMOVE_SOURCE" not in environment and environment:
        environment = environment | {
            "FROGMOVE_SOURCE": "s3://one",
            "FROGMOVE_DESTINATION": "s3://two",
            "FROGMOVE_ENDPOINT_URL": "http://127.0.0.1:9",
        }
    with pytest.raises(UsageError):
        LambdaApp(environment)


def started(*lines: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Import the handler as Lambda does, then run some lines."""
    script = "\n".join(["import sys", "import frogmove.lambda_handler as it", *lines])
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "frogmove", **environment},
        capture_output=True,
        text=True,
    )


def test_function_with_wrong_settings_fails_at_its_start() -> None:
    done = started()
    assert done.returncode != 0
    assert "UsageError: No source was given." in done.stderr


def test_function_starts_with_its_client_and_without_what_a_terminal_needs() -> None:
    done = started(
        "assert it.app.cache_info().currsize == 1",
        "found = {'click', 'rich', 'platformdirs', 'moto', 'ministack'} & set(sys.modules)",
        "assert not found, found",
        FROGMOVE_SOURCE="s3://one-bucket",
        FROGMOVE_DESTINATION="s3://two-bucket",
        AWS_DEFAULT_REGION="us-east-1",
    )
    assert (done.returncode, done.stderr) == (0, "")
